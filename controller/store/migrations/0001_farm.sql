-- Column types that both databases mean alike: TEXT, BIGINT (numbers, milliseconds UTC, 0 and 1 for no and yes), bytes.

CREATE TABLE farm (
  id BIGINT PRIMARY KEY,
  epoch BIGINT NOT NULL,
  clock_ms BIGINT NOT NULL,
  frozen_until_ms BIGINT NOT NULL
);
INSERT INTO farm (id, epoch, clock_ms, frozen_until_ms) VALUES (1, 1, 0, 0);

CREATE TABLE accounts (
  account_id TEXT PRIMARY KEY,
  mode TEXT NOT NULL,
  resting_since_ms BIGINT,
  resting_cause TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  first_bound_ms BIGINT,
  strikes BIGINT NOT NULL,
  cooldown_until_ms BIGINT,
  probation_until_ms BIGINT,
  frozen_since_ms BIGINT,
  frozen_cause TEXT NOT NULL
);

CREATE TABLE account_strikes (
  id {serial_id},
  account_id TEXT NOT NULL REFERENCES accounts (account_id),
  at_ms BIGINT NOT NULL,
  cause TEXT NOT NULL
);
CREATE INDEX account_strikes_by_time ON account_strikes (account_id, at_ms);

-- NULL leaves the farm's value.
CREATE TABLE quota_overrides (
  account_id TEXT NOT NULL REFERENCES accounts (account_id),
  action TEXT NOT NULL,
  per_day BIGINT,
  per_hour BIGINT,
  spacing_ms BIGINT,
  from_minute BIGINT,
  to_minute BIGINT,
  weekdays TEXT,
  contact_pause_ms BIGINT,
  PRIMARY KEY (account_id, action)
);

-- Only added to.
CREATE TABLE quota_changes (
  id {serial_id},
  at_ms BIGINT NOT NULL,
  account_id TEXT NOT NULL,
  action TEXT NOT NULL,
  field TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL
);
CREATE INDEX quota_changes_by_account ON quota_changes (account_id, id);

CREATE TABLE phones (
  phone_id TEXT PRIMARY KEY,
  serial TEXT NOT NULL UNIQUE,
  slot TEXT NOT NULL,
  host TEXT NOT NULL,
  brand TEXT NOT NULL,
  model TEXT NOT NULL,
  android_version TEXT NOT NULL,
  sdk BIGINT NOT NULL,
  wechat_version TEXT NOT NULL,
  wechat_version_code BIGINT NOT NULL,
  wechat_installer TEXT NOT NULL,
  is_virtual BIGINT NOT NULL,
  state TEXT NOT NULL,
  cause TEXT NOT NULL,
  state_at_ms BIGINT NOT NULL,
  rack TEXT NOT NULL,
  holder TEXT NOT NULL,
  account_id TEXT UNIQUE REFERENCES accounts (account_id),
  account_seen TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  battery_percent BIGINT NOT NULL,
  temperature_decicelsius BIGINT NOT NULL,
  last_seen_ms BIGINT,
  numbered_at_ms BIGINT NOT NULL,
  refused_events BIGINT NOT NULL
);

CREATE TABLE sightings (
  serial TEXT PRIMARY KEY,
  slot TEXT NOT NULL,
  host TEXT NOT NULL,
  brand TEXT NOT NULL,
  model TEXT NOT NULL,
  android_version TEXT NOT NULL,
  sdk BIGINT NOT NULL,
  wechat_version TEXT NOT NULL,
  wechat_version_code BIGINT NOT NULL,
  wechat_installer TEXT NOT NULL,
  is_virtual BIGINT NOT NULL,
  account_seen TEXT NOT NULL,
  first_seen_ms BIGINT NOT NULL,
  last_seen_ms BIGINT NOT NULL
);

CREATE TABLE notices (
  id {serial_id},
  holder TEXT NOT NULL,
  version TEXT NOT NULL,
  how TEXT NOT NULL,
  recorded_by TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);
CREATE INDEX notices_by_holder ON notices (holder, id);

CREATE TABLE audit (
  id {serial_id},
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,
  what TEXT NOT NULL,
  object TEXT NOT NULL,
  reason TEXT NOT NULL
);

