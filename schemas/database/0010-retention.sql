-- What has done its work goes (shared/delivery/pruning), and the periodic check of the books reads a bounded part of them
-- (shared/delivery/reconciliation). The indexes are what makes both cheap however large the tables are. None of them has a
-- column that changes while an event or a row lives, except where it moves to another state for good: such updates stay on
-- their page (HOT).
--
-- K1  A row of the inbox goes only when it is `done` and older than any event that is still taken (too_old). What is parked or dead stays.
-- K2  A key of the outbox goes only when all of it is published, none of its rows is left, and it was not used since it was found idle,
--     longer ago than any topic keeps records: then its sequences begin again at 1, and no log has the old ones any more.

CREATE INDEX inbox_done ON sluice.inbox (at) WHERE state = 'done';
CREATE INDEX inbox_open ON sluice.inbox (at) WHERE state <> 'done';
CREATE INDEX parked_at ON sluice.parked (at);
CREATE INDEX outbox_at ON sluice.outbox (at);
CREATE INDEX outbox_copy ON sluice.outbox ((event->>'sluicedeadletter')) WHERE topic LIKE '%.dlq';
CREATE INDEX replay_done ON sluice.replay (at) WHERE action = 'replayed';

ALTER TABLE sluice.outbox_key
  ADD COLUMN idle_since timestamptz, -- found without rows at this time
  ADD COLUMN idle_next  bigint;      -- and with this `next`: as long as it is the same, the key was not used

-- Looks at the keys after the given one, in their order, and removes those that are idle for long. No row: there is none after it.
CREATE FUNCTION sluice.prune_outbox_keys(p_after_topic text, p_after_key text, p_keep_ms bigint, p_most integer)
RETURNS TABLE (topic text, key text, removed integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  gone integer;
BEGIN
  SELECT last.topic, last.key INTO topic, key FROM (
    SELECT k.topic, k.key FROM sluice.outbox_key k WHERE (k.topic, k.key) > (p_after_topic, p_after_key)
    ORDER BY k.topic, k.key LIMIT p_most
  ) AS last ORDER BY last.topic DESC, last.key DESC LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  END IF;

  -- The lock makes this see what an emitter that held the key has left: its `next`, and so its rows.
  WITH looked AS (
    SELECT k.topic, k.key FROM sluice.outbox_key k
    WHERE (k.topic, k.key) > (p_after_topic, p_after_key) AND (k.topic, k.key) <= (prune_outbox_keys.topic, prune_outbox_keys.key)
      AND k.idle_next = k.next AND k.sent + 1 = k.next AND k.token IS NULL AND k.idle_since < sluice.after_ms(-p_keep_ms)
      AND NOT EXISTS (SELECT FROM sluice.outbox o WHERE o.topic = k.topic AND o.key = k.key)
    FOR UPDATE OF k SKIP LOCKED
  )
  DELETE FROM sluice.outbox_key k USING looked WHERE k.topic = looked.topic AND k.key = looked.key;
  GET DIAGNOSTICS gone = ROW_COUNT;

  WITH looked AS (
    SELECT k.topic, k.key FROM sluice.outbox_key k
    WHERE (k.topic, k.key) > (p_after_topic, p_after_key) AND (k.topic, k.key) <= (prune_outbox_keys.topic, prune_outbox_keys.key)
      AND k.idle_next IS DISTINCT FROM k.next AND k.sent + 1 = k.next
      AND NOT EXISTS (SELECT FROM sluice.outbox o WHERE o.topic = k.topic AND o.key = k.key)
    FOR UPDATE OF k SKIP LOCKED
  )
  UPDATE sluice.outbox_key k SET idle_since = clock_timestamp(), idle_next = k.next
  FROM looked WHERE k.topic = looked.topic AND k.key = looked.key;

  removed := gone;
  RETURN NEXT;
END $$;

-- As before; and the journal of the event goes, because nothing will take up after it.
CREATE OR REPLACE FUNCTION sluice.discard(p_dead_letter_id uuid, p_tenant text, p_run_id uuid, p_by text, p_reason text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  letter sluice.dead_letter;
BEGIN
  SELECT * INTO letter FROM sluice.dead_letter
  WHERE dead_letter_id = p_dead_letter_id AND (p_tenant IS NULL OR tenant = p_tenant) FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'not_found';
  ELSIF letter.state <> 'dead' THEN
    RETURN 'already_' || letter.state;
  END IF;
  UPDATE sluice.dead_letter SET state = 'discarded' WHERE dead_letter_id = p_dead_letter_id;
  INSERT INTO sluice.replay (dead_letter_id, run_id, action, by, reason)
  VALUES (p_dead_letter_id, p_run_id, 'discarded', p_by, p_reason);
  -- Not when the event lives: this may be the letter of another one under its id.
  DELETE FROM sluice.step s USING sluice.inbox i
  WHERE s.function = letter.function AND s.source = letter.source AND s.id = letter.id
    AND i.function = s.function AND i.source = s.source AND i.id = s.id AND i.state = 'dead'
    AND NOT EXISTS (SELECT FROM sluice.dead_letter d
      WHERE d.function = s.function AND d.source = s.source AND d.id = s.id AND d.state = 'dead');
  RETURN 'discarded';
END $$;
