-- The tables of a conversation. The tenant is part of every key, so no query can reach another tenant's row by its id alone.
--
-- Who writes what: the gateway creates `session` and a `turn` in state 'accepted', raises interrupts, and keeps
-- `idempotency_key`; every other change of a turn, and all of `session_event`, `turn_round` and `tool_call`, is the
-- conversation-worker's. Whoever writes more than one of these rows locks the `session` row first.

CREATE SCHEMA IF NOT EXISTS agent;

CREATE TABLE agent.tenant (
  tenant       text        PRIMARY KEY CHECK (tenant ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  display_name text        NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now()
);

-- A row of tenant '*' holds for every tenant that has none of its own. There is no base URL here: whoever may edit a profile
-- must not be able to send the platform's model key to another host.
CREATE TABLE agent.model_profile (
  tenant            text             NOT NULL CHECK (tenant = '*' OR tenant ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  profile           text             NOT NULL,
  model             text             NOT NULL,
  temperature       double precision CHECK (temperature BETWEEN 0 AND 2),
  max_output_tokens integer          CHECK (max_output_tokens > 0),
  context_tokens    integer          NOT NULL DEFAULT 16000 CHECK (context_tokens >= 1000),
  max_tool_rounds   integer          NOT NULL DEFAULT 8 CHECK (max_tool_rounds BETWEEN 0 AND 64),
  PRIMARY KEY (tenant, profile)
);

CREATE TABLE agent.persona (
  tenant       text NOT NULL,
  persona_id   text NOT NULL,
  display_name text NOT NULL,
  instructions text NOT NULL,
  profile      text NOT NULL DEFAULT 'default',
  strategy     text NOT NULL DEFAULT 'enqueue' CHECK (strategy IN ('enqueue', 'interrupt', 'reject')),
  PRIMARY KEY (tenant, persona_id)
);

-- What the model is told about a tool. The tool-executor validates against its own schema; a test keeps both equal.
CREATE TABLE agent.tool_catalog (
  tenant      text    NOT NULL CHECK (tenant = '*' OR tenant ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  tool        text    NOT NULL CHECK (tool ~ '^[a-z][a-z0-9_]{0,63}$'),
  enabled     boolean NOT NULL DEFAULT true,
  description text    NOT NULL,
  parameters  jsonb   NOT NULL,
  PRIMARY KEY (tenant, tool)
);

CREATE TABLE agent.session (
  tenant        text        NOT NULL,
  session_id    text        NOT NULL,
  persona_id    text,
  strategy      text        NOT NULL DEFAULT 'enqueue' CHECK (strategy IN ('enqueue', 'interrupt', 'reject')), -- of messages that name none
  metadata      jsonb       NOT NULL DEFAULT '{}',
  paused        boolean     NOT NULL DEFAULT false,
  last_position bigint      NOT NULL DEFAULT 0, -- of session_event: gapless, allotted under this row's lock
  last_ordinal  bigint      NOT NULL DEFAULT 0, -- of turn
  interrupt_seq bigint      NOT NULL DEFAULT 0, -- counts interrupts and cancels
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now(), -- of the last message; not of every event, which would defeat HOT updates
  PRIMARY KEY (tenant, session_id),
  CONSTRAINT session_id_taken UNIQUE (session_id) -- an id that one tenant uses is not available to another
) WITH (fillfactor = 70);
CREATE INDEX session_recent ON agent.session (tenant, updated_at DESC, session_id DESC);

CREATE TABLE agent.session_event (
  tenant     text        NOT NULL,
  session_id text        NOT NULL,
  position   bigint      NOT NULL,
  event_id   text        NOT NULL,
  type       text        NOT NULL,
  turn_id    text        NOT NULL,
  data       json        NOT NULL, -- json and not jsonb: it is only read back, as it was written
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, session_id, position),
  UNIQUE (tenant, session_id, event_id),
  FOREIGN KEY (tenant, session_id) REFERENCES agent.session ON DELETE CASCADE
);

CREATE TABLE agent.turn (
  tenant          text        NOT NULL,
  session_id      text        NOT NULL,
  turn_id         text        NOT NULL,
  ordinal         bigint      NOT NULL, -- order of acceptance in the session
  state           text        NOT NULL CHECK (state IN ('accepted', 'queued', 'thinking', 'awaiting-tools', 'completed', 'failed')),
  persona_id      text,
  opening         jsonb,                -- {eventId, type, data, text} of the event that asked for the turn; from 'queued' or 'thinking' on
  rounds          integer     NOT NULL DEFAULT 0,
  interrupt_seq   bigint,               -- the interrupt that stops this turn
  interrupt_cause text        CHECK (interrupt_cause IN ('interrupted', 'cancelled')),
  answer          text,
  reason          text,
  detail          text,
  accepted_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at      timestamptz,
  deadline_at     timestamptz,
  ended_at        timestamptz,
  swept_at        timestamptz,          -- when the sweeper last asked the worker to look at this turn
  PRIMARY KEY (tenant, session_id, turn_id),
  UNIQUE (tenant, session_id, ordinal),
  FOREIGN KEY (tenant, session_id) REFERENCES agent.session ON DELETE CASCADE
) WITH (fillfactor = 70);
-- At most one turn of a session runs. The state machine promises it; this index makes the promise hold.
CREATE UNIQUE INDEX turn_running ON agent.turn (tenant, session_id) WHERE state IN ('thinking', 'awaiting-tools');
CREATE INDEX turn_open ON agent.turn (tenant, session_id, ordinal) WHERE state IN ('accepted', 'queued', 'thinking', 'awaiting-tools');
CREATE INDEX turn_due ON agent.turn (COALESCE(deadline_at, accepted_at)) WHERE state IN ('accepted', 'queued', 'thinking', 'awaiting-tools');

-- One answer of the model that asked for tools.
CREATE TABLE agent.turn_round (
  tenant        text    NOT NULL,
  session_id    text    NOT NULL,
  turn_id       text    NOT NULL,
  round         integer NOT NULL,
  text          text    NOT NULL,
  input_tokens  integer NOT NULL,
  output_tokens integer NOT NULL,
  PRIMARY KEY (tenant, session_id, turn_id, round),
  FOREIGN KEY (tenant, session_id, turn_id) REFERENCES agent.turn ON DELETE CASCADE
);

CREATE TABLE agent.tool_call (
  tenant        text        NOT NULL,
  session_id    text        NOT NULL,
  turn_id       text        NOT NULL,
  call_id       text        NOT NULL,
  round         integer     NOT NULL,
  number        integer     NOT NULL, -- place in the round
  tool          text        NOT NULL,
  model_call_id text        NOT NULL, -- the id the model gave; it gets the result back under the same one
  arguments     text        NOT NULL, -- JSON as the model wrote it
  status        text        NOT NULL CHECK (status IN ('requested', 'succeeded', 'failed', 'timed_out', 'blocked', 'circuit_open', 'unknown', 'cancelled')),
  result        jsonb,
  error         jsonb,
  late          jsonb,                -- an answer that came after the call was closed; it resumes nothing
  requested_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at   timestamptz,
  PRIMARY KEY (tenant, session_id, turn_id, call_id),
  FOREIGN KEY (tenant, session_id, turn_id) REFERENCES agent.turn ON DELETE CASCADE
);
CREATE INDEX tool_call_open ON agent.tool_call (tenant, session_id, turn_id) WHERE status = 'requested';

-- The answer to a request that carried an Idempotency-Key, written in the transaction of the request's effects.
CREATE TABLE agent.idempotency_key (
  tenant       text        NOT NULL,
  key          text        NOT NULL,
  request_hash bytea       NOT NULL,
  status       smallint    NOT NULL,
  answer       jsonb       NOT NULL,
  at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, key)
);
CREATE INDEX idempotency_key_age ON agent.idempotency_key (at);
