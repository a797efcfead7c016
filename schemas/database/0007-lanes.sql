-- Lanes: those that wait for a person, those that wait for a dependency, and shares that are fair between tenants.
--
-- D5  A held lane keeps its head and everything behind it; only release_lane and skip_lane let it go on.
-- D6  lane.tenant is the head's. Shares are counted by (function, tenant): what is under way counts, so whoever has much due
--     gets no more than who has little.
-- D7  A lane that waits for a dependency also has a due_at: should nobody be left to say that it is back, the lane looks itself.

ALTER TABLE sluice.lane
  ADD COLUMN tenant      text NOT NULL DEFAULT '', -- of the head
  ADD COLUMN waits_for   text,                     -- the dependency whose breaker is open
  ADD COLUMN fingerprint text;                     -- of the failure that holds it

UPDATE sluice.lane l SET tenant = coalesce(
  (SELECT p.tenant FROM sluice.parked p WHERE p.function = l.function AND p.key = l.key ORDER BY p.position LIMIT 1), '');

CREATE INDEX lane_share ON sluice.lane (function, tenant, due_at) WHERE held IS NULL;
CREATE INDEX lane_waits ON sluice.lane (function, waits_for, due_at) WHERE waits_for IS NOT NULL;
DROP INDEX sluice.lane_due;

