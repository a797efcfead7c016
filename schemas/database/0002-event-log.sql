-- The event log on Postgres: what Kafka is in a cluster, for one machine and for tests.
--
-- Offsets come from log_partition.next, updated in the transaction that inserts the records: its row lock is held until
-- COMMIT, so records become visible in offset order and without gaps. A database sequence would give neither.

CREATE TABLE sluice.log_topic (
  name       text PRIMARY KEY CHECK (name ~ '^[a-zA-Z0-9._-]{1,249}$'),
  partitions int NOT NULL CHECK (partitions BETWEEN 1 AND 1000),
  compacted  boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- One hot row a partition: room on the page keeps updates HOT, early vacuum keeps the chain short.
CREATE TABLE sluice.log_partition (
  topic     text NOT NULL REFERENCES sluice.log_topic (name),
  partition int NOT NULL,
  next      bigint NOT NULL DEFAULT 0,
  earliest  bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, partition)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- headers: [[name, value], …] in order, names may repeat; a value is null, text, or {"base64": "…"} when it is not UTF-8.
-- timestamp_ms is the appender's clock; appended_at, the database's, decides retention.
CREATE TABLE sluice.log_record (
  topic        text NOT NULL,
  partition    int NOT NULL,
  "offset"     bigint NOT NULL,
  key          bytea,
  headers      json NOT NULL,
  value        bytea,
  timestamp_ms bigint NOT NULL,
  appended_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic, partition, "offset")
);

-- The next offset each consumer group will read.
CREATE TABLE sluice.log_group_offset (
  consumer_group text NOT NULL,
  topic          text NOT NULL,
  partition      int NOT NULL,
  next           bigint NOT NULL CHECK (next >= 0),
  committed_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer_group, topic, partition)
) WITH (fillfactor = 50);
