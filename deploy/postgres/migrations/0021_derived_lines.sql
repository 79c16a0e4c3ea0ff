-- Discounts that stand in columns of a line (rating.md section 2a) become derived lines beside it: counted by themselves,
-- and what the files say about them is kept for the alerts of their run.
ALTER TABLE charge ADD COLUMN derived_lines bigint NOT NULL DEFAULT 0;
ALTER TABLE charge_day ADD COLUMN derived_lines bigint NOT NULL DEFAULT 0;
ALTER TABLE charge_part ADD COLUMN derived_lines bigint NOT NULL DEFAULT 0;
ALTER TABLE charge_day_part ADD COLUMN derived_lines bigint NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN derived_lines bigint NOT NULL DEFAULT 0; -- filled at completion
ALTER TABLE run_chunk
    ADD COLUMN expected_derived bigint NOT NULL DEFAULT 0,
    ADD COLUMN applied_derived bigint NOT NULL DEFAULT 0,
    -- {"sums": [...], "unexplained": [...], "unexplained_lines": 3}; {} where the file has no columns of discounts
    ADD COLUMN discounts jsonb NOT NULL DEFAULT '{}';

-- Runs that are running now have tables of their own, made by the pattern as it was. New ones take its defaults.
DO $$
DECLARE part record;
BEGIN
    FOR part IN SELECT oid::regclass AS name FROM pg_class
        WHERE relkind = 'r' AND relname ~ '^charge(_day)?_part_[0-9a-f]{32}$' AND relnamespace = current_schema::regnamespace LOOP
        EXECUTE format('ALTER TABLE %s ADD COLUMN derived_lines bigint NOT NULL DEFAULT 0', part.name);
    END LOOP;
END $$;
