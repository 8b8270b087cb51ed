-- Chats in full: what a message is beside its text, what changed of it, and when a phone was watched.

ALTER TABLE messages ADD COLUMN sender TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN shown_from_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN shown_to_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN amount_fen BIGINT NOT NULL DEFAULT -1;
ALTER TABLE messages ADD COLUMN state TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN length_s BIGINT NOT NULL DEFAULT -1;
ALTER TABLE messages ADD COLUMN detail TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN fragment BIGINT NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN media_sha256 TEXT NOT NULL DEFAULT '';

-- A message stays as it was read; what it shows later is a row of its own.
CREATE TABLE message_changes (
  id {serial_id},
  conversation_id BIGINT NOT NULL REFERENCES conversations (id),
  spool_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  position BIGINT NOT NULL,
  what TEXT NOT NULL,
  line TEXT NOT NULL,
  state TEXT NOT NULL,
  text TEXT NOT NULL,
  amount_fen BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  archived_at_ms BIGINT NOT NULL,
  UNIQUE (conversation_id, spool_id, seq)
);
CREATE INDEX message_changes_by_position ON message_changes (conversation_id, position, id);

CREATE TABLE chat_removals (
  id {serial_id},
  conversation_id BIGINT NOT NULL REFERENCES conversations (id),
  phone_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  what TEXT NOT NULL,
  last_position BIGINT NOT NULL,
  from_ms BIGINT NOT NULL,
  to_ms BIGINT NOT NULL,
  archived_at_ms BIGINT NOT NULL
);
CREATE INDEX chat_removals_by_conversation ON chat_removals (conversation_id, id);

-- An outbox goes on in a chat in which another one wrote meanwhile: from this position of it on, it begins there.
CREATE TABLE conversation_turns (
  id {serial_id},
  conversation_id BIGINT NOT NULL REFERENCES conversations (id),
  spool_id TEXT NOT NULL,
  from_position BIGINT NOT NULL,
  base BIGINT NOT NULL
);
CREATE INDEX conversation_turns_by_chat ON conversation_turns (conversation_id, spool_id, id);

CREATE TABLE coverage_spans (
  id {serial_id},
  phone_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  from_ms BIGINT NOT NULL,
  to_ms BIGINT NOT NULL,
  state TEXT NOT NULL,
  cause TEXT NOT NULL
);
CREATE INDEX coverage_spans_by_phone ON coverage_spans (phone_id, from_ms);
CREATE INDEX coverage_spans_by_account ON coverage_spans (account_id, from_ms);
CREATE INDEX gaps_by_time ON gaps (to_ms, id);
CREATE INDEX messages_of_money ON messages (id) WHERE kind IN ('red_packet', 'transfer');

-- Who held a phone, and which account was bound to it, from when on: what was read is judged by those of then.
CREATE TABLE phone_tenures (
  id {serial_id},
  phone_id TEXT NOT NULL,
  holder TEXT NOT NULL,
  account_id TEXT,
  since_ms BIGINT NOT NULL
);
CREATE INDEX phone_tenures_by_phone ON phone_tenures (phone_id, id);
CREATE INDEX phone_tenures_by_account ON phone_tenures (account_id, id);
-- Nobody knows since when; what is not older than the newest tenure needs no look at the others.
INSERT INTO phone_tenures (phone_id, holder, account_id, since_ms) SELECT phone_id, holder, account_id, 0 FROM phones;
ALTER TABLE phones ADD COLUMN held_since_ms BIGINT NOT NULL DEFAULT 0;

-- How the chats of an account may be read, from when on, the newest last: what was read is judged by the rules of
-- then. Minutes are of the week from Monday 00:00, pairs as JSON.
CREATE TABLE capture_rules (
  id {serial_id},
  account_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  capture_windows TEXT NOT NULL,
  sweep_windows TEXT NOT NULL,
  media TEXT NOT NULL,
  first_days BIGINT NOT NULL,
  first_pages BIGINT NOT NULL,
  set_by TEXT NOT NULL,
  set_at_ms BIGINT NOT NULL
);
CREATE INDEX capture_rules_by_account ON capture_rules (account_id, id);

-- Conversations that are private: nothing of them is kept. The title is what a person typed; one that is not private
-- any more keeps its row, without the title, for what was read until then and comes later.
CREATE TABLE excluded_chats (
  id {serial_id},
  account_id TEXT NOT NULL,
  key TEXT NOT NULL,
  title TEXT NOT NULL,
  reason TEXT NOT NULL,
  excluded_by TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  ended_at_ms BIGINT
);
CREATE UNIQUE INDEX excluded_chats_by_key ON excluded_chats (account_id, key) WHERE ended_at_ms IS NULL;
CREATE INDEX excluded_chats_by_account ON excluded_chats (account_id, id);

ALTER TABLE notices ADD COLUMN withdrawn_at_ms BIGINT;

-- Which version of the notice holders must have been told, from when on; before the first one any counted.
CREATE TABLE notice_versions (
  id {serial_id},
  version TEXT NOT NULL,
  since_ms BIGINT NOT NULL
);

-- The search index: for each message its grams and the tokens of its phone, account and chat, see controller.grams.
-- Contentless and without positions: what is found is compared with the text itself. On PostgreSQL each gram stands
-- behind the number of its slice, see controller.store.sql_slices; while autovacuum moves what is pending into the
-- index, nobody else does: a slow one would leave so much that the next to archive waited for longer than allowed.
/*sqlite: CREATE VIRTUAL TABLE message_grams USING fts5(grams, content='', columnsize=0, detail=none,
  tokenize="ascii tokenchars '~'");*/
/*postgres: CREATE TABLE message_grams (
  message_id BIGINT PRIMARY KEY,
  grams tsvector NOT NULL
) WITH (autovacuum_vacuum_cost_delay = 0);
CREATE INDEX message_grams_by_gram ON message_grams USING gin (grams) WITH (gin_pending_list_limit = 1024);*/
