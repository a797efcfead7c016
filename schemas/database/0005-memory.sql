-- The memory of the platform: what memory-service holds, its replica, and writes that still have to reach memory-service.
--
-- MEM1  `memory_record` is the truth, one row a key. Every write of a key has a sequence, from 1 without a gap, and a checksum
--       over what it says and the checksum before it: the writes of a key are one chain.
-- MEM2  `memory_replica` is what recall reads: the same chain, applied in order from the log. Exactly one row of a key is its newest.
-- MEM3  `memory_unapplied` has a row for each write that the replica lacks. Writing inserts it, applying removes it, each in its
--       own transaction, so the age of the oldest row is the lag of the replica, whatever it is that stands still.

CREATE TABLE agent.memory_record (
  tenant     text        NOT NULL,
  key        text        NOT NULL,
  sequence   bigint      NOT NULL DEFAULT 1, -- of the last write
  deleted    boolean     NOT NULL DEFAULT false, -- then it has no content, and the chain goes on with the next write
  namespace  text        NOT NULL,
  session_id text,
  content    text        NOT NULL,
  language   text        NOT NULL,
  metadata   jsonb       NOT NULL,
  checksum   bytea       NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, key)
) WITH (fillfactor = 80);

CREATE TABLE agent.memory_replica (
  tenant        text        NOT NULL,
  key           text        NOT NULL,
  sequence      bigint      NOT NULL,
  newest        boolean     NOT NULL DEFAULT true,
  operation     text        NOT NULL CHECK (operation IN ('remember', 'forget')),
  namespace     text        NOT NULL,
  session_id    text,
  content       text        NOT NULL,
  language      text        NOT NULL,
  metadata      jsonb       NOT NULL,
  search        tsvector,                       -- of the newest row only
  checksum      bytea       NOT NULL,
  written_at    timestamptz NOT NULL,
  replicated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, key, sequence)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX memory_replica_newest ON agent.memory_replica (tenant, key) WHERE newest;
CREATE INDEX memory_replica_search ON agent.memory_replica USING gin (search) WHERE newest;
CREATE INDEX memory_replica_recent ON agent.memory_replica (tenant, namespace, written_at DESC) WHERE newest AND operation = 'remember';
CREATE INDEX memory_replica_session ON agent.memory_replica (tenant, session_id) WHERE newest AND operation = 'remember';
CREATE INDEX memory_replica_superseded ON agent.memory_replica (replicated_at) WHERE NOT newest;

CREATE TABLE agent.memory_unapplied (
  tenant     text        NOT NULL,
  key        text        NOT NULL,
  sequence   bigint      NOT NULL,
  written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, key, sequence)
);
CREATE INDEX memory_unapplied_age ON agent.memory_unapplied (written_at);

