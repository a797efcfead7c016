-- Key-value and channels on Postgres: what Redis is in a cluster. Everything here may vanish (the tables are emptied by a
-- crash of the server), so nothing here is a source of truth.

CREATE UNLOGGED TABLE sluice.key_value (
  key        text PRIMARY KEY,
  value      bytea NOT NULL,
  expires_at timestamptz NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX key_value_expires_at ON sluice.key_value (expires_at);

-- Bodies too long for a notification, kept for as long as a subscriber may need to fetch them.
CREATE UNLOGGED TABLE sluice.channel_message (
  id   uuid PRIMARY KEY,
  body bytea NOT NULL,
  at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX channel_message_at ON sluice.channel_message (at);
