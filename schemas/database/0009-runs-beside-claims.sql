-- Runs of one lane keep apart by a lock of their own, and not by that of claims: an event that comes for an occupied lane is parked
-- at once, however long the run of the lane's head takes. Waiting for it would hold up the whole partition of its source.
--
-- No claim can run its event beside such a run: while the lane exists every claim parks, and a run that ends the lane deletes
-- it in its own transaction (finish_run).

CREATE FUNCTION sluice.lock_lane_run(p_function text, p_key text) RETURNS void VOLATILE LANGUAGE sql AS
$$ SELECT pg_advisory_xact_lock(hashtextextended(p_function || chr(31) || p_key, 1)) $$;