CREATE TABLE job_days (
  day TEXT PRIMARY KEY,
  last_number BIGINT NOT NULL
);

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  action TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  source_name TEXT NOT NULL,
  greeting TEXT NOT NULL,
  max_age_days BIGINT NOT NULL,
  state_cause TEXT NOT NULL,
  state_by TEXT NOT NULL,
  judged_from_ms BIGINT NOT NULL
);
-- The same list again is the same job, unless that one was cancelled: then what is left of it may be submitted anew.
CREATE UNIQUE INDEX jobs_by_content ON jobs (content_hash) WHERE state <> 'cancelled';

-- Who makes or repeats tasks takes this one row first, so that all of them see each other's rows.
CREATE TABLE submitting (
  id BIGINT PRIMARY KEY
);
INSERT INTO submitting (id) VALUES (1);

CREATE TABLE job_pool (
  job_id TEXT NOT NULL REFERENCES jobs (id),
  phone_id TEXT NOT NULL REFERENCES phones (phone_id),
  PRIMARY KEY (job_id, phone_id)
);
CREATE INDEX job_pool_by_phone ON job_pool (phone_id);

CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES jobs (id),
  row_no BIGINT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  query TEXT NOT NULL,
  query_kind TEXT NOT NULL,
  remark TEXT NOT NULL,
  basis TEXT NOT NULL,
  basis_at TEXT NOT NULL,
  state TEXT NOT NULL,
  outcome TEXT NOT NULL,
  evidence TEXT NOT NULL,
  cause TEXT NOT NULL,
  attempt BIGINT NOT NULL,
  pinned_phone_id TEXT REFERENCES phones (phone_id),
  phone_id TEXT REFERENCES phones (phone_id),
  account_id TEXT,
  permit_id TEXT,
  phone_epoch BIGINT NOT NULL,
  lease_until_ms BIGINT,
  not_before_ms BIGINT NOT NULL,
  ended_at_ms BIGINT,
  created_at_ms BIGINT NOT NULL,
  spool_id TEXT NOT NULL,
  not_sent BIGINT NOT NULL,
  returned BIGINT NOT NULL,
  pinned_account_id TEXT,
  peer_name TEXT NOT NULL,
  tags TEXT NOT NULL,
  object_key TEXT NOT NULL,
  alias TEXT NOT NULL
);
-- Nobody is added twice: one live, done or unknown task for each action and person over the whole fleet. Who is a
-- friend of one account, has its request or refused it is not asked by another one either.
CREATE UNIQUE INDEX tasks_once ON tasks (action, target)
  WHERE action = 'friend_add' AND (state IN ('queued', 'held', 'leased', 'armed', 'done', 'unknown')
    OR (state = 'not_done' AND outcome IN ('already_requested', 'already_friend', 'blocked_by_peer')));
-- What is said to a new friend is said once, whatever came of it. Other things may be done again, by another job.
CREATE UNIQUE INDEX tasks_reply_once ON tasks (target) WHERE action = 'first_reply';
CREATE UNIQUE INDEX tasks_once_a_job ON tasks (job_id, target) WHERE action <> 'friend_add' AND action <> 'first_reply';
CREATE INDEX tasks_by_target ON tasks (target);
CREATE INDEX tasks_by_alias ON tasks (alias) WHERE alias <> '';
-- One task at a time in the hands of a phone.
CREATE UNIQUE INDEX tasks_one_live ON tasks (phone_id) WHERE state IN ('leased', 'armed');
CREATE INDEX tasks_by_job ON tasks (job_id, row_no);
CREATE INDEX tasks_queued ON tasks (created_at_ms, job_id, basis_at DESC, row_no) WHERE state = 'queued';
CREATE INDEX tasks_of_pools ON tasks (job_id, action, not_before_ms) WHERE state = 'queued' AND pinned_phone_id IS NULL;
CREATE INDEX tasks_pinned ON tasks (pinned_phone_id) WHERE state = 'queued' AND pinned_phone_id IS NOT NULL;
CREATE INDEX tasks_by_account ON tasks (account_id, state);

