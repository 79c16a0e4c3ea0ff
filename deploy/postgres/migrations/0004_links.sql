-- Links that org-linker gives beside the catalog's. A run's `links_version` is the id of the link set of its payer that it is rated with.

-- Immutable: id = digest of the canonical list of the effective links of a payer; '' (no row) is the empty list.
CREATE TABLE link_set (
    id      text PRIMARY KEY,
    payer   text NOT NULL,
    content text NOT NULL,              -- canonical JSON
    made_at timestamptz NOT NULL
);
CREATE FUNCTION curmill_link_set_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'link set % never changes and is never removed: runs were rated with it', OLD.id;
END $$;
CREATE TRIGGER link_set_guard BEFORE UPDATE OR DELETE ON link_set FOR EACH ROW EXECUTE FUNCTION curmill_link_set_guard();

-- What new runs of a payer are rated with. No row: ''.
CREATE TABLE payer_links (
    payer      text PRIMARY KEY,
    lane       text NOT NULL,
    links_id   text NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE INDEX payer_links_lane ON payer_links (lane);

-- The link set that would give this run the same figures, as org-linker found out: it need not be rated again for it.
ALTER TABLE run ADD COLUMN links_judged text;
