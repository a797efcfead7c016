-- A process that emits and also publishes takes the lease of the key by the statement that stores the event, and publishes after
-- COMMIT from memory: it neither claims nor reads anything back (shared/delivery/outbox).
--
-- P1  A key is leased so only when nothing of it is pending and nobody holds it or lets it rest. What the transaction emits for it
--     is then a run from its first pending row on, as a claim's would be. The lease begins with COMMIT; a rollback leaves none.
-- P2  The answer is the sequence of what is leased. NULL: it waits for a claim, as all does that is stored without a token.

-- P1 of a key, before the next event; inlined where it is called.
CREATE FUNCTION sluice.is_idle(p_next bigint, p_sent bigint, p_lease_until timestamptz, p_moment timestamptz) RETURNS boolean
IMMUTABLE LANGUAGE sql AS
$$ SELECT p_sent + 1 = p_next AND (p_lease_until IS NULL OR p_lease_until < p_moment) $$;

DROP FUNCTION sluice.emit_one(text, text, text, text, json);
DROP FUNCTION sluice.emit(text[], text[], text[], text[], text[]);

CREATE FUNCTION sluice.emit_one(
  p_topic text, p_key text, p_id text, p_tenant text, p_event json, p_token uuid DEFAULT NULL, p_lease_ms bigint DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  this_moment timestamptz := clock_timestamp(); -- the same for all columns of a key
  place       bigint;
  is_leased   boolean;
BEGIN
  INSERT INTO sluice.outbox_key AS k (topic, key, next, token, epoch, lease_until)
  VALUES (p_topic, p_key, 2, p_token, num_nonnulls(p_token), CASE WHEN p_token IS NOT NULL THEN sluice.after_ms(p_lease_ms) END)
  ON CONFLICT (topic, key) DO UPDATE SET next = k.next + 1,
    token = CASE WHEN sluice.is_idle(k.next, k.sent, k.lease_until, this_moment) THEN excluded.token ELSE k.token END,
    epoch = CASE WHEN sluice.is_idle(k.next, k.sent, k.lease_until, this_moment) THEN k.epoch + excluded.epoch ELSE k.epoch END,
    lease_until = CASE WHEN sluice.is_idle(k.next, k.sent, k.lease_until, this_moment) THEN excluded.lease_until ELSE k.lease_until END
  -- By the token alone an earlier lease of the same publisher would look like this one.
  RETURNING k.next - 1, k.token = p_token AND k.sent + 1 = k.next - 1 INTO place, is_leased;
  INSERT INTO sluice.outbox (topic, key, sequence, id, tenant, event)
  VALUES (p_topic, p_key, place, p_id, p_tenant, p_event);
  RETURN CASE WHEN is_leased THEN place END;
END $$;

-- Stores emitted events with their sequences, in (topic, key) order so that emitters cannot deadlock. The last statement of
-- the transaction: it holds the outbox_key rows until COMMIT. Answers in the order of the events.
CREATE FUNCTION sluice.emit(
  p_topics text[], p_keys text[], p_ids text[], p_tenants text[], p_events text[],
  p_token uuid DEFAULT NULL, p_lease_ms bigint DEFAULT NULL
) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
  this_moment timestamptz := clock_timestamp();
BEGIN
  RETURN QUERY
  WITH emitted AS (
    SELECT *, row_number() OVER (PARTITION BY topic, key ORDER BY ordinal) AS place, count(*) OVER (PARTITION BY topic, key) AS total
    FROM unnest(p_topics, p_keys, p_ids, p_tenants, p_events) WITH ORDINALITY AS e(topic, key, id, tenant, event, ordinal)
  ), allotted AS (
    INSERT INTO sluice.outbox_key AS k (topic, key, next, token, epoch, lease_until)
    SELECT e.topic, e.key, 1 + count(*), p_token, num_nonnulls(p_token),
      CASE WHEN p_token IS NOT NULL THEN sluice.after_ms(p_lease_ms) END
    FROM emitted e GROUP BY e.topic, e.key ORDER BY e.topic, e.key
    ON CONFLICT (topic, key) DO UPDATE SET next = k.next + excluded.next - 1,
      token = CASE WHEN sluice.is_idle(k.next, k.sent, k.lease_until, this_moment) THEN excluded.token ELSE k.token END,
      epoch = CASE WHEN sluice.is_idle(k.next, k.sent, k.lease_until, this_moment) THEN k.epoch + excluded.epoch ELSE k.epoch END,
      lease_until = CASE WHEN sluice.is_idle(k.next, k.sent, k.lease_until, this_moment) THEN excluded.lease_until ELSE k.lease_until END
    RETURNING k.topic, k.key, k.next, k.sent, k.token
  ), placed AS (
    SELECT e.*, a.next - e.total + e.place - 1 AS sequence, a.token = p_token AND a.sent + 1 = a.next - e.total AS is_leased
    FROM emitted e JOIN allotted a ON a.topic = e.topic AND a.key = e.key
  ), stored AS (
    INSERT INTO sluice.outbox (topic, key, sequence, id, tenant, event)
    SELECT p.topic, p.key, p.sequence, p.id, p.tenant, p.event::json FROM placed p
  )
  SELECT CASE WHEN p.is_leased THEN p.sequence END FROM placed p ORDER BY p.ordinal;
END $$;

-- Ends a claim or leases of one token: rows that reached the log are marked with their place in it, the keys are free again – after
-- the delay, when publishing failed. Returns the keys that have more. Keys that another publisher has taken since are left alone.
CREATE OR REPLACE FUNCTION sluice.settle_outbox(
  p_token uuid, p_topics text[], p_keys text[], p_delay_ms bigint,
  p_sent_topics text[], p_sent_keys text[], p_sequences bigint[], p_partitions integer[], p_offsets bigint[]
) RETURNS TABLE (topic text, key text) LANGUAGE plpgsql
-- As for claim_outbox.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
  topics text[];
  keys   text[];
BEGIN
  -- In the order of `emit`, so that the two cannot deadlock.
  SELECT array_agg(mine.topic), array_agg(mine.key) INTO topics, keys FROM (
    SELECT k.topic, k.key FROM unnest(p_topics, p_keys) AS c(topic, key)
    JOIN sluice.outbox_key k ON k.topic = c.topic AND k.key = c.key AND k.token = p_token
    ORDER BY k.topic, k.key
    FOR UPDATE OF k
  ) AS mine;

  UPDATE sluice.outbox o SET state = 'sent', partition = s.partition, log_offset = s.log_offset, sent_at = clock_timestamp()
  FROM unnest(p_sent_topics, p_sent_keys, p_sequences, p_partitions, p_offsets) AS s(topic, key, sequence, partition, log_offset)
  WHERE o.topic = s.topic AND o.key = s.key AND o.sequence = s.sequence
    -- Nearly always all keys are still the caller's.
    AND (cardinality(keys) = cardinality(p_keys)
         OR EXISTS (SELECT FROM unnest(topics, keys) AS mine(topic, key) WHERE mine.topic = s.topic AND mine.key = s.key));

  RETURN QUERY
  WITH settled AS (
    UPDATE sluice.outbox_key k
    SET sent = greatest(k.sent, c.last), token = NULL,
        lease_until = CASE WHEN p_delay_ms > 0 THEN sluice.after_ms(p_delay_ms) END
    FROM (
      SELECT a.topic, a.key, max(a.sequence) AS last FROM (
        SELECT mine.topic, mine.key, 0 AS sequence FROM unnest(topics, keys) AS mine(topic, key)
        UNION ALL
        SELECT s.topic, s.key, s.sequence FROM unnest(p_sent_topics, p_sent_keys, p_sequences) AS s(topic, key, sequence)
      ) AS a
      GROUP BY a.topic, a.key
    ) AS c
    WHERE k.topic = c.topic AND k.key = c.key AND k.token = p_token
    RETURNING k.topic, k.key, k.sent, k.next
  )
  SELECT settled.topic, settled.key FROM settled WHERE settled.sent + 1 < settled.next;
END $$;

-- Postgres reads a CHECK anew for each statement that writes the table. Each event writes both; their states are written by the
-- functions of these files, and the periodic check of the books looks at them.
ALTER TABLE sluice.inbox DROP CONSTRAINT inbox_state_check;
ALTER TABLE sluice.outbox DROP CONSTRAINT outbox_state_check;
