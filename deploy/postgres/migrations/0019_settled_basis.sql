-- What settles stays: the catalog version that was in force when the period was settled is the basis of everything that is made for it.
-- Periods that were settled before: the version of the run that counts.
ALTER TABLE billing_period ADD COLUMN catalog_id text REFERENCES catalog_version (id);
UPDATE billing_period b SET catalog_id = r.catalog_id FROM current_run c JOIN run r ON r.id = c.run_id
    WHERE c.payer = b.payer AND c.period = b.period AND b.state IN ('settled', 'closed');
CREATE VIEW settled_period AS SELECT payer, period, catalog_id FROM billing_period
    WHERE state IN ('settled', 'closed') AND catalog_id IS NOT NULL;
