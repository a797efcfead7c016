-- sluice.redrive of 0006, which now refuses what a function without lanes would be sent again and again ('no_lanes').

CREATE OR REPLACE FUNCTION sluice.redrive(p_dead_letter_id uuid, p_tenant text, p_data_hash bytea, p_run_id uuid, p_by text, p_reason text)
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
  ELSIF letter.origin = 'source' AND NOT EXISTS (SELECT FROM sluice.inbox WHERE function = letter.function AND state <> 'dead') THEN
    -- Only a function without state has dead letters and no event that it took. It has no lanes either: it would be sent the
    -- event again and again.
    RETURN 'no_lanes';
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