CREATE OR REPLACE FUNCTION sluice.park(
  p_function text, p_key text, p_source text, p_id text, p_tenant text, p_event json, p_raw bytea,
  p_topic text, p_partition integer, p_log_offset bigint, p_record_key text, p_trace text,
  p_attempts integer, p_delay_ms bigint, p_cause text, p_detail text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  due   timestamptz := sluice.after_ms(p_delay_ms);
  place bigint;
BEGIN
  INSERT INTO sluice.lane AS l (function, key, tenant, tail, due_at) VALUES (p_function, p_key, p_tenant, 1, due)
  ON CONFLICT (function, key) DO UPDATE SET tail = l.tail + 1
  RETURNING tail INTO place;
  INSERT INTO sluice.parked (function, key, position, source, id, tenant, event, raw, topic, partition, log_offset, record_key,
                             trace, attempts, due_at, cause, detail)
  VALUES (p_function, p_key, place, p_source, p_id, p_tenant, p_event, p_raw, p_topic, p_partition, p_log_offset, p_record_key,
          p_trace, p_attempts, due, p_cause, p_detail);
  UPDATE sluice.inbox SET state = 'parked'
  WHERE function = p_function AND source = p_source AND id = p_id AND state <> 'parked';
END $$;

--------------------------------------------------------------------------------------------------------------------------
-- The driver

-- The functions and tenants that have lanes, by one index probe each however many lanes there are.
CREATE FUNCTION sluice.lane_shares() RETURNS TABLE (function text, tenant text) STABLE LANGUAGE sql AS $$
  WITH RECURSIVE known AS (
    (SELECT l.function, l.tenant FROM sluice.lane l WHERE l.held IS NULL ORDER BY l.function, l.tenant LIMIT 1)
    UNION ALL
    SELECT following.function, following.tenant
    FROM known CROSS JOIN LATERAL (
      SELECT l.function, l.tenant FROM sluice.lane l
      WHERE l.held IS NULL AND (l.function, l.tenant) > (known.function, known.tenant)
      ORDER BY l.function, l.tenant LIMIT 1
    ) AS following
  )
  SELECT known.function, known.tenant FROM known
$$;

-- Takes due lanes and offers their heads. Fair twice: whatever is free goes to the function with the least under way, and
-- within a function to the tenant with the least; what has been due longest decides between equals. At most p_per_function of
-- one function. p_busy: what the driver has under way, by function and tenant. A lane whose lease ran out is due.
DROP FUNCTION sluice.take_lanes(text[], integer[], integer, integer, bigint);
CREATE FUNCTION sluice.take_lanes(
  p_busy text[], p_busy_tenants text[], p_busy_counts integer[], p_resting text[],
  p_per_function integer, p_total integer, p_lease_ms bigint
) RETURNS TABLE (function text, key text, tenant text, token uuid, epoch bigint, event text, trace text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  this_moment timestamptz := clock_timestamp();
  tokens      uuid[];
BEGIN
  WITH busy AS (
    SELECT * FROM unnest(p_busy, p_busy_tenants, p_busy_counts) AS b(function, tenant, running)
  ), due AS (
    SELECT s.function, s.tenant, l.key, l.due_at,
           coalesce(busy.running, 0) + row_number() OVER (PARTITION BY s.function, s.tenant ORDER BY l.due_at) AS turn
    FROM sluice.lane_shares() AS s
    LEFT JOIN busy ON busy.function = s.function AND busy.tenant = s.tenant
    CROSS JOIN LATERAL (
      SELECT lane.key, lane.due_at FROM sluice.lane
      WHERE lane.function = s.function AND lane.tenant = s.tenant AND lane.held IS NULL AND lane.due_at <= this_moment
        AND (lane.lease_until IS NULL OR lane.lease_until < this_moment)
      ORDER BY lane.due_at LIMIT least(p_per_function, p_total)
    ) AS l
    WHERE s.function <> ALL (p_resting)
  ), fair AS (
    SELECT due.function, due.key, due.due_at,
           coalesce(under_way.running, 0) + row_number() OVER (PARTITION BY due.function ORDER BY due.turn, due.due_at) AS turn
    FROM due
    LEFT JOIN (SELECT busy.function, sum(busy.running) AS running FROM busy GROUP BY busy.function) AS under_way
      ON under_way.function = due.function
  ), chosen AS (
    -- Locked in the order of choice: what another driver is taking at this moment is passed over. Asked again, because it may
    -- just have been taken.
    SELECT l.function, l.key
    FROM fair JOIN sluice.lane l ON l.function = fair.function AND l.key = fair.key
    WHERE fair.turn <= p_per_function AND l.held IS NULL AND l.due_at <= this_moment
      AND (l.lease_until IS NULL OR l.lease_until < this_moment)
    ORDER BY fair.turn, fair.due_at LIMIT p_total
    FOR UPDATE OF l SKIP LOCKED
  ), taken AS (
    UPDATE sluice.lane l
    SET token = gen_random_uuid(), epoch = l.epoch + 1, lease_until = sluice.after_ms(p_lease_ms), waits_for = NULL
    FROM chosen WHERE l.function = chosen.function AND l.key = chosen.key
    RETURNING l.token
  )
  SELECT array_agg(taken.token) INTO tokens FROM taken;

  -- A statement of its own: the heads as they are now that the lanes are ours.
  RETURN QUERY
  SELECT l.function, l.key, l.tenant, l.token, l.epoch, head.event::text, head.trace
  FROM sluice.lane l
  CROSS JOIN LATERAL (
    SELECT p.event, p.trace FROM sluice.parked p WHERE p.function = l.function AND p.key = l.key ORDER BY p.position LIMIT 1
  ) AS head
  WHERE l.token = ANY (tokens);
END $$;

CREATE OR REPLACE FUNCTION sluice.next_due_ms() RETURNS double precision VOLATILE LANGUAGE plpgsql AS $$
DECLARE
  this_moment timestamptz := clock_timestamp();
BEGIN
  RETURN (
    SELECT extract(epoch FROM min(l.due_at) - this_moment) * 1000
    FROM sluice.lane_shares() AS s
    CROSS JOIN LATERAL (
      SELECT lane.due_at FROM sluice.lane
      WHERE lane.function = s.function AND lane.tenant = s.tenant AND lane.held IS NULL AND lane.due_at > this_moment
      ORDER BY lane.due_at LIMIT 1
    ) AS l
  );
END $$;

DROP FUNCTION sluice.functions_with_lanes();

--------------------------------------------------------------------------------------------------------------------------
-- The end of a run

CREATE OR REPLACE FUNCTION sluice.finish_run(p_function text, p_key text, p_token uuid, p_epoch bigint, p_position bigint, p_state text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  ended record;
  head  record;
BEGIN
  -- FOR UPDATE first: an event that is being parked here is in the lane for the statements below, or comes after the deletion.
  PERFORM FROM sluice.lane WHERE function = p_function AND key = p_key AND token = p_token AND epoch = p_epoch FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM sluice.parked WHERE function = p_function AND key = p_key AND position = p_position
  RETURNING source, id INTO STRICT ended;
  UPDATE sluice.inbox SET state = p_state, at = clock_timestamp()
  WHERE function = p_function AND source = ended.source AND id = ended.id;
  IF p_state = 'done' THEN
    DELETE FROM sluice.step WHERE function = p_function AND source = ended.source AND id = ended.id;
  END IF;
  SELECT due_at, tenant INTO head FROM sluice.parked WHERE function = p_function AND key = p_key ORDER BY position LIMIT 1;
  IF FOUND THEN
    UPDATE sluice.lane SET token = NULL, lease_until = NULL, due_at = head.due_at, tenant = head.tenant
    WHERE function = p_function AND key = p_key;
  ELSE
    DELETE FROM sluice.lane WHERE function = p_function AND key = p_key;
  END IF;
  RETURN true;
END $$;

-- Ends the run of the head without ending the event: it is tried again after the delay, or when what it waits for is back.
-- `p_counts` false gives the attempt back.
DROP FUNCTION sluice.retry_run(text, text, uuid, bigint, bigint, bigint, boolean, text, text);
CREATE FUNCTION sluice.retry_run(
  p_function text, p_key text, p_token uuid, p_epoch bigint, p_position bigint,
  p_delay_ms bigint, p_counts boolean, p_cause text, p_detail text, p_waits_for text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  due timestamptz := sluice.after_ms(p_delay_ms);
BEGIN
  UPDATE sluice.lane SET token = NULL, lease_until = NULL, due_at = due, waits_for = p_waits_for
  WHERE function = p_function AND key = p_key AND token = p_token AND epoch = p_epoch;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE sluice.parked SET due_at = due, cause = p_cause, detail = p_detail, attempts = attempts - CASE WHEN p_counts THEN 0 ELSE 1 END
  WHERE function = p_function AND key = p_key AND position = p_position;
  RETURN true;
END $$;

-- Ends the run of the head by holding the lane for a person. False: the lane is no longer this run's.
CREATE FUNCTION sluice.hold_run(
  p_function text, p_key text, p_token uuid, p_epoch bigint, p_position bigint, p_cause text, p_detail text, p_fingerprint text
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sluice.lane SET token = NULL, lease_until = NULL, held = p_cause, fingerprint = p_fingerprint
  WHERE function = p_function AND key = p_key AND token = p_token AND epoch = p_epoch;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE sluice.parked SET cause = p_cause, detail = p_detail
  WHERE function = p_function AND key = p_key AND position = p_position;
  RETURN true;
END $$;

-- Lets lanes that wait for a dependency go on, those first that have waited longest. Returns how many.
CREATE FUNCTION sluice.end_wait(p_function text, p_waits_for text, p_most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  ended integer;
BEGIN
  WITH waiting AS (
    SELECT l.key FROM sluice.lane l
    WHERE l.function = p_function AND l.waits_for = p_waits_for AND l.token IS NULL AND l.held IS NULL
    ORDER BY l.due_at LIMIT p_most
    FOR UPDATE SKIP LOCKED
  )
  UPDATE sluice.lane l SET due_at = clock_timestamp(), waits_for = NULL
  FROM waiting WHERE l.function = p_function AND l.key = waiting.key;
  GET DIAGNOSTICS ended = ROW_COUNT;
  RETURN ended;
END $$;

--------------------------------------------------------------------------------------------------------------------------
-- By a person

-- The lane for a person who decides about its head, locked until the transaction ends.
--   'ready' · 'none' no such lane, or its head is not this tenant's (NULL: anybody's) · 'running' a run has it
--   'moved' another event is at its head than the one that the person saw (NULL: whichever it is)
CREATE FUNCTION sluice.lock_lane_for_person(p_function text, p_key text, p_tenant text, p_position bigint)
RETURNS TABLE (decision text, head bigint, held text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  lane  sluice.lane;
  place bigint;
BEGIN
  SELECT * INTO lane FROM sluice.lane l WHERE l.function = p_function AND l.key = p_key FOR UPDATE;
  IF NOT FOUND OR lane.tenant <> p_tenant THEN
    RETURN QUERY SELECT 'none', NULL::bigint, NULL::text;
    RETURN;
  END IF;
  SELECT p.position INTO STRICT place FROM sluice.parked p
  WHERE p.function = p_function AND p.key = p_key ORDER BY p.position LIMIT 1;
  RETURN QUERY SELECT
    CASE WHEN lane.lease_until > clock_timestamp() THEN 'running' WHEN place <> p_position THEN 'moved' ELSE 'ready' END,
    place, lane.held;
END $$;

-- The head is tried again now, from attempt 0, as it is. The epoch moves: whoever had the lane writes nothing any more.
CREATE FUNCTION sluice.release_lane(p_function text, p_key text, p_tenant text, p_position bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  seen record;
BEGIN
  SELECT * INTO STRICT seen FROM sluice.lock_lane_for_person(p_function, p_key, p_tenant, p_position);
  IF seen.decision <> 'ready' THEN
    RETURN seen.decision;
  END IF;
  UPDATE sluice.parked SET attempts = 0, due_at = clock_timestamp()
  WHERE function = p_function AND key = p_key AND position = seen.head;
  UPDATE sluice.lane
  SET held = NULL, fingerprint = NULL, waits_for = NULL, token = NULL, lease_until = NULL, epoch = epoch + 1, due_at = clock_timestamp()
  WHERE function = p_function AND key = p_key;
  RETURN 'released';
END $$;

-- Makes the caller the run of a held lane's head, who ends it in the same transaction: finish_run, and a dead letter.
-- 'flowing': nothing holds the lane.
CREATE FUNCTION sluice.take_held_lane(p_function text, p_key text, p_tenant text, p_position bigint, p_lease_ms bigint)
RETURNS TABLE (
  decision text, token uuid, epoch bigint, "position" bigint, attempts integer, source text, id text, tenant text, event text,
  raw bytea, topic text, partition integer, log_offset bigint, record_key text, cause text, detail text, fingerprint text
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  seen  record;
  taken sluice.lane;
BEGIN
  SELECT * INTO STRICT seen FROM sluice.lock_lane_for_person(p_function, p_key, p_tenant, p_position);
  IF seen.decision = 'ready' AND seen.held IS NULL THEN
    seen.decision := 'flowing';
  END IF;
  IF seen.decision <> 'ready' THEN
    decision := seen.decision;
    RETURN NEXT;
    RETURN;
  END IF;
  SELECT * INTO STRICT taken FROM sluice.lane l WHERE l.function = p_function AND l.key = p_key;
  UPDATE sluice.lane l SET token = gen_random_uuid(), epoch = l.epoch + 1, lease_until = sluice.after_ms(p_lease_ms),
    held = NULL, fingerprint = NULL
  WHERE l.function = p_function AND l.key = p_key
  RETURNING l.token, l.epoch INTO token, epoch;
  RETURN QUERY
  SELECT 'ready', token, epoch, p.position, p.attempts, p.source, p.id, p.tenant, p.event::text, p.raw, p.topic, p.partition,
         p.log_offset, p.record_key, p.cause, p.detail, taken.fingerprint
  FROM sluice.parked p WHERE p.function = p_function AND p.key = p_key AND p.position = seen.head;
END $$;
