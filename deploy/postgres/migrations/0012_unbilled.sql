-- Money that a month was settled without billing (statements.md section 1). Written by common/store/ledgers/unbilled_store.c.
CREATE TABLE unbilled (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payer               text NOT NULL,
    period              text NOT NULL,
    lane                text NOT NULL,
    account             text NOT NULL,
    reason              text NOT NULL,      -- why its lines are suspended
    currency            text NOT NULL,
    amount              numeric NOT NULL,   -- what AWS charges the payer for them
    lines               bigint NOT NULL,
    acknowledged_at     timestamptz NOT NULL,
    acknowledged_by     text NOT NULL,
    acknowledged_reason text NOT NULL,
    state               text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'billed', 'written_off')),
    closed_at           timestamptz,
    closed_by           text NOT NULL DEFAULT '',
    closed_reason       text NOT NULL DEFAULT '',
    statement_id        text NOT NULL DEFAULT '' -- billed: the document that has it
);
CREATE INDEX unbilled_period ON unbilled (payer, period);

-- What the command line last showed of a document, so that who approves it is told what has changed since.
CREATE TABLE statement_shown (
    statement_id text PRIMARY KEY REFERENCES statement (id) ON DELETE CASCADE,
    currency     text NOT NULL,
    subtotal     numeric NOT NULL,
    total        numeric NOT NULL,
    shown_at     timestamptz NOT NULL
);

-- An approved document whose figures a newer run or catalog gives again stays approved: what it rests on is brought up to date. Its figures are
-- frozen; of its text, only the names of its customers may change; its margin only with what it rests on.
CREATE OR REPLACE FUNCTION curmill_statement_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'issued' OR (TG_OP = 'DELETE' AND OLD.state <> 'draft') THEN
        RAISE EXCEPTION 'document % is %: it never changes and is never removed', OLD.id, OLD.state;
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN
       (('draft', 'approved'), ('draft', 'void'), ('approved', 'issued'), ('approved', 'draft')) THEN
        RAISE EXCEPTION 'document % cannot go from % to %', OLD.id, OLD.state, NEW.state;
    END IF;
    IF OLD.state = 'approved' AND ((NEW.subtotal, NEW.total) IS DISTINCT FROM (OLD.subtotal, OLD.total) OR
       (NEW.document <> OLD.document AND NEW.document::jsonb - 'customers' <> OLD.document::jsonb - 'customers') OR
       (NEW.margin IS DISTINCT FROM OLD.margin AND (NEW.runs, NEW.catalog_id) = (OLD.runs, OLD.catalog_id))) THEN
        RAISE EXCEPTION 'document % is approved: its figures are frozen', OLD.id;
    END IF;
    RETURN NEW;
END $$;
