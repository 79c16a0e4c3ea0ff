-- AWS's own word on Support plans and charges (Billing API), which org-linker reads for payers with `access`.
CREATE TABLE aws_support_charge (
    payer         text NOT NULL,
    period        text NOT NULL,
    account       text NOT NULL,           -- '': Enterprise Support, all enrolled accounts together
    plan          text NOT NULL,           -- as AWS calls it
    charge        numeric NOT NULL,
    usage_basis   numeric NOT NULL,        -- spend that the charge was computed from
    discount      numeric NOT NULL,        -- zero or negative
    discount_type text NOT NULL,           -- '' if there is none
    estimated     boolean NOT NULL,        -- the month is not final
    seen_at       timestamptz NOT NULL,
    PRIMARY KEY (payer, period, account)
);
-- When AWS was asked; without a row it never was.
CREATE TABLE aws_support_look (
    payer     text NOT NULL,
    period    text NOT NULL,
    looked_at timestamptz NOT NULL,
    good_at   timestamptz,                 -- last time that AWS answered; the charges are from then
    final     boolean NOT NULL,            -- AWS's figures do not change any more: not asked again
    code      text NOT NULL,               -- '' if AWS answered, otherwise why not: 'DENIED', ...
    detail    text NOT NULL,
    PRIMARY KEY (payer, period)
);
