-- Replaying dead letters (shared/delivery/replay): the ledger, the way back into a lane, and dry runs.
--
-- R1  A dead letter is replayed or discarded once: its row is locked, its state must be 'dead', and the ledger has one place for it.
-- R2  An event that was done, that waits in a lane, or whose id belongs to another event is never put into a lane.
-- R3  A replayed event goes to the end of its key's lane, under the key's own lock like any other event that is taken in.

ALTER TABLE sluice.dead_letter
  -- 'source': its KafkaSource gave it up and its own sink wrote it to the dead-letter topic
  ADD COLUMN origin text NOT NULL DEFAULT 'delivery' CHECK (origin IN ('delivery', 'source'));
CREATE INDEX dead_letter_page ON sluice.dead_letter (at, dead_letter_id);

-- The ledger. What dies again becomes a dead letter of its own, which may be replayed in its turn.
CREATE TABLE sluice.replay (
  dead_letter_id uuid        PRIMARY KEY REFERENCES sluice.dead_letter,
  run_id         uuid        NOT NULL,         -- of the command that did it
  action         text        NOT NULL CHECK (action IN ('replayed', 'discarded')),
  by             text        NOT NULL,
  reason         text        NOT NULL,
  at             timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX replay_run ON sluice.replay (run_id);

-- Dead → parked. 'parked': it is in its lane. Anything else: why not, and nothing was written.
--   'not_found' · 'already_replayed' · 'already_discarded' · 'no_event' it has no identity
--   'already_done' · 'in_lane' another dead letter of it was replayed · 'id_conflict' the id is another event's
CREATE FUNCTION sluice.redrive(p_dead_letter_id uuid, p_tenant text, p_data_hash bytea, p_run_id uuid, p_by text, p_reason text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  letter sluice.dead_letter;
  taken  sluice.inbox;
BEGIN
  SELECT * INTO letter FROM sluice.dead_letter
  WHERE dead_letter_id = p_dead_letter_id AND (p_tenant IS NULL OR tenant = p_tenant) FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'not_found';
  ELSIF letter.state <> 'dead' THEN
    RETURN 'already_' || letter.state;
  ELSIF letter.event IS NULL OR letter.source IS NULL OR letter.id IS NULL OR letter.key IS NULL THEN
    RETURN 'no_event';
  END IF;

  PERFORM sluice.lock_lane(letter.function, letter.key);
  INSERT INTO sluice.inbox (function, source, id, state, data_hash)
  VALUES (letter.function, letter.source, letter.id, 'dead', p_data_hash)
  ON CONFLICT DO NOTHING;
  SELECT * INTO STRICT taken FROM sluice.inbox
  WHERE function = letter.function AND source = letter.source AND id = letter.id FOR UPDATE;
  IF taken.data_hash <> p_data_hash THEN
    RETURN 'id_conflict';
  ELSIF taken.state = 'done' THEN
    RETURN 'already_done';
  ELSIF taken.state = 'parked' THEN
    RETURN 'in_lane';
  END IF;

  PERFORM sluice.park(letter.function, letter.key, letter.source, letter.id, letter.tenant, letter.event, letter.raw,
                      letter.topic, letter.partition, letter.log_offset, NULL, letter.trace, 0, 0, NULL, NULL);
  UPDATE sluice.dead_letter SET state = 'replayed' WHERE dead_letter_id = p_dead_letter_id;
  INSERT INTO sluice.replay (dead_letter_id, run_id, action, by, reason)
  VALUES (p_dead_letter_id, p_run_id, 'replayed', p_by, p_reason);
  RETURN 'parked';
END $$;

-- Its inbox row stays 'dead': the event counts as taken, and its repeats are absorbed.
CREATE FUNCTION sluice.discard(p_dead_letter_id uuid, p_tenant text, p_run_id uuid, p_by text, p_reason text)
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
  RETURN 'discarded';
END $$;

-- One dry run that was asked for: the token is good once, for this event, for a short time. The function writes its report here.
CREATE TABLE sluice.dry_run (
  token      uuid        PRIMARY KEY,
  function   text        NOT NULL,
  source     text        NOT NULL,
  id         text        NOT NULL,
  expires_at timestamptz NOT NULL,
  taken      boolean     NOT NULL DEFAULT false,
  report     json
);
