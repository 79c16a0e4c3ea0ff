-- Where the support plan group of an account changes in a month, each group has its own part of the month's charges: since when
-- the link holds that a charge's lines belong to, "2025-06-11T00:00:00Z"; '' for all other charges.
ALTER TABLE charge_part ADD COLUMN link_from text NOT NULL DEFAULT '';
ALTER TABLE charge ADD COLUMN link_from text NOT NULL DEFAULT '';
DO $$
DECLARE part text;
BEGIN
    FOR part IN SELECT relname FROM pg_class WHERE relname ~ '^charge_part_[0-9a-f]{32}$' AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN link_from text NOT NULL DEFAULT %L', part, '');
    END LOOP;
END $$;
