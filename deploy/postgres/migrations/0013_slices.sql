-- Slices: what can influence the rating of one payer, cut out of a catalog version. Stored once, however many versions share it.
CREATE TABLE catalog_slice (
    id      text PRIMARY KEY,           -- digest of the content, 32 hex digits
    payer   text NOT NULL,
    content text NOT NULL               -- canonical JSON; a price book stands in it as its digest
);
CREATE TABLE catalog_book (
    id      text PRIMARY KEY,
    content text NOT NULL
);
-- Which slice a payer has in a version, with a link set of org-linker ('': none). Written when the version is applied; a row
-- that is missing (older versions, newer link sets) is made from the version when it is asked for.
CREATE TABLE payer_slice (
    catalog_id text NOT NULL REFERENCES catalog_version (id),
    payer      text NOT NULL,
    links_id   text NOT NULL,
    slice_id   text NOT NULL,           -- '': the version does not have the payer
    PRIMARY KEY (catalog_id, payer, links_id)
);
-- The run's id is made from the slice. '': an older run, whose id was made from the catalog version.
ALTER TABLE run ADD COLUMN slice_id text NOT NULL DEFAULT '';
