-- Which activation of the catalog each lane has noticed: payers whose slice it changed were rated again (rating.md section 8).
CREATE TABLE catalog_force (
    lane     text NOT NULL,
    seq      bigint NOT NULL REFERENCES catalog_activation (seq),
    taken_at timestamptz NOT NULL,
    PRIMARY KEY (lane, seq)
);
