-- The tables and functions of delivery (shared/delivery). Everything that decides about an event is here, in functions that
-- take their locks and read again afterwards: plpgsql functions are VOLATILE, so each of their statements sees what was
-- committed before it began. Durations are milliseconds; all time is the database's.
--
-- D1  An event that was taken has exactly one inbox row; its state is `done`, `parked` (its lane has it) or `dead` (a dead letter has it).
-- D2  A lane row exists exactly while its key has parked events. Its due_at decides when the head runs: the head's own
--     due_at, or later (its function cannot be reached), or earlier (what the head waits for has come).
-- D3  Whoever writes for a run names the lane's token and epoch. A take and a start both move the epoch, so an offer is
--     accepted once and whoever lost the lane writes nothing.
-- D4  outbox.sequence has no gaps per (topic, key), and its order is commit order: it is allotted under the lock of the
--     outbox_key row, which is held until COMMIT.

CREATE SCHEMA IF NOT EXISTS sluice;

CREATE TABLE sluice.inbox (
  function  text        NOT NULL,
  source    text        NOT NULL,
  id        text        NOT NULL,
  state     text        NOT NULL CHECK (state IN ('done', 'parked', 'dead')),
  data_hash bytea       NOT NULL,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (function, source, id)
) WITH (fillfactor = 80);

