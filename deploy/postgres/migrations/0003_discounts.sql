-- Provider discounts that the distributor credits in a later month (N12). common/store/discount_store.c writes these tables, nothing else does.

-- A payer's month as earner, as of the run that counts (newest_run).
CREATE TABLE discount_month (
    payer      text NOT NULL,
    period     text NOT NULL,
    lane       text NOT NULL,
    run_id     text NOT NULL REFERENCES run (id),
    due_period text NOT NULL,               -- the first month whose invoice may credit it; '': this payer's model has nothing in arrears
    applied_to text NOT NULL DEFAULT '',    -- the unsettled month that holds what settled ones do not; '': there is none yet
    pending    boolean NOT NULL,            -- not everything stands in settled months
    PRIMARY KEY (payer, period)
);
CREATE INDEX discount_month_pending ON discount_month (payer) WHERE pending;

-- What it earned: the charges of class provider_discount, above zero where the reseller is owed.
CREATE TABLE discount_earned (
    payer text NOT NULL, period text NOT NULL,
    customer text NOT NULL, account text NOT NULL, product text NOT NULL, line_item_type text NOT NULL, currency text NOT NULL,
    lines bigint NOT NULL, example_chunk int NOT NULL, example_row bigint NOT NULL, -- a line of the run, for `explain`
    amount numeric NOT NULL,
    PRIMARY KEY (payer, period, customer, account, product, line_item_type, currency)
);

-- Which month's invoice credits which part of it. Rows of settled months never change; a restatement adds rows in the next month that is not.
CREATE TABLE discount_applied (
    payer text NOT NULL, applied_period text NOT NULL, earned_period text NOT NULL, lane text NOT NULL,
    customer text NOT NULL, account text NOT NULL, product text NOT NULL, line_item_type text NOT NULL, currency text NOT NULL,
    run_id text NOT NULL,                   -- of the earning month, as it was known then
    amount numeric NOT NULL,
    PRIMARY KEY (payer, applied_period, earned_period, customer, account, product, line_item_type, currency)
);
CREATE INDEX discount_applied_earned ON discount_applied (payer, earned_period);
CREATE INDEX discount_applied_lane ON discount_applied (lane, applied_period, customer);

CREATE FUNCTION curmill_is_settled(of_payer text, of_period text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM billing_period WHERE payer = of_payer AND period = of_period AND state IN ('settled', 'closed'))
$$;
CREATE FUNCTION curmill_month_after(p text, months int) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(to_date(p || '-01', 'YYYY-MM-DD') + make_interval(months => months), 'YYYY-MM')
$$;
-- The month that takes up what is due from `due` on: the first that is not settled, '' while it has no run that counts.
CREATE FUNCTION curmill_discount_target(of_payer text, due text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE p text := due;
BEGIN
    WHILE curmill_is_settled(of_payer, p) LOOP p := curmill_month_after(p, 1); END LOOP;
    RETURN CASE WHEN EXISTS (SELECT FROM current_run WHERE payer = of_payer AND period = p) THEN p ELSE '' END;
END $$;

CREATE FUNCTION curmill_discount_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND curmill_is_settled(OLD.payer, OLD.applied_period) THEN
        RAISE EXCEPTION 'discounts applied in % of payer % are settled: they never change', OLD.applied_period, OLD.payer;
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    IF curmill_is_settled(NEW.payer, NEW.applied_period) THEN
        RAISE EXCEPTION 'period % of payer % is settled: no discount is applied in it any more', NEW.applied_period, NEW.payer;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER discount_guard BEFORE INSERT OR UPDATE OR DELETE ON discount_applied FOR EACH ROW EXECUTE FUNCTION curmill_discount_guard();
