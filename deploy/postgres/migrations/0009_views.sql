-- What a document earns and what was paid for it (never for customers: P13), frozen with its figures.
ALTER TABLE statement ADD COLUMN margin text; -- JSON as `statement margin` prints it; NULL: corrections, documents of before
DELETE FROM statement_build; -- drafts are made anew, with it

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
    IF OLD.state = 'approved' AND (NEW.document, NEW.subtotal, NEW.total, NEW.runs, NEW.catalog_id, NEW.margin) IS DISTINCT FROM
       (OLD.document, OLD.subtotal, OLD.total, OLD.runs, OLD.catalog_id, OLD.margin) THEN
        RAISE EXCEPTION 'document % is approved: its figures are frozen', OLD.id;
    END IF;
    RETURN NEW;
END $$;
