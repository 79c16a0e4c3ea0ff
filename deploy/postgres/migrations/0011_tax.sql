-- Tax settings as AWS shows them, and what follows from them (T01-T07). common/store/tax_store.c writes these tables, nothing else does.

-- The last look at a payer.
CREATE TABLE tax_payer (
    payer       text PRIMARY KEY,
    lane        text NOT NULL,
    basis       text NOT NULL,               -- digest of what it is compared with: another one is looked at at once
    tried_at    timestamptz NOT NULL,
    read_at     timestamptz,                 -- last good answer
    fresh_until timestamptz,                 -- how long that answer may be used
    problem     text NOT NULL DEFAULT '',    -- why the last look gave no answer
    inheritance text NOT NULL DEFAULT '',    -- OptIn, OptOut, '' (AWS does not say)
    transfer_to text NOT NULL DEFAULT '',    -- payer of another organization that the bills were transferred to
    invoices    int                          -- predicted AWS VAT invoices a month
);

-- One row an account that AWS lists, the payer's own among them.
CREATE TABLE tax_verdict (
    payer   text NOT NULL,
    account text NOT NULL,
    lane    text NOT NULL,
    verdict text NOT NULL,
    detail  text NOT NULL,
    since   timestamptz NOT NULL,            -- of this verdict
    seen    jsonb NOT NULL DEFAULT '{}',     -- registration, inheritance and address, as AWS showed them last
    PRIMARY KEY (payer, account)
);

-- Every change of a verdict, with what was seen. verdict '': AWS does not list the account any more, or nobody asks for a check.
CREATE TABLE tax_history (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    payer    text NOT NULL,
    account  text NOT NULL,
    lane     text NOT NULL,
    previous text NOT NULL,
    verdict  text NOT NULL,
    detail   text NOT NULL,
    seen     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX tax_history_account ON tax_history (payer, account, id);

-- Written with the change, published to curmill.<lane>.tax.verdict.v1 by tax-inheritance-checker, at least once, and then removed.
CREATE TABLE tax_outbox (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane         text NOT NULL,
    account      text NOT NULL,
    payload      bytea,                      -- TaxVerdict; NULL: the account is gone
    written_at   timestamptz NOT NULL
);
CREATE INDEX tax_outbox_lane ON tax_outbox (lane, id);

-- What operators ask for (`curmill tax check`). NOTIFY curmill_tax tells the checker.
CREATE TABLE tax_request (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payer    text NOT NULL,
    lane     text NOT NULL,
    fix      boolean NOT NULL,               -- switch inheritance on
    actor    text NOT NULL,
    reason   text NOT NULL,
    asked_at timestamptz NOT NULL,
    state    text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'done', 'failed')),
    result   jsonb NOT NULL DEFAULT '{}',    -- before, after, error
    done_at  timestamptz
);
CREATE INDEX tax_request_asked ON tax_request (lane, id) WHERE state = 'asked';
