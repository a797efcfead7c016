-- The same decisions and the same locks as before, again with less work for what nearly every event needs: a lane that nobody
-- holds, and one emitted event.

-- What the lock of a key is taken by; inlined where it is called.
CREATE FUNCTION sluice.lane_lock(p_function text, p_key text) RETURNS bigint IMMUTABLE LANGUAGE sql AS
$$ SELECT hashtextextended(p_function || chr(31) || p_key, 0) $$;

CREATE OR REPLACE FUNCTION sluice.lock_lane(p_function text, p_key text) RETURNS void VOLATILE LANGUAGE sql AS
$$ SELECT pg_advisory_xact_lock(sluice.lane_lock(p_function, p_key)) $$;

CREATE OR REPLACE FUNCTION sluice.claim(p_function text, p_source text, p_id text, p_data_hash bytea, p_key text, p_parks boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  taken_hash bytea;
  taken_as   text;
BEGIN
  IF NOT pg_try_advisory_xact_lock(sluice.lane_lock(p_function, p_key)) THEN
    -- A repeat is answered without waiting for the lane: its first delivery may be running there for a long time.
    SELECT data_hash INTO taken_hash FROM sluice.inbox WHERE function = p_function AND source = p_source AND id = p_id;
    IF FOUND THEN
      RETURN CASE WHEN taken_hash = p_data_hash THEN 'duplicate' ELSE 'conflict' END;
    END IF;
    PERFORM sluice.lock_lane(p_function, p_key);
  END IF;

  -- A statement of its own: it sees what was committed before the lock was had.
  INSERT INTO sluice.inbox (function, source, id, state, data_hash)
  VALUES (p_function, p_source, p_id,
          CASE WHEN p_parks OR EXISTS (SELECT FROM sluice.lane WHERE function = p_function AND key = p_key)
               THEN 'parked' ELSE 'done' END,
          p_data_hash)
  ON CONFLICT DO NOTHING
  RETURNING state INTO taken_as;
  IF NOT FOUND THEN
    SELECT data_hash INTO STRICT taken_hash FROM sluice.inbox WHERE function = p_function AND source = p_source AND id = p_id;
    RETURN CASE WHEN taken_hash = p_data_hash THEN 'duplicate' ELSE 'conflict' END;
  END IF;
  RETURN CASE WHEN taken_as = 'parked' THEN 'park' ELSE 'run' END;
END $$;

-- `emit` of one event, without lists.
CREATE FUNCTION sluice.emit_one(p_topic text, p_key text, p_id text, p_tenant text, p_event json)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  place bigint;
BEGIN
  INSERT INTO sluice.outbox_key AS k (topic, key, next) VALUES (p_topic, p_key, 2)
  ON CONFLICT (topic, key) DO UPDATE SET next = k.next + 1
  RETURNING k.next - 1 INTO place;
  INSERT INTO sluice.outbox (topic, key, sequence, id, tenant, event)
  VALUES (p_topic, p_key, place, p_id, p_tenant, p_event);
END $$;