CREATE TABLE sluice.lane (
  function    text        NOT NULL,
  key         text        NOT NULL,
  tail        bigint      NOT NULL,            -- the last position allotted
  due_at      timestamptz NOT NULL,
  token       uuid,                            -- of who has the lane now
  epoch       bigint      NOT NULL DEFAULT 0,
  lease_until timestamptz,                     -- set exactly with token
  held        text,                            -- why the lane waits for a person; NULL: it flows
  PRIMARY KEY (function, key),
  CHECK ((token IS NULL) = (lease_until IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX lane_due ON sluice.lane (function, due_at) WHERE held IS NULL;
CREATE UNIQUE INDEX lane_token ON sluice.lane (token) WHERE token IS NOT NULL;

CREATE TABLE sluice.parked (
  function   text        NOT NULL,
  key        text        NOT NULL,
  position   bigint      NOT NULL,
  source     text        NOT NULL,
  id         text        NOT NULL,
  tenant     text        NOT NULL,
  event      json        NOT NULL,             -- json, not jsonb: it is handed on as it came
  raw        bytea       NOT NULL,             -- the body as received, for a dead letter
  topic      text,
  partition  integer,
  log_offset bigint,
  record_key text,
  trace      text,                             -- traceparent
  attempts   integer     NOT NULL DEFAULT 0,   -- runs begun
  due_at     timestamptz NOT NULL,             -- not before
  cause      text,                             -- code of the last failure
  detail     text,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (function, key, position)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX parked_event ON sluice.parked (function, source, id);

-- The journal of steps. Rows go when the event is done; a dead letter keeps them, so that a later run takes up where it ended.
CREATE TABLE sluice.step (
  function text        NOT NULL,
  source   text        NOT NULL,
  id       text        NOT NULL,
  name     text        NOT NULL,
  effect   text        NOT NULL CHECK (effect IN ('read', 'idempotent', 'once', 'transaction')),
  state    text        NOT NULL CHECK (state IN ('started', 'done')),
  result   json,                               -- NULL: the step returned nothing
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (function, source, id, name)
);

CREATE TABLE sluice.outbox (
  topic      text        NOT NULL,
  key        text        NOT NULL,
  sequence   bigint      NOT NULL,
  id         text        NOT NULL,
  tenant     text        NOT NULL,
  event      json        NOT NULL,
  state      text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent')),
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  partition  integer,                          -- where the log has it, once sent
  log_offset bigint,
  sent_at    timestamptz,
  PRIMARY KEY (topic, key, sequence)
) WITH (fillfactor = 80);

CREATE TABLE sluice.outbox_key (
  topic       text   NOT NULL,
  key         text   NOT NULL,
  next        bigint NOT NULL,                 -- the sequence that is allotted next; the first is 1
  sent        bigint NOT NULL DEFAULT 0,       -- every sequence up to this one is in the log
  token       uuid,                            -- of the one publisher of the key
  epoch       bigint NOT NULL DEFAULT 0,
  lease_until timestamptz,                     -- without a token: a pause after a failure
  PRIMARY KEY (topic, key)
) WITH (fillfactor = 50);
CREATE INDEX outbox_key_pending ON sluice.outbox_key (topic, key) WHERE sent + 1 < next;

CREATE TABLE sluice.dead_letter (
  dead_letter_id   uuid        PRIMARY KEY,
  function         text        NOT NULL,
  source           text,                       -- identity in the inbox; NULL when it could not be read
  id               text,
  topic            text,
  partition        integer,
  log_offset       bigint,
  key              text,                       -- of the lane
  tenant           text        NOT NULL,
  cause            text        NOT NULL,       -- an error code
  message          text        NOT NULL,
  fingerprint      text        NOT NULL,       -- equal for failures of the same kind
  attempts         integer     NOT NULL,
  raw              bytea       NOT NULL,       -- the body as received
  headers          json,                       -- as received, when there is no event
  event            json,
  function_version text        NOT NULL,
  config_version   text        NOT NULL,
  trace            text,
  state            text        NOT NULL DEFAULT 'dead' CHECK (state IN ('dead', 'replayed', 'discarded')),
  at               timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX dead_letter_kind ON sluice.dead_letter (function, fingerprint, at);
CREATE INDEX dead_letter_event ON sluice.dead_letter (function, source, id);

CREATE FUNCTION sluice.after_ms(p_ms bigint) RETURNS timestamptz VOLATILE LANGUAGE sql AS
$$ SELECT clock_timestamp() + p_ms * interval '1 millisecond' $$;

-- The key's own lock: one claim or run of a `transaction` function at a time. Two keys that hash alike only wait for each other.
CREATE FUNCTION sluice.lock_lane(p_function text, p_key text) RETURNS void VOLATILE LANGUAGE sql AS
$$ SELECT pg_advisory_xact_lock(hashtextextended(p_function || chr(31) || p_key, 0)) $$;

--------------------------------------------------------------------------------------------------------------------------
-- From the source

-- Decides about an event, in the transaction that will hold its effects: the decision table of ARCHITECTURE.md.
--   'duplicate'  it was taken before, with the same data        'conflict'  it was taken before, with other data
--   'run'        it is the caller's; the lane is empty and locked until the transaction ends
--   'park'       it is the caller's, who parks it in this transaction
-- Every wait is bounded by lock_timeout (55P03): for the lane, and for another transaction that is inserting the same id.
CREATE FUNCTION sluice.claim(p_function text, p_source text, p_id text, p_data_hash bytea, p_key text, p_parks boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  taken_hash bytea;
  parks      boolean;
BEGIN
  -- A repeat is answered without waiting for the lane: its first delivery may be running there for a long time.
  SELECT data_hash INTO taken_hash FROM sluice.inbox WHERE function = p_function AND source = p_source AND id = p_id;
  IF FOUND THEN
    RETURN CASE WHEN taken_hash = p_data_hash THEN 'duplicate' ELSE 'conflict' END;
  END IF;

  PERFORM sluice.lock_lane(p_function, p_key);
  parks := p_parks OR EXISTS (SELECT FROM sluice.lane WHERE function = p_function AND key = p_key);

  INSERT INTO sluice.inbox (function, source, id, state, data_hash)
  VALUES (p_function, p_source, p_id, CASE WHEN parks THEN 'parked' ELSE 'done' END, p_data_hash)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN -- another delivery took it while this one waited
    SELECT data_hash INTO STRICT taken_hash FROM sluice.inbox WHERE function = p_function AND source = p_source AND id = p_id;
    RETURN CASE WHEN taken_hash = p_data_hash THEN 'duplicate' ELSE 'conflict' END;
  END IF;
  RETURN CASE WHEN parks THEN 'park' ELSE 'run' END;
END $$;

-- Puts a claimed event at the end of its lane. Positions are allotted under the lane's row lock, which also keeps a run
-- that settles at this moment from deleting the lane.
CREATE FUNCTION sluice.park(
  p_function text, p_key text, p_source text, p_id text, p_tenant text, p_event json, p_raw bytea,
  p_topic text, p_partition integer, p_log_offset bigint, p_record_key text, p_trace text,
  p_attempts integer, p_delay_ms bigint, p_cause text, p_detail text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  due   timestamptz := sluice.after_ms(p_delay_ms);
  place bigint;
BEGIN
  INSERT INTO sluice.lane AS l (function, key, tail, due_at) VALUES (p_function, p_key, 1, due)
  ON CONFLICT (function, key) DO UPDATE SET tail = l.tail + 1
  RETURNING tail INTO place;
  INSERT INTO sluice.parked (function, key, position, source, id, tenant, event, raw, topic, partition, log_offset, record_key,
                             trace, attempts, due_at, cause, detail)
  VALUES (p_function, p_key, place, p_source, p_id, p_tenant, p_event, p_raw, p_topic, p_partition, p_log_offset, p_record_key,
          p_trace, p_attempts, due, p_cause, p_detail);
  UPDATE sluice.inbox SET state = 'parked'
  WHERE function = p_function AND source = p_source AND id = p_id AND state <> 'parked';
END $$;

-- The whole acceptance of a `steps` function in one round trip.
CREATE FUNCTION sluice.claim_and_park(
  p_function text, p_key text, p_source text, p_id text, p_data_hash bytea, p_tenant text, p_event json, p_raw bytea,
  p_topic text, p_partition integer, p_log_offset bigint, p_record_key text, p_trace text
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  decision text := sluice.claim(p_function, p_source, p_id, p_data_hash, p_key, true);
BEGIN
  IF decision = 'park' THEN
    PERFORM sluice.park(p_function, p_key, p_source, p_id, p_tenant, p_event, p_raw, p_topic, p_partition, p_log_offset,
                        p_record_key, p_trace, 0, 0, NULL, NULL);
  END IF;
  RETURN decision;
END $$;

--------------------------------------------------------------------------------------------------------------------------
-- From the lane

-- The functions that have lanes, by one index probe each however many lanes there are.
CREATE FUNCTION sluice.functions_with_lanes() RETURNS SETOF text STABLE LANGUAGE sql AS $$
  WITH RECURSIVE known AS (
    (SELECT function FROM sluice.lane WHERE held IS NULL ORDER BY function LIMIT 1)
    UNION ALL
    SELECT (SELECT l.function FROM sluice.lane l WHERE l.held IS NULL AND l.function > known.function ORDER BY l.function LIMIT 1)
    FROM known WHERE known.function IS NOT NULL
  )
  SELECT function FROM known WHERE function IS NOT NULL
$$;

-- Takes due lanes and offers their heads. Fair: the first lane of every function before the second of any, and at most
-- p_per_function of one function with those named busy counted in. A lane whose lease ran out is due.
CREATE FUNCTION sluice.take_lanes(p_busy text[], p_busy_counts integer[], p_per_function integer, p_total integer, p_lease_ms bigint)
RETURNS TABLE (function text, key text, token uuid, epoch bigint, event text, trace text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  this_moment timestamptz := clock_timestamp();
  tokens      uuid[];
BEGIN
  WITH candidate AS (
    SELECT f.function, l.key, l.due_at
    FROM sluice.functions_with_lanes() AS f(function)
    LEFT JOIN unnest(p_busy, p_busy_counts) AS busy(function, running) ON busy.function = f.function
    CROSS JOIN LATERAL (
      SELECT lane.key, lane.due_at FROM sluice.lane
      WHERE lane.function = f.function AND lane.held IS NULL AND lane.due_at <= this_moment
        AND (lane.lease_until IS NULL OR lane.lease_until < this_moment)
      ORDER BY lane.due_at
      LIMIT greatest(0, p_per_function - coalesce(busy.running, 0))
      FOR UPDATE SKIP LOCKED
    ) AS l
  ), fair AS (
    SELECT candidate.function, candidate.key FROM candidate
    ORDER BY row_number() OVER (PARTITION BY candidate.function ORDER BY candidate.due_at), candidate.due_at
    LIMIT p_total
  ), taken AS (
    UPDATE sluice.lane l SET token = gen_random_uuid(), epoch = l.epoch + 1, lease_until = sluice.after_ms(p_lease_ms)
    FROM fair WHERE l.function = fair.function AND l.key = fair.key
    RETURNING l.token
  )
  SELECT array_agg(taken.token) INTO tokens FROM taken;

  -- A statement of its own: the heads as they are now that the lanes are ours.
  RETURN QUERY
  SELECT l.function, l.key, l.token, l.epoch, head.event::text, head.trace
  FROM sluice.lane l
  CROSS JOIN LATERAL (
    SELECT p.event, p.trace FROM sluice.parked p WHERE p.function = l.function AND p.key = l.key ORDER BY p.position LIMIT 1
  ) AS head
  WHERE l.token = ANY (tokens);
END $$;

-- Milliseconds until the next lane that is not yet due becomes so; NULL when there is none.
CREATE FUNCTION sluice.next_due_ms() RETURNS double precision VOLATILE LANGUAGE plpgsql AS $$
DECLARE
  this_moment timestamptz := clock_timestamp();
BEGIN
  RETURN (
    SELECT extract(epoch FROM min(l.due_at) - this_moment) * 1000
    FROM sluice.functions_with_lanes() AS f(function)
    CROSS JOIN LATERAL (
      SELECT lane.due_at FROM sluice.lane
      WHERE lane.function = f.function AND lane.held IS NULL AND lane.due_at > this_moment ORDER BY lane.due_at LIMIT 1
    ) AS l
  );
END $$;

-- The driver gives back what it took and nobody accepted: no attempt is counted.
CREATE FUNCTION sluice.give_back_lane(p_function text, p_key text, p_token uuid, p_epoch bigint, p_delay_ms bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sluice.lane SET token = NULL, lease_until = NULL, due_at = greatest(due_at, sluice.after_ms(p_delay_ms))
  WHERE function = p_function AND key = p_key AND token = p_token AND epoch = p_epoch;
  RETURN FOUND;
END $$;

-- Accepts the driver's offer and counts the attempt, so that a crash counts and an unreachable function does not.
-- No row: the offer is stale. `exhausted`: there is no attempt left; none is counted.
CREATE FUNCTION sluice.start_run(p_function text, p_token uuid, p_epoch bigint, p_max_attempts integer, p_lease_ms bigint)
RETURNS TABLE (
  key text, epoch bigint, "position" bigint, attempts integer, exhausted boolean, source text, id text, tenant text, event text,
  raw bytea, topic text, partition integer, log_offset bigint, record_key text, cause text, detail text
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  run_key   text;
  run_epoch bigint;
  place     bigint;
  spent     boolean;
BEGIN
  UPDATE sluice.lane l SET epoch = l.epoch + 1, lease_until = sluice.after_ms(p_lease_ms)
  WHERE l.function = p_function AND l.token = p_token AND l.epoch = p_epoch AND l.lease_until > clock_timestamp()
  RETURNING l.key, l.epoch INTO run_key, run_epoch;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT p.position, p.attempts >= p_max_attempts INTO STRICT place, spent
  FROM sluice.parked p WHERE p.function = p_function AND p.key = run_key ORDER BY p.position LIMIT 1;
  RETURN QUERY
  UPDATE sluice.parked p SET attempts = p.attempts + CASE WHEN spent THEN 0 ELSE 1 END
  WHERE p.function = p_function AND p.key = run_key AND p.position = place
  RETURNING p.key, run_epoch, p.position, p.attempts, spent, p.source, p.id, p.tenant, p.event::text,
            p.raw, p.topic, p.partition, p.log_offset, p.record_key, p.cause, p.detail;
END $$;

-- Is the lane still this run's? Locks it so until the transaction ends; several steps of one run may hold it together.
CREATE FUNCTION sluice.holds_lane(p_function text, p_key text, p_token uuid, p_epoch bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM sluice.lane WHERE function = p_function AND key = p_key AND token = p_token AND epoch = p_epoch FOR SHARE;
  RETURN FOUND;
END $$;

CREATE FUNCTION sluice.renew_lease(p_function text, p_key text, p_token uuid, p_epoch bigint, p_lease_ms bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sluice.lane SET lease_until = sluice.after_ms(p_lease_ms)
  WHERE function = p_function AND key = p_key AND token = p_token AND epoch = p_epoch;
  RETURN FOUND;
END $$;

-- Ends the run of the head: the event is done, or dead (its dead letter is written in the same transaction), and the lane
-- goes on or goes away. False: the lane is no longer this run's and nothing was written.
CREATE FUNCTION sluice.finish_run(p_function text, p_key text, p_token uuid, p_epoch bigint, p_position bigint, p_state text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  ended    record;
  next_due timestamptz;
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
  SELECT due_at INTO next_due FROM sluice.parked WHERE function = p_function AND key = p_key ORDER BY position LIMIT 1;
  IF FOUND THEN
    UPDATE sluice.lane SET token = NULL, lease_until = NULL, due_at = next_due WHERE function = p_function AND key = p_key;
  ELSE
    DELETE FROM sluice.lane WHERE function = p_function AND key = p_key;
  END IF;
  RETURN true;
END $$;

-- Ends the run of the head without ending the event: it is tried again after the delay. `p_counts` false gives the attempt back.
CREATE FUNCTION sluice.retry_run(
  p_function text, p_key text, p_token uuid, p_epoch bigint, p_position bigint,
  p_delay_ms bigint, p_counts boolean, p_cause text, p_detail text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  due timestamptz := sluice.after_ms(p_delay_ms);
BEGIN
  UPDATE sluice.lane SET token = NULL, lease_until = NULL, due_at = due
  WHERE function = p_function AND key = p_key AND token = p_token AND epoch = p_epoch;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE sluice.parked SET due_at = due, cause = p_cause, detail = p_detail, attempts = attempts - CASE WHEN p_counts THEN 0 ELSE 1 END
  WHERE function = p_function AND key = p_key AND position = p_position;
  RETURN true;
END $$;

--------------------------------------------------------------------------------------------------------------------------
-- Steps

-- 'run' the step may run now · 'done' here is its result · 'unknown' a `once` step began and its end was not seen
-- 'other' the name belongs to a step with another effect · 'lost' the lane is no longer this run's
CREATE FUNCTION sluice.start_step(
  p_function text, p_key text, p_token uuid, p_epoch bigint, p_source text, p_id text, p_name text, p_effect text
) RETURNS TABLE (decision text, result text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  known sluice.step;
BEGIN
  IF NOT sluice.holds_lane(p_function, p_key, p_token, p_epoch) THEN
    RETURN QUERY SELECT 'lost', NULL::text;
    RETURN;
  END IF;
  INSERT INTO sluice.step (function, source, id, name, effect, state)
  VALUES (p_function, p_source, p_id, p_name, p_effect, 'started')
  ON CONFLICT DO NOTHING;
  IF FOUND THEN
    RETURN QUERY SELECT 'run', NULL::text;
    RETURN;
  END IF;
  SELECT * INTO STRICT known FROM sluice.step s
  WHERE s.function = p_function AND s.source = p_source AND s.id = p_id AND s.name = p_name;
  RETURN QUERY SELECT
    CASE WHEN known.effect <> p_effect THEN 'other'
         WHEN known.state = 'done' THEN 'done'
         WHEN p_effect = 'once' THEN 'unknown'
         ELSE 'run' END,
    known.result::text;
END $$;

-- A `transaction` step has no start: its end commits with its effects.
-- False: the lane is no longer this run's and nothing was written.
CREATE FUNCTION sluice.finish_step(
  p_function text, p_key text, p_token uuid, p_epoch bigint, p_source text, p_id text, p_name text, p_effect text, p_result json
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT sluice.holds_lane(p_function, p_key, p_token, p_epoch) THEN
    RETURN false;
  END IF;
  INSERT INTO sluice.step (function, source, id, name, effect, state, result)
  VALUES (p_function, p_source, p_id, p_name, p_effect, 'done', p_result)
  ON CONFLICT (function, source, id, name) DO UPDATE SET state = 'done', result = excluded.result, at = clock_timestamp();
  RETURN true;
END $$;

--------------------------------------------------------------------------------------------------------------------------
-- Outbox

-- Stores emitted events with their sequences, in (topic, key) order so that emitters cannot deadlock. The last statement of
-- the transaction: it holds the outbox_key rows until COMMIT.
CREATE FUNCTION sluice.emit(p_topics text[], p_keys text[], p_ids text[], p_tenants text[], p_events text[])
RETURNS void LANGUAGE sql AS $$
  WITH emitted AS (
    SELECT *, row_number() OVER (PARTITION BY topic, key ORDER BY ordinal) AS place, count(*) OVER (PARTITION BY topic, key) AS total
    FROM unnest(p_topics, p_keys, p_ids, p_tenants, p_events) WITH ORDINALITY AS e(topic, key, id, tenant, event, ordinal)
  ), allotted AS (
    INSERT INTO sluice.outbox_key AS k (topic, key, next)
    SELECT topic, key, 1 + count(*) FROM emitted GROUP BY topic, key ORDER BY topic, key
    ON CONFLICT (topic, key) DO UPDATE SET next = k.next + excluded.next - 1
    RETURNING k.topic, k.key, k.next
  )
  INSERT INTO sluice.outbox (topic, key, sequence, id, tenant, event)
  SELECT e.topic, e.key, a.next - e.total + e.place - 1, e.id, e.tenant, e.event::json
  FROM emitted e JOIN allotted a ON a.topic = e.topic AND a.key = e.key
$$;

-- Makes the caller the one publisher of up to p_max_keys keys that have pending rows (of the given keys, or of any when NULL)
-- and returns those rows from the first pending one on, up to about p_key_bytes for each key and at least one.
CREATE FUNCTION sluice.claim_outbox(p_topics text[], p_keys text[], p_max_keys integer, p_key_bytes bigint, p_lease_ms bigint)
RETURNS TABLE (token uuid, topic text, key text, sequence bigint, event text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  this_moment timestamptz := clock_timestamp();
  mine        uuid := gen_random_uuid();
  topics      text[];
  keys        text[];
  sents       bigint[];
BEGIN
  WITH free AS (
    SELECT k.topic, k.key FROM sluice.outbox_key k
    WHERE k.sent + 1 < k.next AND (k.lease_until IS NULL OR k.lease_until < this_moment)
      AND (p_topics IS NULL OR (k.topic, k.key) IN (SELECT * FROM unnest(p_topics, p_keys)))
    ORDER BY k.topic, k.key LIMIT p_max_keys
    FOR UPDATE SKIP LOCKED
  ), claimed AS (
    UPDATE sluice.outbox_key k SET token = mine, epoch = k.epoch + 1, lease_until = sluice.after_ms(p_lease_ms)
    FROM free WHERE k.topic = free.topic AND k.key = free.key
    RETURNING k.topic, k.key, k.sent
  )
  SELECT array_agg(claimed.topic), array_agg(claimed.key), array_agg(claimed.sent) INTO topics, keys, sents FROM claimed;

  -- A statement of its own: with the keys' rows locked, every row below `next` is committed and visible.
  RETURN QUERY
  SELECT mine, o.topic, o.key, o.sequence, o.event::text
  FROM unnest(topics, keys, sents) AS c(topic, key, sent)
  CROSS JOIN LATERAL (
    SELECT b.* FROM (
      SELECT r.*, sum(octet_length(r.event::text)) OVER (ORDER BY r.sequence) - octet_length(r.event::text) AS bytes_before
      FROM (SELECT * FROM sluice.outbox s WHERE s.topic = c.topic AND s.key = c.key AND s.sequence > c.sent ORDER BY s.sequence LIMIT 100) AS r
    ) AS b WHERE b.bytes_before < p_key_bytes
  ) AS o
  ORDER BY o.topic, o.key, o.sequence;
END $$;

-- Ends a claim: rows that reached the log are marked with their place in it, the keys are free again – after the delay, when
-- publishing failed. Returns the keys that have more. Keys that another publisher has taken since are left alone.
CREATE FUNCTION sluice.settle_outbox(
  p_token uuid, p_topics text[], p_keys text[], p_delay_ms bigint,
  p_sent_topics text[], p_sent_keys text[], p_sequences bigint[], p_partitions integer[], p_offsets bigint[]
) RETURNS TABLE (topic text, key text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM FROM sluice.outbox_key k
  WHERE k.token = p_token AND (k.topic, k.key) IN (SELECT * FROM unnest(p_topics, p_keys))
  ORDER BY k.topic, k.key FOR UPDATE;

  UPDATE sluice.outbox o SET state = 'sent', partition = s.partition, log_offset = s.log_offset, sent_at = clock_timestamp()
  FROM unnest(p_sent_topics, p_sent_keys, p_sequences, p_partitions, p_offsets) AS s(topic, key, sequence, partition, log_offset)
  JOIN sluice.outbox_key k ON k.topic = s.topic AND k.key = s.key AND k.token = p_token
  WHERE o.topic = s.topic AND o.key = s.key AND o.sequence = s.sequence;

  RETURN QUERY
  WITH settled AS (
    UPDATE sluice.outbox_key k
    SET sent = greatest(k.sent, coalesce(s.last, 0)), token = NULL,
        lease_until = CASE WHEN p_delay_ms > 0 THEN sluice.after_ms(p_delay_ms) END
    FROM unnest(p_topics, p_keys) AS c(topic, key)
    LEFT JOIN (
      SELECT u.topic, u.key, max(u.sequence) AS last FROM unnest(p_sent_topics, p_sent_keys, p_sequences) AS u(topic, key, sequence)
      GROUP BY u.topic, u.key
    ) AS s ON s.topic = c.topic AND s.key = c.key
    WHERE k.topic = c.topic AND k.key = c.key AND k.token = p_token
    RETURNING k.topic, k.key, k.sent, k.next
  )
  SELECT settled.topic, settled.key FROM settled WHERE settled.sent + 1 < settled.next;
END $$;
