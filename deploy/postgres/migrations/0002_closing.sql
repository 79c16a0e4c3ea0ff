-- Closing a month: states of periods, life of documents, numbers, outbox, corrections.

-- --- periods and documents -----------------------------------------------------------------------------------

-- statements.md section 1. No row: open. Changed by one function (common/store/period_store.c), each change audited.
CREATE TABLE billing_period (
    payer      text NOT NULL,
    period     text NOT NULL,
    lane       text NOT NULL,
    state      text NOT NULL CHECK (state IN ('open', 'estimated', 'final', 'settled', 'closed')),
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    reason     text NOT NULL DEFAULT '',
    PRIMARY KEY (payer, period)
);
INSERT INTO billing_period (payer, period, lane, state, changed_at, changed_by)
    SELECT c.payer, c.period, c.lane, CASE WHEN r.lines > 0 AND r.lines = r.final_lines THEN 'final' ELSE 'estimated' END, c.switched_at,
           'migration' FROM current_run c JOIN run r ON r.id = c.run_id;

-- A run that became complete after its period was settled never becomes current: what it changes becomes documents of their own.
ALTER TABLE run DROP CONSTRAINT run_state_check;
ALTER TABLE run ADD CONSTRAINT run_state_check CHECK (state IN ('running', 'current', 'correction', 'superseded', 'failed', 'stopped'));
CREATE TABLE correction_run (
    payer       text NOT NULL,
    period      text NOT NULL,
    lane        text NOT NULL,
    run_id      text NOT NULL REFERENCES run (id),
    switched_at timestamptz NOT NULL,
    PRIMARY KEY (payer, period)
);
-- What is known best: the correction where there is one, else the current run.
CREATE VIEW newest_run AS
    SELECT c.payer, c.period, c.lane, coalesce(x.run_id, c.run_id) AS run_id
    FROM current_run c LEFT JOIN correction_run x ON x.payer = c.payer AND x.period = c.period;
-- (lane, period) whose issued documents are to be compared with the newest runs.
CREATE TABLE correction_due (
    lane   text NOT NULL,
    period text NOT NULL,
    PRIMARY KEY (lane, period)
);

ALTER TABLE statement ADD COLUMN customers text[] NOT NULL DEFAULT '{}'; -- all that the document is about
ALTER TABLE statement ADD COLUMN payers text[] NOT NULL DEFAULT '{}';    -- whose charges are in it
ALTER TABLE statement ADD COLUMN runs text[] NOT NULL DEFAULT '{}';      -- the runs those charges come from
ALTER TABLE statement ADD COLUMN record text;                            -- issued: the exact copy of figures and settings, JSON
ALTER TABLE statement ADD COLUMN approved_by text;
ALTER TABLE statement ADD COLUMN approved_at timestamptz;
ALTER TABLE statement ADD COLUMN issued_by text;
ALTER TABLE statement ADD COLUMN issued_at timestamptz;
ALTER TABLE statement ADD COLUMN corrects text NOT NULL DEFAULT '';      -- adjustment, credit_note: id of the document that is corrected
ALTER TABLE statement ADD COLUMN correction int NOT NULL DEFAULT 0;      -- its how manyth correction, from 1
ALTER TABLE statement ADD CONSTRAINT statement_kind_check CHECK (kind IN ('statement', 'adjustment', 'credit_note'));
ALTER TABLE statement ADD CONSTRAINT statement_issued_check CHECK ((state = 'issued') = (number IS NOT NULL) AND (state = 'issued') = (record IS NOT NULL));
ALTER TABLE statement ADD CONSTRAINT statement_corrects_check CHECK ((kind = 'statement') = (corrects = ''));
UPDATE statement SET customers = ARRAY[customer] WHERE customer <> '';
DELETE FROM statement_build; -- drafts are made anew, with what they rest on
CREATE INDEX statement_customers ON statement USING gin (customers);
CREATE INDEX statement_corrects ON statement (corrects) WHERE corrects <> '';

-- The last wall behind the one function that changes states: an issued document never changes, states change as statements.md section 4 says.
CREATE FUNCTION curmill_statement_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'issued' OR (TG_OP = 'DELETE' AND OLD.state <> 'draft') THEN
        RAISE EXCEPTION 'document % is %: it never changes and is never removed', OLD.id, OLD.state;
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN
       (('draft', 'approved'), ('draft', 'void'), ('approved', 'issued'), ('approved', 'draft')) THEN
        RAISE EXCEPTION 'document % cannot go from % to %', OLD.id, OLD.state, NEW.state;
    END IF;
    IF OLD.state = 'approved' AND (NEW.document, NEW.subtotal, NEW.total, NEW.runs, NEW.catalog_id) IS DISTINCT FROM
       (OLD.document, OLD.subtotal, OLD.total, OLD.runs, OLD.catalog_id) THEN
        RAISE EXCEPTION 'document % is approved: its figures are frozen', OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER statement_guard BEFORE UPDATE OR DELETE ON statement FOR EACH ROW EXECUTE FUNCTION curmill_statement_guard();

-- Numbers without gaps: one series per reseller, lane and year, taken in the transaction that issues (the row is locked until it ends).
CREATE TABLE document_series (
    reseller text NOT NULL,
    lane     text NOT NULL,
    year     int NOT NULL,
    last     int NOT NULL,
    PRIMARY KEY (reseller, lane, year)
);

-- Written in the issuing transaction, published to curmill.<lane>.statement.issued.v1 by invoice-writer, at least once.
CREATE TABLE statement_outbox (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane         text NOT NULL,
    statement_id text NOT NULL REFERENCES statement (id),
    payload      bytea NOT NULL,          -- StatementIssued
    written_at   timestamptz NOT NULL,
    published_at timestamptz
);
CREATE INDEX statement_outbox_waiting ON statement_outbox (lane, id) WHERE published_at IS NULL;

-- The audit trail is for ever.
CREATE FUNCTION curmill_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is never changed';
END $$;
CREATE TRIGGER audit_guard BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION curmill_audit_guard();

-- --- reseller credits ----------------------------------------------------------------------------------------

-- What documents use of a credit (catalog kind Credit), in the credit's currency. A correction has the difference.
CREATE TABLE credit_use (
    statement_id text NOT NULL REFERENCES statement (id) ON DELETE CASCADE,
    credit       text NOT NULL,
    lane         text NOT NULL,
    period       text NOT NULL,           -- whose charges it paid
    amount       numeric NOT NULL,
    PRIMARY KEY (statement_id, credit)
);
CREATE INDEX credit_use_lane ON credit_use (lane, period);
-- What other months leave of the credits for (lane, period): all that earlier ones use, and what is fixed in later ones.
CREATE FUNCTION curmill_credit_used(for_lane text, for_period text) RETURNS TABLE (credit text, amount numeric) LANGUAGE sql STABLE AS $$
    SELECT u.credit, sum(u.amount) FROM credit_use u JOIN statement s ON s.id = u.statement_id
    WHERE u.lane = for_lane AND s.state <> 'void' AND (u.period < for_period OR (u.period > for_period AND s.state IN ('approved', 'issued')))
    GROUP BY u.credit HAVING sum(u.amount) <> 0
$$;
-- Drafts are stale when it changes; empty without credits.
CREATE FUNCTION curmill_credit_basis(for_lane text, for_period text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(string_agg(' ' || credit || ' ' || trim_scale(amount), '' ORDER BY credit), '') FROM curmill_credit_used(for_lane, for_period)
$$;
