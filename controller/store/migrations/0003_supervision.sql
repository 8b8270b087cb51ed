-- The monitor and the review desk: versions of the words and rules, what they found, and what people decided.

-- Each change of words, rules or exceptions is a version of its own; the newest is in force. The body is JSON, deflated:
-- ten thousand words take a sixth, and each small change keeps them all.
CREATE TABLE word_books (
  version BIGINT PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,
  act TEXT NOT NULL,
  note TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body {bytes} NOT NULL
);

-- Whole histories that are searched by a book again; where one stands, so that a restart goes on there.
CREATE TABLE word_scans (
  id {serial_id},
  book_version BIGINT NOT NULL,
  since_ms BIGINT NOT NULL,
  after_message_id BIGINT NOT NULL,
  last_message_id BIGINT NOT NULL,
  looked_at BIGINT NOT NULL,
  found BIGINT NOT NULL,
  state TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  ended_at_ms BIGINT
);

DROP INDEX violations_by_time;
ALTER TABLE violations RENAME TO violations_of_before;
-- Some are about no message: a friend deleted, a chat cleared. Of one thing each rule makes one row, see dedupe_key.
CREATE TABLE violations (
  id {serial_id},
  kind TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  word TEXT NOT NULL,
  category TEXT NOT NULL,
  severity TEXT NOT NULL,
  how TEXT NOT NULL,
  detail TEXT NOT NULL,
  book_version BIGINT NOT NULL,
  message_id BIGINT REFERENCES messages (id),
  conversation_id BIGINT REFERENCES conversations (id),
  phone_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  holder TEXT NOT NULL,
  side TEXT NOT NULL,
  start_index BIGINT NOT NULL,
  end_index BIGINT NOT NULL,
  origin TEXT NOT NULL,
  dedupe_key TEXT NOT NULL UNIQUE,
  repeats BIGINT NOT NULL DEFAULT 0,
  notify BIGINT NOT NULL DEFAULT 0,
  state TEXT NOT NULL,
  assignee TEXT NOT NULL DEFAULT '',
  appeal TEXT NOT NULL DEFAULT '',
  at_ms BIGINT NOT NULL,
  found_at_ms BIGINT NOT NULL,
  changed_at_ms BIGINT NOT NULL
);
INSERT INTO violations (id, kind, rule_id, entry_id, word, category, severity, how, detail, book_version, message_id,
    conversation_id, phone_id, account_id, holder, side, start_index, end_index, origin, dedupe_key, state, at_ms,
    found_at_ms, changed_at_ms)
  /*postgres: OVERRIDING SYSTEM VALUE*/ SELECT v.id, 'word', 'before', '', v.word, '', 'medium', 'plain', '', 0, v.message_id, v.conversation_id, v.phone_id,
    v.account_id, v.holder, m.side, v.start_index, v.end_index, 'live', 'before-' || CAST(v.id AS TEXT), v.state,
    m.read_at_ms, v.found_at_ms, v.found_at_ms
  FROM violations_of_before v JOIN messages m ON m.id = v.message_id;
DROP TABLE violations_of_before;
/*postgres: SELECT setval(pg_get_serial_sequence('violations', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM violations),
  false);*/
CREATE INDEX violations_by_time ON violations (found_at_ms, id);
CREATE INDEX violations_by_state ON violations (state, id);
CREATE INDEX violations_by_chat ON violations (conversation_id, id);
CREATE INDEX violations_by_message ON violations (message_id);
CREATE INDEX violations_by_holder ON violations (holder, id);

-- What people decided: rows are only ever added, the newest says how a violation stands.
CREATE TABLE violation_decisions (
  id {serial_id},
  violation_id BIGINT NOT NULL REFERENCES violations (id),
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,
  act TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  assignee TEXT NOT NULL,
  reason TEXT NOT NULL,
  note TEXT NOT NULL
);
CREATE INDEX violation_decisions_by_violation ON violation_decisions (violation_id, id);

-- Stretches of chats in which nothing was found, drawn at random for a person to read.
CREATE TABLE review_samples (
  id {serial_id},
  draw_id TEXT NOT NULL,
  conversation_id BIGINT NOT NULL REFERENCES conversations (id),
  from_message_id BIGINT NOT NULL,
  to_message_id BIGINT NOT NULL,
  holder TEXT NOT NULL,
  drawn_by TEXT NOT NULL,
  drawn_at_ms BIGINT NOT NULL,
  verdict TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  reviewed_by TEXT NOT NULL DEFAULT '',
  reviewed_at_ms BIGINT
);
CREATE INDEX review_samples_by_draw ON review_samples (draw_id, id);

-- What rules with a rate have counted, by rule and by whom it counts for.
CREATE TABLE rule_marks (
  id {serial_id},
  rule_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  message_id BIGINT
);
CREATE INDEX rule_marks_by_rule ON rule_marks (rule_id, subject, at_ms);

-- Messages of customers that nobody has answered yet, as far as was seen, or so late that somebody has to judge it.
CREATE TABLE waiting_replies (
  message_id BIGINT PRIMARY KEY REFERENCES messages (id),
  conversation_id BIGINT NOT NULL REFERENCES conversations (id),
  phone_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  holder TEXT NOT NULL,
  since_ms BIGINT NOT NULL,
  answered_ms BIGINT NOT NULL,
  judge_ms BIGINT NOT NULL
);
CREATE INDEX waiting_replies_by_chat ON waiting_replies (conversation_id);
CREATE INDEX waiting_replies_by_time ON waiting_replies (judge_ms);

-- What is to be told to whom outside, and what became of it.
CREATE TABLE alerts (
  id {serial_id},
  violation_id BIGINT NOT NULL REFERENCES violations (id),
  target TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  next_at_ms BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  ended_at_ms BIGINT,
  error TEXT NOT NULL DEFAULT '',
  UNIQUE (violation_id, target)
);
CREATE INDEX alerts_by_state ON alerts (state, next_at_ms);