-- Contacts of accounts, kept from what tasks came to; the name is the one that the client shows.
CREATE TABLE friends (
  account_id TEXT NOT NULL,
  peer_name TEXT NOT NULL,
  target TEXT NOT NULL,
  since_ms BIGINT NOT NULL,
  how TEXT NOT NULL,
  PRIMARY KEY (account_id, peer_name)
);
CREATE INDEX friends_by_target ON friends (target) WHERE target <> '';
CREATE TABLE friend_tags (
  account_id TEXT NOT NULL,
  peer_name TEXT NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (account_id, peer_name, tag)
);
CREATE INDEX friend_tags_by_tag ON friend_tags (tag);

-- Decisions about contacting persons, only ever added; the newest holds. A digest under the farm's key stands for
-- the person, so that it is kept when everything else of them is forgotten.
CREATE TABLE suppressions (
  id {serial_id},
  digest TEXT NOT NULL,
  act TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,
  source TEXT NOT NULL,
  reason TEXT NOT NULL
);
CREATE INDEX suppressions_by_digest ON suppressions (digest, id);

CREATE TABLE accept_policies (
  account_id TEXT PRIMARY KEY,
  is_on BIGINT NOT NULL,
  from_minute BIGINT NOT NULL,
  to_minute BIGINT NOT NULL,
  weekdays TEXT NOT NULL,
  reply TEXT NOT NULL,
  tags TEXT NOT NULL,
  set_by TEXT NOT NULL,
  set_at_ms BIGINT NOT NULL
);

-- Who asks an account and was not answered yet, as far as screens told; agents report only what changed.
CREATE TABLE open_requests (
  account_id TEXT NOT NULL,
  peer_name TEXT NOT NULL,
  seen_at_ms BIGINT NOT NULL,
  PRIMARY KEY (account_id, peer_name)
);

CREATE TABLE contact_key (
  id BIGINT PRIMARY KEY,
  contact_key TEXT NOT NULL
);
INSERT INTO contact_key (id, contact_key) VALUES (1, '');

CREATE TABLE permits (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (account_id),
  action TEXT NOT NULL,
  task_id TEXT NOT NULL REFERENCES tasks (id),
  attempt BIGINT NOT NULL,
  phone_id TEXT NOT NULL REFERENCES phones (phone_id),
  taken_at_ms BIGINT NOT NULL,
  last_use_ms BIGINT NOT NULL,
  is_returned BIGINT NOT NULL,
  UNIQUE (task_id, attempt)
);
CREATE INDEX permits_by_use ON permits (account_id, action, last_use_ms) WHERE is_returned = 0;

-- Adds that were seen on a screen. Those that no task of ours made were made by hand and count like permits.
CREATE TABLE observed_adds (
  account_id TEXT NOT NULL REFERENCES accounts (account_id),
  peer_key TEXT NOT NULL,
  kind TEXT NOT NULL,
  action TEXT NOT NULL,
  seen_ms BIGINT NOT NULL,
  counted_ms BIGINT NOT NULL,
  task_id TEXT,
  PRIMARY KEY (account_id, peer_key, kind)
);
CREATE INDEX observed_adds_by_time ON observed_adds (account_id, action, counted_ms) WHERE task_id IS NULL;

CREATE TABLE spools (
  phone_id TEXT NOT NULL REFERENCES phones (phone_id),
  spool_id TEXT NOT NULL,
  high_water BIGINT NOT NULL,
  first_seen_ms BIGINT NOT NULL,
  PRIMARY KEY (phone_id, spool_id)
);

CREATE TABLE events (
  phone_id TEXT NOT NULL,
  spool_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  kind TEXT NOT NULL,
  body {bytes},
  body_hash {bytes} NOT NULL,
  cause TEXT NOT NULL,
  phone_epoch BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  archived_at_ms BIGINT NOT NULL,
  PRIMARY KEY (phone_id, spool_id, seq)
);

CREATE TABLE event_conflicts (
  id {serial_id},
  phone_id TEXT NOT NULL,
  spool_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  body {bytes},
  body_hash {bytes} NOT NULL,
  archived_at_ms BIGINT NOT NULL,
  UNIQUE (phone_id, spool_id, seq, body_hash)
);

CREATE TABLE event_gaps (
  id {serial_id},
  phone_id TEXT NOT NULL,
  spool_id TEXT NOT NULL,
  from_seq BIGINT NOT NULL,
  to_seq BIGINT NOT NULL,
  cause TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  UNIQUE (phone_id, spool_id, from_seq, to_seq, cause)
);

