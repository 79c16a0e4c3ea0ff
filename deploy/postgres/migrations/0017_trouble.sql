-- Documents that could not be made, with the reason; made anew with the drafts and corrections of their month.
CREATE TABLE statement_trouble (
    lane     text NOT NULL,
    period   text NOT NULL,
    reseller text NOT NULL,
    customer text NOT NULL,            -- '': the reseller's document about its customers; reseller '' too: all of the month
    corrects text NOT NULL DEFAULT '', -- id of the document whose correction it is; '': a statement
    code     text NOT NULL,
    reason   text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lane, period, reseller, customer, corrects)
);
