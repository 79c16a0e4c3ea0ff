-- A document that the broker does not take is put aside, with its error; it is tried again after an hour, and those behind it go out.
ALTER TABLE statement_outbox ADD COLUMN parked_at timestamptz;
ALTER TABLE statement_outbox ADD COLUMN error text NOT NULL DEFAULT '';
