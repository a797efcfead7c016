-- The same decisions and the same locks as before, with fewer statements for what nearly every event needs: a claim whose lane
-- is empty, one emitted event, and a publisher that knows which keys it wants.

CREATE OR REPLACE FUNCTION sluice.claim(p_function text, p_source text, p_id text, p_data_hash bytea, p_key text, p_parks boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  taken_hash bytea;
  taken_as   text;
BEGIN
  -- A repeat is answered without waiting for the lane: its first delivery may be running there for a long time.
  SELECT data_hash INTO taken_hash FROM sluice.inbox WHERE function = p_function AND source = p_source AND id = p_id;
  IF FOUND THEN
    RETURN CASE WHEN taken_hash = p_data_hash THEN 'duplicate' ELSE 'conflict' END;
  END IF;

  -- A statement of its own: the next one sees what was committed before the lock was had.
  PERFORM sluice.lock_lane(p_function, p_key);
  INSERT INTO sluice.inbox (function, source, id, state, data_hash)
  VALUES (p_function, p_source, p_id,
          CASE WHEN p_parks OR EXISTS (SELECT FROM sluice.lane WHERE function = p_function AND key = p_key)
               THEN 'parked' ELSE 'done' END,
          p_data_hash)
  ON CONFLICT DO NOTHING
  RETURNING state INTO taken_as;
  IF NOT FOUND THEN -- another delivery took it while this one waited
    SELECT data_hash INTO STRICT taken_hash FROM sluice.inbox WHERE function = p_function AND source = p_source AND id = p_id;
    RETURN CASE WHEN taken_hash = p_data_hash THEN 'duplicate' ELSE 'conflict' END;
  END IF;
  RETURN CASE WHEN taken_as = 'parked' THEN 'park' ELSE 'run' END;
END $$;

-- Stores emitted events with their sequences, in (topic, key) order so that emitters cannot deadlock. The last statement of
-- the transaction: it holds the outbox_key rows until COMMIT.
CREATE OR REPLACE FUNCTION sluice.emit(p_topics text[], p_keys text[], p_ids text[], p_tenants text[], p_events text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  place bigint;
BEGIN
  IF cardinality(p_topics) = 1 THEN
    INSERT INTO sluice.outbox_key AS k (topic, key, next) VALUES (p_topics[1], p_keys[1], 2)
    ON CONFLICT (topic, key) DO UPDATE SET next = k.next + 1
    RETURNING k.next - 1 INTO place;
    INSERT INTO sluice.outbox (topic, key, sequence, id, tenant, event)
    VALUES (p_topics[1], p_keys[1], place, p_ids[1], p_tenants[1], p_events[1]::json);
    RETURN;
  END IF;

  WITH emitted AS (
    SELECT *, row_number() OVER (PARTITION BY topic, key ORDER BY ordinal) AS place, count(*) OVER (PARTITION BY topic, key) AS total
    FROM unnest(p_topics, p_keys, p_ids, p_tenants, p_events) WITH ORDINALITY AS e(topic, key, id, tenant, event, ordinal)
  ), allotted AS (
    INSERT INTO sluice.outbox_key AS k (topic, key, next)
    SELECT e.topic, e.key, 1 + count(*) FROM emitted e GROUP BY e.topic, e.key ORDER BY e.topic, e.key
    ON CONFLICT (topic, key) DO UPDATE SET next = k.next + excluded.next - 1
    RETURNING k.topic, k.key, k.next
  )
  INSERT INTO sluice.outbox (topic, key, sequence, id, tenant, event)
  SELECT e.topic, e.key, a.next - e.total + e.place - 1, e.id, e.tenant, e.event::json
  FROM emitted e JOIN allotted a ON a.topic = e.topic AND a.key = e.key;
END $$;

-- Makes the caller the one publisher of up to p_max_keys keys that have pending rows (of the given keys, or of any when NULL)
-- and returns those rows from the first pending one on, up to about p_key_bytes for each key and at least one.
CREATE OR REPLACE FUNCTION sluice.claim_outbox(p_topics text[], p_keys text[], p_max_keys integer, p_key_bytes bigint, p_lease_ms bigint)
RETURNS TABLE (token uuid, topic text, key text, sequence bigint, event text) LANGUAGE plpgsql
-- A claim is a few keys out of all that ever were: each is looked up by its index, by a plan made once. By its own estimate of
-- these arrays the planner would read all of outbox_key, and plan anew each time.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
  this_moment timestamptz := clock_timestamp();
  mine        uuid := gen_random_uuid();
  topics      text[];
  keys        text[];
  sents       bigint[];
BEGIN
  -- Two ways to choose the keys: given ones are looked up one by one, however much else is pending.
  IF p_topics IS NULL THEN
    SELECT array_agg(free.topic), array_agg(free.key) INTO topics, keys FROM (
      SELECT k.topic, k.key FROM sluice.outbox_key k
      WHERE k.sent + 1 < k.next AND (k.lease_until IS NULL OR k.lease_until < this_moment)
      ORDER BY k.topic, k.key LIMIT p_max_keys
      FOR UPDATE SKIP LOCKED
    ) AS free;
  ELSE
    SELECT array_agg(free.topic), array_agg(free.key) INTO topics, keys FROM (
      SELECT k.topic, k.key FROM unnest(p_topics, p_keys) AS wanted(topic, key)
      JOIN sluice.outbox_key k ON k.topic = wanted.topic AND k.key = wanted.key
      WHERE k.sent + 1 < k.next AND (k.lease_until IS NULL OR k.lease_until < this_moment)
      ORDER BY k.topic, k.key LIMIT p_max_keys
      FOR UPDATE OF k SKIP LOCKED
    ) AS free;
  END IF;

  WITH claimed AS (
    UPDATE sluice.outbox_key k SET token = mine, epoch = k.epoch + 1, lease_until = sluice.after_ms(p_lease_ms)
    FROM unnest(topics, keys) AS free(topic, key) WHERE k.topic = free.topic AND k.key = free.key
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

ALTER FUNCTION sluice.settle_outbox(uuid, text[], text[], bigint, text[], text[], bigint[], integer[], bigint[])
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off;
