-- What stands for a lane in the numbers of a reseller's documents where its catalog does not say it: A for the first lane that
-- issues, B for the second. Numbers name no distributor.
CREATE TABLE document_series_code (
    reseller text NOT NULL,
    lane     text NOT NULL,
    code     text NOT NULL,
    PRIMARY KEY (reseller, lane),
    UNIQUE (reseller, code)
);
