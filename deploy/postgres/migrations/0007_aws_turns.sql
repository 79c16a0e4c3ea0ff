-- Turns of org-linker at AWS (accounts-and-taxes.md section 3): one row a payer that has `access` in the catalog.
CREATE TABLE aws_turn (
    payer          text PRIMARY KEY,
    lane           text NOT NULL,
    next_at        timestamptz NOT NULL,
    leased_until   timestamptz,              -- a replica is at it
    began_at       timestamptz,
    finished_at    timestamptz,
    good_at        timestamptz,              -- last turn in which AWS answered everything
    failures       int NOT NULL DEFAULT 0,   -- in a row; the next turn comes later and later
    code           text NOT NULL DEFAULT '', -- of the first error of the last turn, '' if all went well
    detail         text NOT NULL DEFAULT '', -- what to read; never a secret
    missing_action text NOT NULL DEFAULT '', -- 'sts:AssumeRole', or the first permission that is missing
    calls          int NOT NULL DEFAULT 0,   -- of the last turn
    accounts       int NOT NULL DEFAULT 0,
    invited        int NOT NULL DEFAULT 0
);
CREATE INDEX aws_turn_next ON aws_turn (lane, next_at);
