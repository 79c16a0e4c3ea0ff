-- What a person decides about deliveries (statements.md section 6).
-- held: complete, but with fewer than half the lines of the one that counts (DELIVERY_SHRANK): waits for accept or dismiss
-- dismissed: a person said that it is not to count
ALTER TABLE delivery DROP CONSTRAINT delivery_state_check;
ALTER TABLE delivery ADD CONSTRAINT delivery_state_check
    CHECK (state IN ('planned', 'good', 'held', 'failed', 'dismissed', 'superseded'));
ALTER TABLE delivery ADD COLUMN accepted boolean NOT NULL DEFAULT false;  -- counts whatever its size
ALTER TABLE run DROP CONSTRAINT run_state_check;
ALTER TABLE run ADD CONSTRAINT run_state_check
    CHECK (state IN ('running', 'held', 'current', 'correction', 'superseded', 'failed', 'stopped'));