CREATE TABLE conversations (
  id {serial_id},
  account_id TEXT NOT NULL,
  phone_id TEXT NOT NULL REFERENCES phones (phone_id),
  key TEXT NOT NULL,
  title TEXT NOT NULL,
  kind TEXT NOT NULL,
  messages BIGINT NOT NULL,
  last_at_ms BIGINT,
  UNIQUE (account_id, key)
);

-- An agent counts positions within its own outbox; here the outboxes of one chat stand one after another.
CREATE TABLE conversation_spools (
  conversation_id BIGINT NOT NULL REFERENCES conversations (id),
  spool_id TEXT NOT NULL,
  base BIGINT NOT NULL,
  PRIMARY KEY (conversation_id, spool_id)
);

CREATE TABLE messages (
  id {serial_id},
  conversation_id BIGINT NOT NULL REFERENCES conversations (id),
  spool_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  position BIGINT NOT NULL,
  side TEXT NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  time_label TEXT NOT NULL,
  ambiguous BIGINT NOT NULL,
  read_at_ms BIGINT NOT NULL,
  archived_at_ms BIGINT NOT NULL,
  UNIQUE (conversation_id, spool_id, seq)
);
CREATE INDEX messages_by_position ON messages (conversation_id, position, id);

CREATE TABLE gaps (
  id {serial_id},
  conversation_id BIGINT NOT NULL REFERENCES conversations (id),
  before_position BIGINT NOT NULL,
  cause TEXT NOT NULL,
  from_ms BIGINT NOT NULL,
  to_ms BIGINT NOT NULL
);
CREATE INDEX gaps_by_conversation ON gaps (conversation_id, before_position);

CREATE TABLE violations (
  id {serial_id},
  message_id BIGINT NOT NULL REFERENCES messages (id),
  conversation_id BIGINT NOT NULL REFERENCES conversations (id),
  phone_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  holder TEXT NOT NULL,
  word TEXT NOT NULL,
  start_index BIGINT NOT NULL,
  end_index BIGINT NOT NULL,
  list_version TEXT NOT NULL,
  state TEXT NOT NULL,
  found_at_ms BIGINT NOT NULL
);
CREATE INDEX violations_by_time ON violations (found_at_ms, id);

CREATE TABLE warnings (
  id {serial_id},
  phone_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  warning TEXT NOT NULL,
  surface TEXT NOT NULL,
  text TEXT NOT NULL,
  task_id TEXT NOT NULL,
  activity TEXT NOT NULL,
  picture TEXT NOT NULL,
  picture_sha256 TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  archived_at_ms BIGINT NOT NULL
);

-- Screens that an agent could not read; the picture named here stays on the agent's host.
CREATE TABLE blind_screens (
  id {serial_id},
  phone_id TEXT NOT NULL,
  cause TEXT NOT NULL,
  detail TEXT NOT NULL,
  activity TEXT NOT NULL,
  picture TEXT NOT NULL,
  picture_sha256 TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  archived_at_ms BIGINT NOT NULL
);
CREATE INDEX blind_screens_by_phone ON blind_screens (phone_id, id);

-- Ids of one build of the client: read off a phone when an operator asked, for a person to accept or to reject.
CREATE TABLE client_candidates (
  id {serial_id},
  phone_id TEXT NOT NULL REFERENCES phones (phone_id),
  request_id TEXT NOT NULL UNIQUE,
  version_name TEXT NOT NULL,
  version_code BIGINT NOT NULL,
  installer TEXT NOT NULL,
  base TEXT NOT NULL,
  ids TEXT NOT NULL,
  missing TEXT NOT NULL,
  failure TEXT NOT NULL,
  state TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);
CREATE TABLE client_tables (
  version_name TEXT NOT NULL,
  version_code BIGINT NOT NULL,
  installer TEXT NOT NULL,
  candidate_id BIGINT NOT NULL REFERENCES client_candidates (id),
  accepted_by TEXT NOT NULL,
  accepted_at_ms BIGINT NOT NULL,
  PRIMARY KEY (version_name, version_code, installer)
);
