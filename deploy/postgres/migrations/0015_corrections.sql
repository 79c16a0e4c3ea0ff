-- Corrections (statements.md section 4).

-- A void correction that the newest runs still ask for: it is not made again. False as soon as they say another difference.
ALTER TABLE statement ADD COLUMN waived boolean NOT NULL DEFAULT false;
UPDATE statement SET waived = true WHERE state = 'void' AND corrects <> '';
-- Drafts are made anew, by the sums that were told.
INSERT INTO correction_due (lane, period)
    SELECT DISTINCT lane, document::jsonb -> 'corrects' ->> 'period' FROM statement WHERE state = 'draft' AND corrects <> ''
    ON CONFLICT DO NOTHING;

-- What other months leave of the credits for (lane, period): all that earlier ones use, and what is fixed in later ones. What a
-- correction gives back counts once it is issued: until then it can be void, and the same credit would be given twice.
CREATE OR REPLACE FUNCTION curmill_credit_used(for_lane text, for_period text) RETURNS TABLE (credit text, amount numeric) LANGUAGE sql STABLE AS $$
    SELECT u.credit, sum(u.amount) FROM credit_use u JOIN statement s ON s.id = u.statement_id
    WHERE u.lane = for_lane AND s.state <> 'void' AND (u.amount > 0 OR s.state = 'issued')
      AND (u.period < for_period OR (u.period > for_period AND s.state IN ('approved', 'issued')))
    GROUP BY u.credit HAVING sum(u.amount) <> 0
$$;
