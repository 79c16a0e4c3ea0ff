-- The archive of deliveries (common/archive): which copies documents can rest on.

ALTER TABLE delivery ADD COLUMN archive boolean NOT NULL DEFAULT false;           -- it counts only with a copy of each of its files
ALTER TABLE delivery ADD COLUMN manifest_archived boolean NOT NULL DEFAULT false; -- the copy has the digest manifest_digest
ALTER TABLE chunk ADD COLUMN archive_digest text NOT NULL DEFAULT '' CHECK (archive_digest ~ '^([0-9a-f]{64})?$'); -- SHA-256 of the file's bytes; '' = no copy
ALTER TABLE chunk ADD COLUMN archive_bytes bigint NOT NULL DEFAULT 0;
CREATE INDEX chunk_archived ON chunk (archive_digest) WHERE archive_digest <> '';
CREATE INDEX delivery_manifest_archived ON delivery (manifest_digest) WHERE manifest_archived;

-- Copies that something stopped to name: `curmill archive sweep` looks at each and removes what nothing else names.
CREATE TABLE archive_removal (
    digest   text PRIMARY KEY,
    noted_at timestamptz NOT NULL
);
CREATE FUNCTION curmill_archive_dropped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO archive_removal (digest, noted_at) VALUES (OLD.archive_digest, now()) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER chunk_archive_updated AFTER UPDATE OF archive_digest ON chunk FOR EACH ROW
    WHEN (OLD.archive_digest <> '' AND OLD.archive_digest <> NEW.archive_digest) EXECUTE FUNCTION curmill_archive_dropped();
CREATE TRIGGER chunk_archive_deleted AFTER DELETE ON chunk FOR EACH ROW
    WHEN (OLD.archive_digest <> '') EXECUTE FUNCTION curmill_archive_dropped();

-- The last wall: a run counts only when all that its delivery should have in the archive is there (I09).
CREATE FUNCTION curmill_archive_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM delivery d JOIN chunk c ON c.delivery_id = d.id WHERE d.id = NEW.delivery_id AND d.archive AND c.archive_digest = '') THEN
        RAISE EXCEPTION 'run % cannot count: files of its delivery % are not in the archive', NEW.id, NEW.delivery_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER run_archive_guard BEFORE UPDATE OF state ON run FOR EACH ROW
    WHEN (NEW.state IN ('current', 'correction') AND OLD.state NOT IN ('current', 'correction')) EXECUTE FUNCTION curmill_archive_guard();