-- Writes on their way to memory-service. Whoever says something stores it here in its own transaction and tries at once;
-- memory-sync sends what is left.
CREATE TABLE agent.memory_write_outbox (
  write_id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant          text        NOT NULL,
  idempotency_key text        NOT NULL,          -- of the event that said it: the same for every try
  memory_key      text        NOT NULL,
  request         json        NOT NULL,          -- body of POST /v1/memory/remember
  attempts        integer     NOT NULL DEFAULT 0, -- tries that memory-service answered
  due_at          timestamptz NOT NULL,
  token           uuid,                          -- of who sends it now
  lease_until     timestamptz,
  cause           text,                          -- code of the last failure
  at              timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant, idempotency_key),
  CHECK ((token IS NULL) = (lease_until IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX memory_write_due ON agent.memory_write_outbox (due_at);
CREATE INDEX memory_write_order ON agent.memory_write_outbox (tenant, memory_key, write_id);

--------------------------------------------------------------------------------------------------------------------------
-- Search. Texts arrive as words, lower-cased, since how words are told apart and lower-cased depends on no locale then
-- (shared/memory/words.ts). A word is found by its stem in the language of the record, with and without its accents. No
-- extension is needed.

-- The languages that Postgres has a stemmer and a list of stop words for, the likeliest first.
CREATE FUNCTION agent.memory_languages() RETURNS text[] IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
$$ SELECT ARRAY['en', 'es', 'fr', 'de', 'pt', 'it', 'ru', 'nl', 'sv', 'tr', 'no', 'da', 'fi', 'hu'] $$;

-- 'und' stands for every other language, and for texts too short to tell.
CREATE FUNCTION agent.memory_known_language(p_language text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
$$ SELECT CASE WHEN p_language = ANY (agent.memory_languages()) THEN p_language ELSE 'und' END $$;

-- 'und' gets the English one: it does no harm to words of other languages, and short notes in English are the most frequent.
CREATE FUNCTION agent.memory_stemmer(p_language text) RETURNS regdictionary STABLE PARALLEL SAFE LANGUAGE sql AS $$
  SELECT CASE p_language
    WHEN 'en' THEN 'pg_catalog.english_stem'    WHEN 'es' THEN 'pg_catalog.spanish_stem' WHEN 'fr' THEN 'pg_catalog.french_stem'
    WHEN 'de' THEN 'pg_catalog.german_stem'     WHEN 'pt' THEN 'pg_catalog.portuguese_stem' WHEN 'it' THEN 'pg_catalog.italian_stem'
    WHEN 'ru' THEN 'pg_catalog.russian_stem'    WHEN 'nl' THEN 'pg_catalog.dutch_stem'   WHEN 'sv' THEN 'pg_catalog.swedish_stem'
    WHEN 'tr' THEN 'pg_catalog.turkish_stem'    WHEN 'no' THEN 'pg_catalog.norwegian_stem' WHEN 'da' THEN 'pg_catalog.danish_stem'
    WHEN 'fi' THEN 'pg_catalog.finnish_stem'    WHEN 'hu' THEN 'pg_catalog.hungarian_stem'  ELSE 'pg_catalog.english_stem'
  END::regdictionary
$$;

-- A word without accents: Latin, Greek and Cyrillic marks, points of Hebrew and Arabic, and the letters that have no mark to lose.
CREATE FUNCTION agent.memory_fold(p_word text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
  SELECT normalize(replace(replace(replace(replace(translate(
    regexp_replace(normalize(p_word, NFKD), U&'[\0300-\036F\0591-\05C7\0610-\061A\064B-\065F\0670\06D6-\06ED]', '', 'g'),
    'øłđðıħ', 'oldddih'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'), NFKC)
$$;

CREATE FUNCTION agent.memory_is_stop_word(p_language text, p_word text) RETURNS boolean STABLE PARALLEL SAFE LANGUAGE sql AS
$$ SELECT cardinality(ts_lexize(agent.memory_stemmer(p_language), p_word)) = 0 $$;

-- The language whose stop words the text uses most; 'und' when it uses none.
CREATE FUNCTION agent.memory_language_of(p_words text[]) RETURNS text STABLE PARALLEL SAFE LANGUAGE sql AS $$
  SELECT coalesce((
    SELECT language
    FROM unnest(agent.memory_languages()) WITH ORDINALITY AS known (language, place), unnest(p_words[1:100]) AS word
    WHERE agent.memory_is_stop_word(language, word)
    GROUP BY language, place ORDER BY count(*) DESC, place LIMIT 1
  ), 'und')
$$;

-- What the words are found by. Stemmers know words with their accents, people leave them out: both stems are taken.
CREATE FUNCTION agent.memory_lexemes(p_language text, p_words text[]) RETURNS text[] STABLE PARALLEL SAFE LANGUAGE sql AS $$
  SELECT coalesce(array_agg(DISTINCT lexeme), '{}')
  FROM (SELECT DISTINCT word, agent.memory_stemmer(p_language) AS stemmer FROM unnest(p_words) AS word) AS w
  CROSS JOIN LATERAL (
    SELECT agent.memory_fold(stem) AS lexeme FROM unnest(ts_lexize(w.stemmer, w.word)) AS stem
    UNION ALL
    SELECT stem FROM unnest(ts_lexize(w.stemmer, agent.memory_fold(w.word))) AS stem
    WHERE NOT agent.memory_is_stop_word(p_language, w.word)
  ) AS l
  WHERE l.lexeme <> ''
$$;

-- Stands before every lexeme, so that the index has a list of its own for each tenant and language: a search reads what belongs
-- to its tenant and not what everybody has of a frequent word. Two tenants whose scopes are alike only read more.
CREATE FUNCTION agent.memory_scope(p_tenant text, p_language text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
$$ SELECT left(md5(p_tenant || '/' || p_language), 6) || ':' $$;

CREATE FUNCTION agent.memory_search(p_tenant text, p_language text, p_words text[]) RETURNS tsvector STABLE PARALLEL SAFE LANGUAGE sql AS $$
  SELECT array_to_tsvector(coalesce(array_agg(agent.memory_scope(p_tenant, p_language) || lexeme), '{}'))
  FROM unnest(agent.memory_lexemes(p_language, p_words)) AS lexeme
$$;

-- Any of the words, as the tenant's records of one language have them. NULL when none is left.
CREATE FUNCTION agent.memory_query(p_tenant text, p_language text, p_words text[]) RETURNS tsquery STABLE PARALLEL SAFE LANGUAGE sql AS $$
  SELECT string_agg('''' || agent.memory_scope(p_tenant, p_language) || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery
  FROM unnest(agent.memory_lexemes(p_language, p_words)) AS lexeme
$$;

-- The share of the words of the query that the record has, from 0 to 1. (ts_rank gives each found word 6/π² of its weight.)
CREATE FUNCTION agent.memory_score(p_search tsvector, p_query tsquery) RETURNS double precision IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
$$ SELECT round((ts_rank('{1, 1, 1, 1}', p_search, p_query) * 1.64493406685)::numeric, 4)::double precision $$;
