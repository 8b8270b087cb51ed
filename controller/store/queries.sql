-- Every statement of the store under its name. Both databases run this text; what stands in /*postgres: ... */ only
-- PostgreSQL sees, what stands in /*sqlite: ... */ only SQLite: it has one writer at a time and needs no row locks.
-- NO KEY: a reference to the row (a second update of a task in one transaction takes one on its job) must not stand
-- against the lock, or two would deadlock. A part is text that several statements share: /*part: its name*/.

-- name: raise_clock
UPDATE farm SET clock_ms = :now_ms WHERE id = 1 AND clock_ms < :now_ms

-- name: clock
SELECT clock_ms FROM farm WHERE id = 1

-- name: farm_epoch
SELECT epoch FROM farm WHERE id = 1

-- name: add_notice
INSERT INTO notices (holder, version, how, recorded_by, at_ms) VALUES (:holder, :version, :how, :recorded_by, :at_ms)

-- name: notices
SELECT holder, version, how, recorded_by, at_ms, withdrawn_at_ms FROM notices
WHERE id IN (SELECT max(id) FROM notices GROUP BY holder) ORDER BY holder

-- name: add_audit
INSERT INTO audit (at_ms, actor, what, object, reason) VALUES (:at_ms, :actor, :what, :object, :reason)

-- name: audit_entries
SELECT id, at_ms, actor, what, object, reason FROM audit WHERE id < :before_id ORDER BY id DESC LIMIT :max_rows

-- name: phone
SELECT * FROM phones WHERE phone_id = :phone_id

-- name: lock_phone
SELECT * FROM phones WHERE phone_id = :phone_id /*postgres: FOR NO KEY UPDATE */

-- name: phone_by_serial
SELECT * FROM phones WHERE serial = :serial

-- name: phones
SELECT * FROM phones ORDER BY length(phone_id), phone_id

-- name: phone_of_account
SELECT phone_id FROM phones WHERE account_id = :account_id

-- name: add_phone
INSERT INTO phones (phone_id, serial, slot, host, brand, model, android_version, sdk, wechat_version,
  wechat_version_code, wechat_installer, is_virtual, state, cause, state_at_ms, rack, holder, account_id, account_seen, epoch,
  battery_percent, temperature_decicelsius, last_seen_ms, numbered_at_ms, refused_events)
VALUES (:phone_id, :serial, :slot, :host, :brand, :model, :android_version, :sdk, :wechat_version,
  :wechat_version_code, :wechat_installer, :is_virtual, :state, :cause, 0, :rack, :holder, :account_id, :account_seen, :epoch,
  :battery_percent, :temperature_decicelsius, :last_seen_ms, :numbered_at_ms, 0)
ON CONFLICT DO NOTHING

-- name: set_facts
UPDATE phones SET slot = :slot, host = :host, brand = :brand, model = :model, android_version = :android_version,
  sdk = :sdk, wechat_version = :wechat_version, wechat_version_code = :wechat_version_code,
  wechat_installer = :wechat_installer, is_virtual = :is_virtual
WHERE phone_id = :phone_id

-- name: raise_epoch
UPDATE phones SET epoch = CASE WHEN epoch < :above THEN :above ELSE epoch END + 1, last_seen_ms = :now_ms, state_at_ms = 0,
  state = CASE WHEN state = 'absent' THEN 'preparing' ELSE state END,
  cause = CASE WHEN state = 'absent' THEN '' ELSE cause END
WHERE phone_id = :phone_id RETURNING epoch

-- name: set_pulse
UPDATE phones SET state = :state, cause = :cause, state_at_ms = :agent_at_ms, last_seen_ms = :now_ms,
  battery_percent = CASE WHEN :battery_percent < 0 THEN battery_percent ELSE :battery_percent END,
  temperature_decicelsius =
    CASE WHEN :temperature_decicelsius = 0 THEN temperature_decicelsius ELSE :temperature_decicelsius END,
  account_seen = CASE WHEN CAST(:account_seen AS TEXT) = '' THEN account_seen ELSE :account_seen END
WHERE phone_id = :phone_id

-- name: set_state
UPDATE phones SET state = :state, cause = :cause, state_at_ms = :at_ms
WHERE phone_id = :phone_id AND state_at_ms <= :at_ms

-- name: set_contact
UPDATE phones SET last_seen_ms = :now_ms WHERE phone_id = :phone_id

-- name: mark_absent
UPDATE phones SET state = 'absent', cause = :cause
WHERE state <> 'absent' AND (last_seen_ms IS NULL OR last_seen_ms < :before_ms) RETURNING phone_id

-- name: assign
UPDATE phones SET holder = :holder, account_id = :account_id, held_since_ms = :since_ms WHERE phone_id = :phone_id

-- name: add_tenure
INSERT INTO phone_tenures (phone_id, holder, account_id, since_ms) VALUES (:phone_id, :holder, :account_id, :since_ms)

-- name: tenures
SELECT holder, account_id, since_ms FROM phone_tenures WHERE phone_id = :phone_id ORDER BY id

-- name: count_refused
UPDATE phones SET refused_events = refused_events + :events WHERE phone_id = :phone_id

-- name: see
INSERT INTO sightings (serial, slot, host, brand, model, android_version, sdk, wechat_version, wechat_version_code,
  wechat_installer, is_virtual, account_seen, first_seen_ms, last_seen_ms)
VALUES (:serial, :slot, :host, :brand, :model, :android_version, :sdk, :wechat_version, :wechat_version_code,
  :wechat_installer, :is_virtual, :account_seen, :now_ms, :now_ms)
ON CONFLICT (serial) DO UPDATE SET slot = excluded.slot, host = excluded.host, brand = excluded.brand,
  model = excluded.model, android_version = excluded.android_version, sdk = excluded.sdk,
  wechat_version = excluded.wechat_version, wechat_version_code = excluded.wechat_version_code, wechat_installer = excluded.wechat_installer,
  is_virtual = excluded.is_virtual, last_seen_ms = excluded.last_seen_ms,
  account_seen = CASE WHEN excluded.account_seen = '' THEN sightings.account_seen ELSE excluded.account_seen END

-- name: sightings
SELECT * FROM sightings ORDER BY first_seen_ms, serial

-- name: sighting
SELECT * FROM sightings WHERE serial = :serial

-- name: forget_sighting
DELETE FROM sightings WHERE serial = :serial

-- name: account
SELECT * FROM accounts WHERE account_id = :account_id

-- name: lock_account
SELECT * FROM accounts WHERE account_id = :account_id /*postgres: FOR NO KEY UPDATE */

-- name: ensure_account
INSERT INTO accounts (account_id, mode, resting_since_ms, resting_cause, time_zone, first_bound_ms, strikes,
  cooldown_until_ms, probation_until_ms, frozen_since_ms, frozen_cause)
VALUES (:account_id, :mode, NULL, '', '', NULL, 0, NULL, NULL, NULL, '')
ON CONFLICT DO NOTHING

-- name: set_mode
UPDATE accounts SET mode = :mode WHERE account_id = :account_id

-- name: rest
UPDATE accounts SET resting_since_ms = :since_ms, resting_cause = :cause
WHERE account_id = :account_id AND resting_since_ms IS NULL

-- name: lift
UPDATE accounts SET resting_since_ms = NULL, resting_cause = ''
WHERE account_id = :account_id AND resting_since_ms IS NOT NULL

-- name: next_job_number
INSERT INTO job_days (day, last_number) VALUES (:day, 1)
ON CONFLICT (day) DO UPDATE SET last_number = job_days.last_number + 1 RETURNING last_number

-- name: add_job
INSERT INTO jobs (id, action, state, created_at_ms, created_by, content_hash, source_name, greeting,
  max_age_days, state_cause, state_by, judged_from_ms)
VALUES (:id, :action, :state, :created_at_ms, :created_by, :content_hash, :source_name, :greeting,
  :max_age_days, :state_cause, :state_by, :judged_from_ms)
ON CONFLICT DO NOTHING

-- name: add_to_pool
INSERT INTO job_pool (job_id, phone_id) VALUES (:job_id, :phone_id)

-- name: job
SELECT * FROM jobs WHERE id = :job_id

-- name: job_by_hash
SELECT * FROM jobs WHERE content_hash = :content_hash AND state <> 'cancelled'

-- name: jobs
SELECT * FROM jobs ORDER BY created_at_ms DESC, id DESC

-- name: pool
SELECT phone_id FROM job_pool WHERE job_id = :job_id ORDER BY length(phone_id), phone_id

-- name: pools
SELECT job_id, phone_id FROM job_pool ORDER BY job_id, length(phone_id), phone_id

-- name: lock_job
SELECT id FROM jobs WHERE id = :job_id /*postgres: FOR NO KEY UPDATE */

-- name: end_job_if_over
UPDATE jobs SET state = 'ended' WHERE id = :job_id
  AND (state = 'running' OR (state = 'paused' AND action NOT IN ('friend_accept', 'first_reply')))
  AND NOT EXISTS (SELECT 1 FROM tasks WHERE job_id = :job_id AND state IN ('queued', 'held', 'leased', 'armed'))

-- name: add_task
INSERT INTO tasks (id, job_id, row_no, action, target, query, query_kind, remark, basis, basis_at, state, outcome,
  evidence, cause, attempt, pinned_phone_id, phone_id, account_id, permit_id, phone_epoch, lease_until_ms,
  not_before_ms, ended_at_ms, created_at_ms, spool_id, not_sent, returned, pinned_account_id, peer_name,
  tags, object_key, alias)
VALUES (:id, :job_id, :row_no, :action, :target, :query, :query_kind, :remark, :basis, :basis_at, :state, :outcome,
  :evidence, :cause, :attempt, :pinned_phone_id, :phone_id, :account_id, :permit_id, :phone_epoch, :lease_until_ms,
  :not_before_ms, :ended_at_ms, :created_at_ms, :spool_id, :not_sent, :returned, :pinned_account_id, :peer_name,
  :tags, :object_key, :alias)
ON CONFLICT DO NOTHING

-- name: task
SELECT * FROM tasks WHERE id = :task_id

-- name: lock_task
SELECT * FROM tasks WHERE id = :task_id /*postgres: FOR NO KEY UPDATE */

-- name: save_task
UPDATE tasks SET state = :state, outcome = :outcome, evidence = :evidence, cause = :cause, attempt = :attempt,
  phone_id = :phone_id, account_id = :account_id, permit_id = :permit_id, phone_epoch = :phone_epoch,
  lease_until_ms = :lease_until_ms, not_before_ms = :not_before_ms, ended_at_ms = :ended_at_ms,
  spool_id = :spool_id, not_sent = :not_sent, returned = :returned, pinned_phone_id = :pinned_phone_id,
  pinned_account_id = :pinned_account_id, peer_name = :peer_name, object_key = :object_key
WHERE id = :id

-- name: tasks
SELECT * FROM tasks WHERE job_id = :job_id ORDER BY row_no, id

-- name: task_counts
SELECT state, outcome, count(*) AS found FROM tasks WHERE job_id = :job_id GROUP BY state, outcome

-- name: live_tasks
SELECT * FROM tasks WHERE phone_id = :phone_id AND state IN ('leased', 'armed') ORDER BY id /*postgres: FOR NO KEY UPDATE */

-- name: next_not_before
SELECT min(earliest) AS found FROM (
  SELECT (SELECT min(t.not_before_ms) FROM tasks t
    WHERE t.job_id = j.id AND t.state = 'queued' AND t.pinned_phone_id IS NULL) AS earliest
  FROM job_pool p JOIN jobs j ON j.id = p.job_id WHERE p.phone_id = :phone_id AND j.state = 'running'
  UNION ALL
  SELECT t.not_before_ms AS earliest FROM tasks t JOIN jobs j ON j.id = t.job_id
  WHERE t.pinned_phone_id = :phone_id AND t.state = 'queued' AND j.state = 'running') AS mine

-- name: next_not_before_of
SELECT min(earliest) AS found FROM (
  SELECT (SELECT min(t.not_before_ms) FROM tasks t WHERE t.job_id = j.id AND t.action = :action
    AND t.state = 'queued' AND t.pinned_phone_id IS NULL) AS earliest
  FROM job_pool p JOIN jobs j ON j.id = p.job_id WHERE p.phone_id = :phone_id AND j.state = 'running'
  UNION ALL
  SELECT t.not_before_ms AS earliest FROM tasks t JOIN jobs j ON j.id = t.job_id
  WHERE t.pinned_phone_id = :phone_id AND t.action = :action AND t.state = 'queued' AND j.state = 'running') AS mine

-- name: oldest
SELECT t.* FROM tasks t JOIN jobs j ON j.id = t.job_id
WHERE t.state = 'queued' AND j.state = 'running' AND t.not_before_ms <= :now_ms AND t.action = :action
  AND (t.pinned_account_id IS NULL OR t.pinned_account_id = :account_id) AND (t.pinned_phone_id = :phone_id
  OR (t.pinned_phone_id IS NULL
    AND EXISTS (SELECT 1 FROM job_pool p WHERE p.job_id = t.job_id AND p.phone_id = :phone_id)))
  AND NOT EXISTS (SELECT 1 FROM permits u JOIN tasks o ON o.id = u.task_id
    WHERE u.account_id = :account_id AND u.action = :action AND u.is_returned = 0
      AND u.last_use_ms > :paused_after_ms AND o.id <> t.id
      AND (o.target = t.target OR (o.query <> '' AND o.query = t.query)))
ORDER BY t.created_at_ms, t.job_id, t.basis_at DESC, t.row_no LIMIT 1

-- name: take_oldest
SELECT t.* FROM tasks t JOIN jobs j ON j.id = t.job_id
WHERE t.state = 'queued' AND j.state = 'running' AND t.not_before_ms <= :now_ms AND t.action = :action
  AND (t.pinned_account_id IS NULL OR t.pinned_account_id = :account_id) AND (t.pinned_phone_id = :phone_id
  OR (t.pinned_phone_id IS NULL
    AND EXISTS (SELECT 1 FROM job_pool p WHERE p.job_id = t.job_id AND p.phone_id = :phone_id)))
  AND NOT EXISTS (SELECT 1 FROM permits u JOIN tasks o ON o.id = u.task_id
    WHERE u.account_id = :account_id AND u.action = :action AND u.is_returned = 0
      AND u.last_use_ms > :paused_after_ms AND o.id <> t.id
      AND (o.target = t.target OR (o.query <> '' AND o.query = t.query)))
ORDER BY t.created_at_ms, t.job_id, t.basis_at DESC, t.row_no LIMIT 1 /*postgres: FOR NO KEY UPDATE OF t SKIP LOCKED */

-- name: contact_free
SELECT min(last_use_ms) AS found FROM (
SELECT (SELECT max(u.last_use_ms) FROM permits u JOIN tasks o ON o.id = u.task_id
    WHERE u.account_id = :account_id AND u.action = :action AND u.is_returned = 0
      AND u.last_use_ms > :paused_after_ms AND o.id <> t.id
      AND (o.target = t.target OR (o.query <> '' AND o.query = t.query))) AS last_use_ms
FROM tasks t JOIN jobs j ON j.id = t.job_id
WHERE t.state = 'queued' AND j.state = 'running' AND t.not_before_ms <= :now_ms AND t.action = :action
  AND (t.pinned_account_id IS NULL OR t.pinned_account_id = :account_id) AND (t.pinned_phone_id = :phone_id
  OR (t.pinned_phone_id IS NULL
    AND EXISTS (SELECT 1 FROM job_pool p WHERE p.job_id = t.job_id AND p.phone_id = :phone_id)))) AS paused

-- name: tasks_without_word
SELECT * FROM tasks WHERE state IN ('leased', 'armed') AND lease_until_ms < :before_ms
ORDER BY id /*postgres: FOR NO KEY UPDATE SKIP LOCKED */

-- name: tasks_of_peer
SELECT * FROM tasks WHERE account_id = :account_id AND state = 'done' AND (peer_name = :title OR remark = :title)
ORDER BY id /*postgres: FOR NO KEY UPDATE */

-- name: lock_submitting
SELECT id FROM submitting WHERE id = 1 /*postgres: FOR NO KEY UPDATE */

-- name: lock_tasks
SELECT * FROM tasks WHERE job_id = :job_id ORDER BY id /*postgres: FOR NO KEY UPDATE */

-- name: set_job_state
UPDATE jobs SET state = :state, state_cause = :cause, state_by = :by, judged_from_ms = :judged_from_ms
WHERE id = :job_id

-- name: jobs_to_judge
SELECT id FROM jobs WHERE state = 'running' AND action = 'friend_add' ORDER BY id

-- name: last_outcomes
SELECT outcome FROM tasks
WHERE job_id = :job_id AND state IN ('done', 'not_done', 'unknown') AND ended_at_ms > :after_ms
ORDER BY ended_at_ms DESC, id DESC LIMIT :max_rows

-- name: answers
SELECT count(*) AS asked, CAST(COALESCE(sum(CASE WHEN t.outcome = 'requested' THEN 0 ELSE 1 END), 0) AS BIGINT) AS accepted
FROM tasks t JOIN phones p ON p.phone_id = t.phone_id
WHERE t.job_id = :job_id AND t.state = 'done' AND t.outcome IN ('requested', 'accepted', 'added')
  AND t.ended_at_ms > :after_ms AND t.ended_at_ms <= :before_ms
  AND EXISTS (SELECT 1 FROM notices n WHERE n.holder = p.holder AND n.at_ms <= t.ended_at_ms)

-- name: contact_key
SELECT contact_key FROM contact_key WHERE id = 1

-- name: make_contact_key
UPDATE contact_key SET contact_key = :key WHERE id = 1 AND contact_key = ''

-- name: against
SELECT 'task' AS kind, id AS found FROM tasks WHERE action = :action
  AND (target IN (:target, :forgotten) OR (alias <> '' AND alias IN (:target, :forgotten)))
  AND (state IN ('queued', 'held', 'leased', 'armed', 'done', 'unknown')
    OR (state = 'not_done' AND outcome IN ('already_requested', 'already_friend', 'blocked_by_peer')))
UNION ALL
SELECT 'act' AS kind, act AS found FROM suppressions
WHERE id = (SELECT max(id) FROM suppressions WHERE digest = :digest)
UNION ALL
SELECT 'friend' AS kind, f.account_id AS found
FROM (SELECT min(account_id) AS account_id FROM friends WHERE target = :target AND target <> '') f
WHERE f.account_id IS NOT NULL

-- name: tasks_of_person
SELECT * FROM tasks
WHERE target IN (:target, :forgotten) OR (alias <> '' AND alias IN (:target, :forgotten))
ORDER BY id /*postgres: FOR NO KEY UPDATE */

-- name: tasks_of_contact
SELECT * FROM tasks WHERE (account_id = :account_id OR pinned_account_id = :account_id)
  AND (peer_name = :peer_name OR remark = :peer_name OR (query_kind = 'name' AND query = :peer_name))
ORDER BY id /*postgres: FOR NO KEY UPDATE */

-- name: blank_task
UPDATE tasks SET target = :target, alias = :alias, query = '', remark = '', basis = '', basis_at = '', peer_name = '', tags = ''
WHERE id = :task_id

-- name: unfinished_accepts
SELECT * FROM tasks WHERE pinned_account_id = :account_id AND state = 'queued'
  AND action IN ('friend_accept', 'first_reply') ORDER BY id /*postgres: FOR NO KEY UPDATE */

-- name: friend
SELECT * FROM friends WHERE account_id = :account_id AND peer_name = :peer_name

-- name: save_friend
INSERT INTO friends (account_id, peer_name, target, since_ms, how)
VALUES (:account_id, :peer_name, :target, :since_ms, :how)
ON CONFLICT (account_id, peer_name) DO UPDATE SET target = excluded.target, since_ms = excluded.since_ms,
  how = excluded.how

-- name: drop_friend
DELETE FROM friends WHERE account_id = :account_id AND peer_name = :peer_name

-- name: drop_friend_tags
DELETE FROM friend_tags WHERE account_id = :account_id AND peer_name = :peer_name

-- name: add_friend_tag
INSERT INTO friend_tags (account_id, peer_name, tag) VALUES (:account_id, :peer_name, :tag) ON CONFLICT DO NOTHING

-- name: friend_tags
SELECT * FROM friend_tags WHERE account_id = :account_id ORDER BY peer_name, tag

-- name: friends_of
SELECT * FROM friends WHERE account_id = :account_id ORDER BY peer_name

-- name: friends_of_target
SELECT * FROM friends WHERE target = :target AND target <> '' ORDER BY account_id, peer_name

-- name: friends_tagged
SELECT f.* FROM friends f JOIN friend_tags t ON t.account_id = f.account_id AND t.peer_name = f.peer_name
WHERE t.tag = :tag ORDER BY f.account_id, f.peer_name

-- name: add_suppression
INSERT INTO suppressions (digest, act, at_ms, actor, source, reason)
VALUES (:digest, :act, :at_ms, :actor, :source, :reason)

-- name: suppressions
SELECT * FROM suppressions WHERE digest = :digest ORDER BY id

-- name: blank_suppressions
UPDATE suppressions SET source = '', reason = '' WHERE digest = :digest

-- name: accept_policy
SELECT * FROM accept_policies WHERE account_id = :account_id

-- name: set_accept_policy
INSERT INTO accept_policies (account_id, is_on, from_minute, to_minute, weekdays, reply, tags, set_by, set_at_ms)
VALUES (:account_id, :is_on, :from_minute, :to_minute, :weekdays, :reply, :tags, :set_by, :set_at_ms)
ON CONFLICT (account_id) DO UPDATE SET is_on = excluded.is_on, from_minute = excluded.from_minute,
  to_minute = excluded.to_minute, weekdays = excluded.weekdays, reply = excluded.reply, tags = excluded.tags,
  set_by = excluded.set_by, set_at_ms = excluded.set_at_ms

-- name: keep_request
INSERT INTO open_requests (account_id, peer_name, seen_at_ms) VALUES (:account_id, :peer_name, :seen_at_ms)
ON CONFLICT (account_id, peer_name) DO UPDATE SET seen_at_ms = excluded.seen_at_ms

-- name: drop_request
DELETE FROM open_requests WHERE account_id = :account_id AND peer_name = :peer_name

-- name: open_requests
SELECT peer_name FROM open_requests WHERE account_id = :account_id ORDER BY seen_at_ms, peer_name

-- name: add_permit
INSERT INTO permits (id, account_id, action, task_id, attempt, phone_id, taken_at_ms, last_use_ms, is_returned)
VALUES (:id, :account_id, :action, :task_id, :attempt, :phone_id, :taken_at_ms, :last_use_ms, 0)

-- name: permit_of
SELECT * FROM permits WHERE task_id = :task_id AND attempt = :attempt

-- name: permit_uses
SELECT last_use_ms AS used_ms FROM permits
WHERE account_id = :account_id AND action = :action AND is_returned = 0 AND last_use_ms > :after_ms AND id <> :but
UNION ALL
SELECT counted_ms AS used_ms FROM observed_adds
WHERE account_id = :account_id AND action = :action AND task_id IS NULL AND counted_ms > :after_ms
ORDER BY used_ms

-- name: set_permit_use
UPDATE permits SET last_use_ms = :last_use_ms, is_returned = 0 WHERE task_id = :task_id AND attempt = :attempt

-- name: return_permit
UPDATE permits SET is_returned = 1 WHERE task_id = :task_id AND attempt = :attempt AND is_returned = 0

-- name: permits_of_task
SELECT count(*) AS found FROM permits WHERE task_id = :task_id AND phone_id = :phone_id

-- name: quota_override
SELECT * FROM quota_overrides WHERE account_id = :account_id AND action = :action

-- name: save_quota_override
INSERT INTO quota_overrides (account_id, action, per_day, per_hour, spacing_ms, from_minute, to_minute, weekdays,
  contact_pause_ms)
VALUES (:account_id, :action, :per_day, :per_hour, :spacing_ms, :from_minute, :to_minute, :weekdays,
  :contact_pause_ms)
ON CONFLICT (account_id, action) DO UPDATE SET per_day = excluded.per_day, per_hour = excluded.per_hour,
  spacing_ms = excluded.spacing_ms, from_minute = excluded.from_minute, to_minute = excluded.to_minute,
  weekdays = excluded.weekdays, contact_pause_ms = excluded.contact_pause_ms

-- name: add_quota_change
INSERT INTO quota_changes (at_ms, account_id, action, field, before, after, reason, actor)
VALUES (:at_ms, :account_id, :action, :field, :before, :after, :reason, :actor)

-- name: quota_changes
SELECT * FROM quota_changes
WHERE account_id = :account_id AND (CAST(:action AS TEXT) = '' OR action = :action)
ORDER BY id DESC LIMIT :max_rows

-- name: set_time_zone
UPDATE accounts SET time_zone = :time_zone WHERE account_id = :account_id

-- name: set_first_bound
UPDATE accounts SET first_bound_ms = :now_ms WHERE account_id = :account_id AND first_bound_ms IS NULL

-- name: add_observed
INSERT INTO observed_adds (account_id, peer_key, kind, action, seen_ms, counted_ms, task_id)
VALUES (:account_id, :peer_key, :kind, :action, :seen_ms, :counted_ms, :task_id)
ON CONFLICT DO NOTHING

-- name: observed_adds
SELECT * FROM observed_adds
WHERE account_id = :account_id AND action = :action AND task_id IS NULL AND counted_ms > :after_ms
ORDER BY counted_ms, peer_key, kind

-- name: excuse_observed
UPDATE observed_adds SET task_id = :task_id
WHERE account_id = :account_id AND peer_key = :peer_key AND task_id IS NULL AND counted_ms >= :from_ms

-- name: is_observed
SELECT 1 AS found FROM observed_adds WHERE account_id = :account_id AND peer_key = :peer_key AND kind = :kind

-- name: names_of_tasks
SELECT id, peer_name, remark, CASE WHEN query_kind = 'name' THEN query ELSE '' END AS name FROM tasks
WHERE account_id = :account_id AND action = :action
  AND (state = 'armed' OR (state IN ('done', 'unknown') AND ended_at_ms > :after_ms))
ORDER BY id

-- name: has_armed
SELECT 1 AS found FROM tasks WHERE account_id = :account_id AND action = :action AND state = 'armed' LIMIT 1

-- name: second_taps
SELECT id, attempt FROM permits WHERE task_id = :task_id AND attempt < 0 ORDER BY attempt

-- name: repin
UPDATE tasks SET pinned_phone_id = :phone_id
WHERE pinned_account_id = :account_id AND state = 'queued' AND pinned_phone_id <> :phone_id

-- name: posts_of
SELECT object_key FROM tasks WHERE account_id = :account_id AND action = 'moments_like' AND query = :query
  AND object_key <> '' ORDER BY created_at_ms, id

-- name: accounts_without_word
SELECT DISTINCT account_id FROM tasks
WHERE state IN ('leased', 'armed') AND lease_until_ms < :before_ms AND account_id IS NOT NULL ORDER BY account_id

-- name: add_strike
INSERT INTO account_strikes (account_id, at_ms, cause) VALUES (:account_id, :at_ms, :cause)

-- name: strikes
SELECT at_ms, cause FROM account_strikes WHERE account_id = :account_id AND at_ms > :after_ms ORDER BY at_ms, id

-- name: set_cooldown
UPDATE accounts SET strikes = :strikes,
  cooldown_until_ms = CASE WHEN cooldown_until_ms > :until_ms THEN cooldown_until_ms ELSE :until_ms END
WHERE account_id = :account_id

-- name: freeze
UPDATE accounts SET frozen_since_ms = :since_ms, frozen_cause = :cause
WHERE account_id = :account_id AND frozen_since_ms IS NULL

-- name: thaw
UPDATE accounts SET frozen_since_ms = NULL, frozen_cause = ''
WHERE account_id = :account_id AND frozen_since_ms IS NOT NULL

-- name: set_probation
UPDATE accounts SET probation_until_ms = :until_ms, cooldown_until_ms = NULL WHERE account_id = :account_id

-- name: farm_frozen
SELECT frozen_until_ms FROM farm WHERE id = 1

-- name: freeze_farm
UPDATE farm SET frozen_until_ms = :until_ms WHERE id = 1 AND frozen_until_ms < :until_ms

-- name: raise_farm_epoch
UPDATE farm SET epoch = CASE WHEN epoch < :above THEN :above ELSE epoch END + 1 WHERE id = 1 RETURNING epoch

-- name: add_spool
INSERT INTO spools (phone_id, spool_id, high_water, first_seen_ms) VALUES (:phone_id, :spool_id, 0, :now_ms)
ON CONFLICT DO NOTHING

-- name: lock_spool
SELECT high_water FROM spools WHERE phone_id = :phone_id AND spool_id = :spool_id /*postgres: FOR NO KEY UPDATE */

-- name: high_water
SELECT high_water FROM spools WHERE phone_id = :phone_id AND spool_id = :spool_id

-- name: set_high_water
UPDATE spools SET high_water = :seq WHERE phone_id = :phone_id AND spool_id = :spool_id

-- name: event
SELECT * FROM events WHERE phone_id = :phone_id AND spool_id = :spool_id AND seq = :seq

-- name: add_conflict
INSERT INTO event_conflicts (phone_id, spool_id, seq, body, body_hash, archived_at_ms)
VALUES (:phone_id, :spool_id, :seq, :body, :body_hash, :archived_at_ms)
ON CONFLICT DO NOTHING

-- name: conflicts
SELECT count(*) AS found FROM event_conflicts

-- name: add_event_gap
INSERT INTO event_gaps (phone_id, spool_id, from_seq, to_seq, cause, at_ms)
VALUES (:phone_id, :spool_id, :from_seq, :to_seq, :cause, :at_ms)
ON CONFLICT DO NOTHING

-- name: conversation_for
INSERT INTO conversations (account_id, phone_id, key, title, kind, messages, last_at_ms)
VALUES (:account_id, :phone_id, :key, :title, :kind, 0, NULL)
ON CONFLICT (account_id, key) DO UPDATE SET phone_id = excluded.phone_id, title = excluded.title,
  kind = CASE WHEN excluded.kind = '' THEN conversations.kind ELSE excluded.kind END
RETURNING id

-- name: untitled_conversation
INSERT INTO conversations (account_id, phone_id, key, title, kind, messages, last_at_ms)
VALUES (:account_id, :phone_id, :key, '', '', 0, NULL)
ON CONFLICT (account_id, key) DO UPDATE SET phone_id = excluded.phone_id
RETURNING id

-- name: lock_conversation
SELECT id FROM conversations WHERE id = :conversation_id /*postgres: FOR NO KEY UPDATE */

-- name: place_base
SELECT 0 AS turn, 0 AS from_position, base FROM conversation_spools
WHERE conversation_id = :conversation_id AND spool_id = :spool_id
UNION ALL SELECT id, from_position, base FROM conversation_turns
WHERE conversation_id = :conversation_id AND spool_id = :spool_id ORDER BY turn

-- name: writers
SELECT (SELECT max(position) FROM messages WHERE conversation_id = :conversation_id AND spool_id = :spool_id) AS own,
  (SELECT max(position) FROM messages WHERE conversation_id = :conversation_id AND spool_id <> :spool_id) AS others

-- name: add_turn
INSERT INTO conversation_turns (conversation_id, spool_id, from_position, base)
VALUES (:conversation_id, :spool_id, :from_position, :base)

-- name: last_position
SELECT max(place) AS found FROM (
  SELECT max(position) AS place FROM messages WHERE conversation_id = :conversation_id
  UNION ALL SELECT max(before_position) - 1 FROM gaps WHERE conversation_id = :conversation_id
) placed

-- name: add_place_base
INSERT INTO conversation_spools (conversation_id, spool_id, base)
SELECT CAST(:conversation_id AS BIGINT), CAST(:spool_id AS TEXT), COALESCE(max(place), 0) FROM (
  SELECT max(position) AS place FROM messages WHERE conversation_id = :conversation_id
  UNION ALL SELECT max(before_position) - 1 FROM gaps WHERE conversation_id = :conversation_id
) placed
RETURNING base, (SELECT count(*) FROM conversation_spools o
  WHERE o.conversation_id = :conversation_id AND o.spool_id <> :spool_id) AS others

-- name: add_gap
INSERT INTO gaps (conversation_id, before_position, cause, from_ms, to_ms)
VALUES (:conversation_id, :before_position, :cause, :from_ms, :to_ms)

-- name: stretch_gap
UPDATE gaps SET before_position = :before_position, to_ms = CASE WHEN to_ms < :to_ms THEN :to_ms ELSE to_ms END
WHERE conversation_id = :conversation_id AND cause = :cause AND before_position = :before_position - 1

-- name: add_warning
INSERT INTO warnings (phone_id, account_id, warning, surface, text, task_id, activity, picture, picture_sha256, at_ms,
  archived_at_ms)
VALUES (:phone_id, :account_id, :warning, :surface, :text, :task_id, :activity, :picture, :picture_sha256, :at_ms,
  :archived_at_ms)

-- name: picture_warning
UPDATE warnings SET picture = :picture, picture_sha256 = :picture_sha256
WHERE id = (SELECT max(id) FROM warnings WHERE phone_id = :phone_id AND warning = :warning AND text = :text
  AND task_id = :task_id AND picture = '' AND archived_at_ms >= :from_ms)

-- name: warnings
SELECT * FROM warnings WHERE (CAST(:phone_id AS TEXT) = '' OR phone_id = :phone_id)
ORDER BY id DESC LIMIT :max_rows

-- name: add_blind_screen
INSERT INTO blind_screens (phone_id, cause, detail, activity, picture, picture_sha256, at_ms, archived_at_ms)
VALUES (:phone_id, :cause, :detail, :activity, :picture, :picture_sha256, :at_ms, :archived_at_ms)

-- name: blind_screens
SELECT * FROM blind_screens WHERE phone_id = :phone_id ORDER BY id DESC LIMIT :max_rows

-- name: conversations
SELECT * FROM conversations
WHERE (CAST(:phone_id AS TEXT) = '' OR phone_id = :phone_id)
  AND (CAST(:account_id AS TEXT) = '' OR account_id = :account_id)
ORDER BY COALESCE(last_at_ms, 0) DESC, id DESC LIMIT :max_rows

-- name: conversation
SELECT * FROM conversations WHERE id = :conversation_id

-- name: messages
SELECT * FROM messages WHERE conversation_id = :conversation_id AND position < :before_position
ORDER BY position DESC, id DESC LIMIT :max_rows

-- name: message
SELECT * FROM messages WHERE id = :message_id

-- name: messages_around
SELECT * FROM messages WHERE conversation_id = :conversation_id AND position BETWEEN :low AND :high
ORDER BY position, id

-- name: gaps
SELECT * FROM gaps WHERE conversation_id = :conversation_id ORDER BY before_position, id

-- name: violation
SELECT v.*, COALESCE(m.text, '') AS text FROM violations v LEFT JOIN messages m ON m.id = v.message_id
WHERE v.id = :violation_id

-- name: count_jobs_running
SELECT count(*) AS found FROM jobs WHERE state = 'running'

-- name: count_tasks
SELECT state, count(*) AS found FROM tasks GROUP BY state

-- name: count_violations
SELECT count(*) AS found FROM violations WHERE state = :state

-- name: count_messages
SELECT CAST(COALESCE(sum(messages), 0) AS BIGINT) AS found FROM conversations

-- name: count_gaps
SELECT (SELECT count(*) FROM gaps) + (SELECT count(*) FROM event_gaps) AS found

-- name: count_refused_events
SELECT CAST(COALESCE(sum(refused_events), 0) AS BIGINT) AS found FROM phones

-- name: add_candidate
INSERT INTO client_candidates (phone_id, request_id, version_name, version_code, installer, base, ids, missing,
  failure, state, at_ms)
VALUES (:phone_id, :request_id, :version_name, :version_code, :installer, :base, :ids, :missing, :failure, :state,
  :at_ms)
ON CONFLICT DO NOTHING

-- name: candidates
SELECT * FROM client_candidates ORDER BY id DESC LIMIT :max_rows

-- name: lock_candidate
SELECT * FROM client_candidates WHERE id = :candidate_id /*postgres: FOR NO KEY UPDATE */

-- name: set_candidate_state
UPDATE client_candidates SET state = :state WHERE id = :candidate_id

-- name: accept_table
INSERT INTO client_tables (version_name, version_code, installer, candidate_id, accepted_by, accepted_at_ms)
VALUES (:version_name, :version_code, :installer, :candidate_id, :accepted_by, :accepted_at_ms)
ON CONFLICT (version_name, version_code, installer) DO UPDATE SET candidate_id = excluded.candidate_id,
  accepted_by = excluded.accepted_by, accepted_at_ms = excluded.accepted_at_ms

-- name: table_of_build
SELECT c.* FROM client_tables t JOIN client_candidates c ON c.id = t.candidate_id
WHERE t.version_name = :version_name AND t.version_code = :version_code AND t.installer = :installer

-- name: phones_of_build
SELECT phone_id FROM phones
WHERE wechat_version = :version_name AND wechat_version_code = :version_code AND wechat_installer = :installer

-- name: set_build
UPDATE phones SET wechat_version = :version_name, wechat_version_code = :version_code, wechat_installer = :installer
WHERE phone_id = :phone_id

-- name: notices_of
SELECT holder, version, how, recorded_by, at_ms, withdrawn_at_ms FROM notices WHERE holder = :holder ORDER BY id

-- name: withdraw_notices
UPDATE notices SET withdrawn_at_ms = :at_ms WHERE holder = :holder AND withdrawn_at_ms IS NULL

-- name: notice_versions
SELECT version, since_ms FROM notice_versions ORDER BY since_ms, id

-- name: put_version_in_force
INSERT INTO notice_versions (version, since_ms)
SELECT CAST(:version AS TEXT), CAST(:since_ms AS BIGINT)
WHERE NOT EXISTS (SELECT 1 FROM notice_versions v WHERE v.version = :version
  AND v.id = (SELECT max(id) FROM notice_versions))

-- name: capture_rules
SELECT * FROM capture_rules WHERE account_id = :account_id ORDER BY id

-- name: set_capture_rules
INSERT INTO capture_rules (account_id, mode, capture_windows, sweep_windows, media, first_days, first_pages, set_by,
  set_at_ms)
VALUES (:account_id, :mode, :capture_windows, :sweep_windows, :media, :first_days, :first_pages, :set_by, :set_at_ms)

-- name: exclude_chat
INSERT INTO excluded_chats (account_id, key, title, reason, excluded_by, at_ms)
VALUES (:account_id, :key, :title, :reason, :excluded_by, :at_ms)
ON CONFLICT DO NOTHING

-- name: include_chat
UPDATE excluded_chats SET ended_at_ms = :at_ms, title = '' WHERE account_id = :account_id AND key = :key
  AND ended_at_ms IS NULL

-- name: excluded_chats
SELECT account_id, key, title, reason, excluded_by, at_ms FROM excluded_chats
WHERE account_id = :account_id AND ended_at_ms IS NULL ORDER BY title, key

-- name: once_excluded
SELECT key, at_ms, ended_at_ms FROM excluded_chats WHERE account_id = :account_id AND ended_at_ms IS NOT NULL ORDER BY id

-- name: coverage_of_account
SELECT id, phone_id, account_id, from_ms, to_ms, state, cause FROM coverage_spans
WHERE account_id = :account_id AND from_ms >= :since_ms AND from_ms < :to_ms AND to_ms > :from_ms
ORDER BY from_ms, id

-- name: watched_until
SELECT to_ms FROM coverage_spans WHERE account_id = :account_id AND state = :state ORDER BY from_ms DESC LIMIT 1

-- name: gaps_of_account
SELECT g.id, g.conversation_id, g.before_position, g.cause, g.from_ms, g.to_ms
FROM gaps g JOIN conversations c ON c.id = g.conversation_id
WHERE c.account_id = :account_id AND g.to_ms >= :from_ms AND (g.from_ms < :to_ms AND (g.from_ms > 0 OR g.to_ms < :to_ms))
ORDER BY g.to_ms, g.id

-- name: event_holes
SELECT h.id, h.phone_id, h.cause, h.since_ms, h.until_ms FROM (
  SELECT e.id, e.phone_id, e.cause,
    COALESCE((SELECT v.at_ms FROM events v WHERE v.phone_id = e.phone_id AND v.spool_id = e.spool_id
      AND v.seq < e.from_seq AND v.at_ms > 0 ORDER BY v.seq DESC LIMIT 1), 0) AS since_ms,
    CASE WHEN n.at_ms < e.at_ms THEN n.at_ms ELSE e.at_ms END AS until_ms
  FROM event_gaps e LEFT JOIN events n ON n.phone_id = e.phone_id AND n.spool_id = e.spool_id
    AND n.seq = e.to_seq + 1 AND n.at_ms > 0
  WHERE e.phone_id IN (SELECT t.phone_id FROM phone_tenures t WHERE t.account_id = :account_id)
) h WHERE h.until_ms >= :from_ms AND (h.since_ms < :to_ms AND (h.since_ms > 0 OR h.until_ms < :to_ms))
ORDER BY h.until_ms, h.id

-- name: count_gaps_of
SELECT count(*) AS found FROM gaps WHERE conversation_id = :conversation_id

-- name: money_messages
SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id
WHERE m.kind IN ('red_packet', 'transfer') AND m.id < :before_id
  AND (CAST(:account_id AS TEXT) = '' OR c.account_id = :account_id)
ORDER BY m.id DESC LIMIT :max_rows

-- name: conversations_from
SELECT * FROM conversations
WHERE id >= :from_id AND (CAST(:account_id AS TEXT) = '' OR account_id = :account_id) ORDER BY id LIMIT :max_rows

-- name: message_ids_after
SELECT id FROM messages WHERE conversation_id = :conversation_id
  AND (position > :position OR (position = :position AND id > :message_id))
ORDER BY position, id LIMIT :max_rows

-- Events taken in many at a time: values in the order of the columns.

-- name: put_events
/*sqlite: INSERT INTO*/ /*postgres: COPY*/ events (phone_id, spool_id, seq, kind, body, body_hash, cause, phone_epoch,
  at_ms, archived_at_ms)
/*sqlite: VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)*/ /*postgres: FROM STDIN*/

-- name: put_high_waters
/*sqlite: UPDATE spools SET high_water = ? WHERE phone_id = ? AND spool_id = ?*/
/*postgres: UPDATE spools SET high_water = CAST(r.value->>0 AS BIGINT)
FROM json_array_elements(CAST(:rows AS JSON)) AS r (value) WHERE phone_id = r.value->>1 AND spool_id = r.value->>2*/

-- name: new_message_ids
/*sqlite: WITH RECURSIVE ids (id) AS (
  SELECT COALESCE(max(id), 0) + 1 FROM messages UNION ALL SELECT id + 1 FROM ids LIMIT :how_many
) SELECT group_concat(id) AS ids FROM ids*/
/*postgres: SELECT string_agg(CAST(nextval((SELECT CAST(pg_get_serial_sequence('messages', 'id') AS regclass))) AS TEXT), ',')
  AS ids FROM generate_series(1, :how_many)*/

-- name: put_messages
/*sqlite: INSERT INTO*/ /*postgres: COPY*/ messages (id, conversation_id, spool_id, seq, position, side, kind, text,
  time_label, ambiguous, read_at_ms, archived_at_ms, sender, shown_from_ms, shown_to_ms, amount_fen, state, length_s,
  detail, fragment, media_sha256)
/*sqlite: VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)*/ /*postgres: FROM STDIN*/

-- name: put_new_violations
/*sqlite: INSERT INTO*/ /*postgres: COPY*/ violations (kind, rule_id, entry_id, word, category, severity, how, detail,
  book_version, message_id, conversation_id, phone_id, account_id, holder, side, start_index, end_index, origin,
  dedupe_key, notify, state, at_ms, found_at_ms, changed_at_ms, repeats)
/*sqlite: VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)*/ /*postgres: FROM STDIN*/

-- name: put_violations
INSERT INTO violations (kind, rule_id, entry_id, word, category, severity, how, detail,
  book_version, message_id, conversation_id, phone_id, account_id, holder, side, start_index, end_index, origin,
  dedupe_key, notify, state, at_ms, found_at_ms, changed_at_ms, repeats)
/*sqlite: VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)*/
/*postgres: SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7,
  CAST(value->>8 AS BIGINT), CAST(value->>9 AS BIGINT), CAST(value->>10 AS BIGINT), value->>11, value->>12,
  value->>13, value->>14, CAST(value->>15 AS BIGINT), CAST(value->>16 AS BIGINT), value->>17, value->>18,
  CAST(value->>19 AS BIGINT), value->>20, CAST(value->>21 AS BIGINT), CAST(value->>22 AS BIGINT),
  CAST(value->>23 AS BIGINT), CAST(value->>24 AS BIGINT)
FROM json_array_elements(CAST(:rows AS JSON))*/
ON CONFLICT (dedupe_key) DO NOTHING

-- name: put_grams
/*sqlite: INSERT INTO message_grams (rowid, grams) VALUES (?, ?)*/
/*postgres: COPY message_grams (message_id, grams) FROM STDIN*/

-- name: add_grams
/*sqlite: INSERT INTO message_grams (rowid, grams) VALUES (:message_id, :grams)*/
/*postgres: INSERT INTO message_grams (message_id, grams) VALUES (:message_id, CAST(:grams AS tsvector))
ON CONFLICT (message_id) DO UPDATE SET grams = message_grams.grams || excluded.grams*/

-- name: count_new_messages
/*sqlite: UPDATE conversations SET messages = messages + ?, last_at_ms = ? WHERE id = ?*/
/*postgres: UPDATE conversations SET messages = messages + CAST(r.value->>0 AS BIGINT),
  last_at_ms = CAST(r.value->>1 AS BIGINT)
FROM json_array_elements(CAST(:rows AS JSON)) AS r (value) WHERE id = CAST(r.value->>2 AS BIGINT)*/

-- name: last_message_id
SELECT COALESCE(max(id), 0) AS found FROM messages

-- name: back_to
/*sqlite: SELECT rowid AS id FROM message_grams WHERE message_grams MATCH :match ORDER BY rowid DESC
LIMIT 1 OFFSET :how_many*/

-- name: search
/*sqlite: SELECT rowid AS id FROM message_grams WHERE message_grams MATCH :match AND rowid >= :low AND rowid < :high
ORDER BY rowid DESC LIMIT :max_rows*/

-- name: search_newest
/*postgres: SELECT message_id AS id FROM (
  SELECT message_id, grams FROM message_grams WHERE message_id >= :low AND message_id < :high OFFSET 0
) AS newest WHERE grams @@ CAST(:tsquery AS tsquery) ORDER BY message_id DESC LIMIT :max_rows*/

-- name: search_slices
-- OFFSET 0: each slice is asked by itself; the planner, which knows of no word how common it is there, would rather read
-- them all. Nor is the primary key a way there.
/*postgres: SELECT found.message_id AS id
FROM json_array_elements_text(CAST(:tsqueries AS JSON)) AS slice (asked) CROSS JOIN LATERAL (
  SELECT message_id FROM message_grams
  WHERE grams @@ CAST(slice.asked AS tsquery) AND message_id + 0 < :high OFFSET 0
) AS found ORDER BY found.message_id DESC LIMIT :max_rows*/

-- name: messages_by_id
SELECT * FROM messages WHERE id IN (
  /*sqlite: SELECT value FROM json_each(:ids)*/
  /*postgres: SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS JSON))*/)

-- name: changes_of
SELECT m.id AS message_id, c.id, c.conversation_id, c.position, c.what, c.line, c.state, c.text, c.amount_fen, c.at_ms,
  c.archived_at_ms
FROM messages m JOIN message_changes c
  ON c.conversation_id = m.conversation_id AND c.position = m.position AND c.spool_id = m.spool_id
WHERE m.id IN (
  /*sqlite: SELECT value FROM json_each(:ids)*/
  /*postgres: SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS JSON))*/)
ORDER BY c.id

-- name: add_change
INSERT INTO message_changes (conversation_id, spool_id, seq, position, what, line, state, text, amount_fen, at_ms,
  archived_at_ms)
VALUES (:conversation_id, :spool_id, :seq, :position, :what, :line, :state, :text, :amount_fen, :at_ms, :archived_at_ms)
ON CONFLICT DO NOTHING

-- name: message_at
SELECT max(id) AS found FROM messages
WHERE conversation_id = :conversation_id AND position = :position AND spool_id = :spool_id

-- name: add_removal
INSERT INTO chat_removals (conversation_id, phone_id, account_id, what, last_position, from_ms, to_ms, archived_at_ms)
VALUES (:conversation_id, :phone_id, :account_id, :what, :last_position, :from_ms, :to_ms, :archived_at_ms)

-- name: removals
SELECT * FROM chat_removals WHERE conversation_id = :conversation_id ORDER BY id

-- name: spans_over
SELECT from_ms, to_ms FROM coverage_spans
WHERE phone_id = :phone_id AND from_ms > :from_ms - :longest_ms AND from_ms < :to_ms AND to_ms > :from_ms
ORDER BY from_ms

-- name: extend_span
UPDATE coverage_spans SET to_ms = :to_ms
WHERE phone_id = :phone_id AND from_ms >= :hour_ms AND from_ms < :from_ms AND to_ms = :from_ms
  AND account_id = :account_id AND state = :state AND cause = :cause

-- name: add_span
INSERT INTO coverage_spans (phone_id, account_id, from_ms, to_ms, state, cause)
VALUES (:phone_id, :account_id, :from_ms, :to_ms, :state, :cause)

-- Books of words and rules in their versions, and histories that are searched again.

-- name: book_version
SELECT COALESCE(max(version), 0) AS found FROM word_books

-- name: book
SELECT * FROM word_books WHERE version = :version

-- name: books
SELECT version, at_ms, actor, act, note, sha256 FROM word_books WHERE version < :before_version
ORDER BY version DESC LIMIT :max_rows

-- name: add_book
INSERT INTO word_books (version, at_ms, actor, act, note, sha256, body)
VALUES (:version, :at_ms, :actor, :act, :note, :sha256, :body) ON CONFLICT DO NOTHING

-- name: add_scan
INSERT INTO word_scans (book_version, since_ms, after_message_id, last_message_id, looked_at, found, state, asked_by,
  at_ms)
VALUES (:book_version, :since_ms, :after_message_id, :last_message_id, 0, 0, :state, :asked_by, :at_ms) RETURNING id

-- name: lock_scan
SELECT * FROM word_scans WHERE id = :id /*postgres: FOR NO KEY UPDATE */

-- name: scans
SELECT * FROM word_scans WHERE CAST(:state AS TEXT) = '' OR state = :state ORDER BY id DESC LIMIT :max_rows

-- name: save_scan
UPDATE word_scans SET after_message_id = :after_message_id, looked_at = :looked_at, found = :found, state = :state,
  ended_at_ms = :ended_at_ms
WHERE id = :id

-- name: message_from
SELECT id, archived_at_ms FROM messages WHERE id >= :message_id ORDER BY id LIMIT 1

-- name: message_ids_between
SELECT id FROM messages WHERE id > :after_id AND id <= :last_id ORDER BY id LIMIT :max_rows

-- name: count_messages_between
SELECT count(*) AS found FROM messages WHERE id > :after_id AND id <= :last_id

-- name: conversations_by_id
SELECT * FROM conversations WHERE id IN (
  /*sqlite: SELECT value FROM json_each(:ids)*/
  /*postgres: SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS JSON))*/)

-- name: tenures_of_account
SELECT phone_id, holder, account_id, since_ms FROM phone_tenures
WHERE phone_id IN (SELECT phone_id FROM phone_tenures WHERE account_id = :account_id) ORDER BY phone_id, id

-- Alerts: what is told to whom outside.

-- name: lock_alert_target
/*sqlite: SELECT :target AS target*/
/*postgres: SELECT CAST(pg_advisory_xact_lock(hashtextextended('alerts ' || :target, 0)) AS TEXT) AS target*/

-- name: add_alerts
INSERT INTO alerts (violation_id, target, severity, state, next_at_ms, at_ms)
SELECT v.id, :target, v.severity, 'waiting', CAST(:now_ms AS BIGINT), CAST(:now_ms AS BIGINT)
FROM violations v
WHERE v.found_at_ms >= :since_ms AND v.origin = 'live'
  AND (v.severity IN (
    /*sqlite: SELECT value FROM json_each(:severities)*/
    /*postgres: SELECT value FROM json_array_elements_text(CAST(:severities AS JSON))*/
    ) OR (v.notify = 1 AND CAST(:notified AS BIGINT) = 1))
  AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.violation_id = v.id AND a.target = :target)
ORDER BY v.id LIMIT :max_rows
ON CONFLICT (violation_id, target) DO NOTHING

-- name: alert_due
SELECT * FROM alerts WHERE target = :target AND state IN ('waiting', 'sending') AND next_at_ms <= :now_ms
ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END, id LIMIT 1

-- name: alerts_told_since
SELECT next_at_ms AS at_ms FROM alerts WHERE target = :target AND state = 'sent' AND next_at_ms > :since_ms
UNION ALL
SELECT CAST(:now_ms AS BIGINT) FROM alerts WHERE target = :target AND state = 'sending' AND next_at_ms > :now_ms

-- name: take_alert
UPDATE alerts SET state = 'sending', tries = tries + 1, next_at_ms = :until_ms WHERE id = :alert_id

-- name: end_alert
UPDATE alerts SET state = :state, next_at_ms = :next_at_ms, ended_at_ms = :ended_at_ms, error = :error
WHERE target = :target AND state = 'sending' AND next_at_ms = :until_ms

-- name: hold_alerts
UPDATE alerts SET next_at_ms = :until_ms WHERE target = :target AND state = 'waiting' AND next_at_ms < :until_ms

-- name: release_alerts
UPDATE alerts SET next_at_ms = :now_ms WHERE target = :target AND state = 'waiting' AND next_at_ms > :now_ms

-- name: put_beyond
UPDATE alerts SET state = 'beyond', next_at_ms = :until_ms
WHERE target = :target AND state IN ('waiting', 'sending') AND next_at_ms <= :now_ms

-- name: beyond_due
SELECT count(*) AS found FROM alerts
WHERE target = :target AND state IN ('beyond', 'summing') AND next_at_ms <= :now_ms

-- name: take_beyond
UPDATE alerts SET state = 'summing', tries = tries + 1, next_at_ms = :until_ms
WHERE target = :target AND (state = 'beyond' OR (state = 'summing' AND next_at_ms <= :now_ms))

-- name: summing
SELECT v.severity, v.category, count(*) AS found, max(a.tries) AS tries
FROM alerts a JOIN violations v ON v.id = a.violation_id
WHERE a.target = :target AND a.state = 'summing' AND a.next_at_ms = :until_ms
GROUP BY v.severity, v.category

-- name: end_summary
UPDATE alerts SET state = :state, next_at_ms = :next_at_ms, ended_at_ms = :ended_at_ms, error = :error
WHERE target = :target AND state = 'summing' AND next_at_ms = :until_ms

-- name: give_up_alerts
UPDATE alerts SET state = 'failed', ended_at_ms = :now_ms, error = CASE error WHEN '' THEN 'nobody_sends' ELSE error END
WHERE at_ms <= :before_ms
  AND (state IN ('waiting', 'beyond') OR (state IN ('sending', 'summing') AND next_at_ms <= :now_ms))

-- name: alerts
SELECT * FROM alerts WHERE id < :before_id AND (CAST(:state AS TEXT) = '' OR state = :state)
  AND (CAST(:target AS TEXT) = '' OR target = :target)
ORDER BY id DESC LIMIT :max_rows

-- name: alert_counts
SELECT target,
  CAST(sum(CASE WHEN state IN ('waiting', 'sending') THEN 1 ELSE 0 END) AS BIGINT) AS waiting,
  CAST(sum(CASE WHEN state IN ('waiting', 'sending', 'beyond', 'summing') AND error <> '' THEN 1 ELSE 0 END) AS BIGINT) AS failing,
  CAST(sum(CASE WHEN state IN ('beyond', 'summing') THEN 1 ELSE 0 END) AS BIGINT) AS beyond,
  CAST(sum(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) AS BIGINT) AS failed
FROM alerts WHERE state IN ('waiting', 'sending', 'beyond', 'summing') OR (state = 'failed' AND ended_at_ms > :since_ms)
GROUP BY target ORDER BY target

-- name: retry_alerts
UPDATE alerts SET state = 'waiting', next_at_ms = :now_ms, at_ms = :now_ms, ended_at_ms = NULL, error = ''
WHERE (state = 'failed' OR (state = 'waiting' AND error <> ''))
  AND (CAST(:everything AS BIGINT) = 1 OR id IN (
    /*sqlite: SELECT value FROM json_each(:ids)*/
    /*postgres: SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS JSON))*/))
  AND (CAST(:target AS TEXT) = '' OR target = :target)

-- The review desk: violations for their readers, what people decided, and samples of chats without any. The first three
-- differ in what they begin with: all of them newest first, those of one state, those of one holder. The plus keeps SQLite
-- from beginning with the time, which would have it sort all there are for the newest few.

-- part: violations_asked_for
  AND v.id < :before_id AND +v.found_at_ms >= :since_ms AND +v.found_at_ms < :until_ms
  AND (CAST(:phones AS TEXT) = '[]' OR v.phone_id IN (
    /*sqlite: SELECT value FROM json_each(:phones)*/
    /*postgres: SELECT value FROM json_array_elements_text(CAST(:phones AS JSON))*/))
  AND (CAST(:account_id AS TEXT) = '' OR v.account_id = :account_id)
  AND (CAST(:rule_id AS TEXT) = '' OR v.rule_id = :rule_id) AND (CAST(:entry_id AS TEXT) = '' OR v.entry_id = :entry_id)
  AND (CAST(:severity AS TEXT) = '' OR v.severity = :severity)
  AND (CAST(:category AS TEXT) = '' OR v.category = :category) AND (CAST(:kind AS TEXT) = '' OR v.kind = :kind)
  AND (CAST(:any_assignee AS BIGINT) = 1 OR v.assignee = :assignee)
  AND (CAST(:appeal AS TEXT) = '' OR v.appeal = :appeal)
  AND (CAST(:conversation_id AS BIGINT) = 0 OR v.conversation_id = :conversation_id)
ORDER BY v.id DESC LIMIT :max_rows

-- name: violations
SELECT v.*, COALESCE(m.text, '') AS text FROM violations v LEFT JOIN messages m ON m.id = v.message_id
WHERE (CAST(:state AS TEXT) = '' OR v.state = :state) AND (CAST(:holder AS TEXT) = '' OR v.holder = :holder)
  /*part: violations_asked_for*/

-- name: violations_in_state
SELECT v.*, COALESCE(m.text, '') AS text FROM violations v LEFT JOIN messages m ON m.id = v.message_id
WHERE v.state = :state AND (CAST(:holder AS TEXT) = '' OR v.holder = :holder)
  /*part: violations_asked_for*/

-- name: violations_of_holder
SELECT v.*, COALESCE(m.text, '') AS text FROM violations v LEFT JOIN messages m ON m.id = v.message_id
WHERE v.holder = :holder AND (CAST(:state AS TEXT) = '' OR v.state = :state)
  /*part: violations_asked_for*/

-- name: violation_by_key
SELECT v.*, COALESCE(m.text, '') AS text FROM violations v LEFT JOIN messages m ON m.id = v.message_id
WHERE v.dedupe_key = :dedupe_key

-- name: lock_violations
SELECT v.*, COALESCE(m.text, '') AS text FROM violations v LEFT JOIN messages m ON m.id = v.message_id
WHERE v.id IN (
  /*sqlite: SELECT value FROM json_each(:ids)*/
  /*postgres: SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS JSON))*/)
ORDER BY v.id /*postgres: FOR NO KEY UPDATE OF v */

-- name: stand
UPDATE violations SET state = :state, assignee = :assignee, appeal = :appeal, changed_at_ms = :at_ms
WHERE id = :violation_id

-- name: add_decision
INSERT INTO violation_decisions (violation_id, at_ms, actor, act, from_state, to_state, assignee, reason, note)
VALUES (:violation_id, :at_ms, :actor, :act, :from_state, :to_state, :assignee, :reason, :note) RETURNING id

-- name: decisions
SELECT * FROM violation_decisions WHERE violation_id IN (
  /*sqlite: SELECT value FROM json_each(:ids)*/
  /*postgres: SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS JSON))*/)
ORDER BY id

-- Opinions about escalated ones leave them escalated, and are no verdicts.

-- name: ids_found
SELECT COALESCE((SELECT v.id FROM violations v WHERE v.found_at_ms >= :since_ms ORDER BY v.found_at_ms, v.id LIMIT 1), 0)
  AS first_id, COALESCE((SELECT max(id) FROM violations), 0) AS last_id

-- name: count_by
SELECT s.name, s.state, s.verdict, s.appeal, count(*) AS found, CAST(sum(s.repeats) AS BIGINT) AS repeats FROM (
  SELECT v.state, v.appeal, v.repeats,
    CASE CAST(:by AS TEXT) WHEN 'rule' THEN v.rule_id WHEN 'entry' THEN v.entry_id WHEN 'category' THEN v.category
      WHEN 'severity' THEN v.severity WHEN 'holder' THEN v.holder WHEN 'assignee' THEN v.assignee
      ELSE COALESCE((SELECT d.actor FROM violation_decisions d WHERE d.violation_id = v.id
        AND v.state IN ('confirmed', 'dismissed', 'closed') AND d.act IN ('confirm', 'dismiss')
        AND d.to_state <> 'escalated' ORDER BY d.id DESC LIMIT 1), '') END AS name,
    CASE v.state WHEN 'closed' THEN COALESCE((SELECT d.to_state FROM violation_decisions d WHERE d.violation_id = v.id
        AND d.act IN ('confirm', 'dismiss', 'grant') AND d.to_state <> 'escalated' ORDER BY d.id DESC LIMIT 1), '')
      WHEN 'confirmed' THEN v.state WHEN 'dismissed' THEN v.state ELSE '' END AS verdict
  FROM violations v WHERE v.id > :after_id AND v.id <= :last_id
    AND +v.found_at_ms >= :since_ms AND +v.found_at_ms < :until_ms) s
GROUP BY s.name, s.state, s.verdict, s.appeal ORDER BY s.name, s.state, s.verdict, s.appeal

-- name: times_to_verdict
SELECT s.name, s.at_ms - s.found_at_ms AS ms FROM (
  SELECT v.found_at_ms, (SELECT d.at_ms FROM violation_decisions d WHERE d.violation_id = v.id
      AND d.act IN ('confirm', 'dismiss') AND d.to_state <> 'escalated' ORDER BY d.id LIMIT 1) AS at_ms,
    CASE CAST(:by AS TEXT) WHEN 'rule' THEN v.rule_id WHEN 'entry' THEN v.entry_id WHEN 'category' THEN v.category
      WHEN 'severity' THEN v.severity WHEN 'holder' THEN v.holder WHEN 'assignee' THEN v.assignee
      ELSE COALESCE((SELECT d.actor FROM violation_decisions d WHERE d.violation_id = v.id
        AND v.state IN ('confirmed', 'dismissed', 'closed') AND d.act IN ('confirm', 'dismiss')
        AND d.to_state <> 'escalated' ORDER BY d.id DESC LIMIT 1), '') END AS name
  FROM violations v WHERE v.id > :after_id AND v.id <= :last_id
    AND +v.found_at_ms >= :since_ms AND +v.found_at_ms < :until_ms) s
WHERE s.at_ms IS NOT NULL ORDER BY s.name, ms

-- name: sample_accounts
SELECT DISTINCT account_id FROM phone_tenures WHERE account_id <> '' AND (CAST(:holders AS TEXT) = '[]' OR holder IN (
  /*sqlite: SELECT value FROM json_each(:holders)*/
  /*postgres: SELECT value FROM json_array_elements_text(CAST(:holders AS JSON))*/))
ORDER BY account_id

-- name: quiet_chats
SELECT c.* FROM conversations c WHERE c.account_id = :account_id AND c.messages > 0 AND c.last_at_ms >= :since_ms
  AND NOT EXISTS (SELECT 1 FROM violations v WHERE v.conversation_id = c.id AND v.at_ms >= :since_ms)
ORDER BY c.id

-- name: count_messages_since
SELECT count(*) AS found FROM messages WHERE conversation_id = :conversation_id AND read_at_ms >= :since_ms

-- name: stretch
SELECT * FROM messages WHERE conversation_id = :conversation_id AND read_at_ms >= :since_ms
ORDER BY position, id LIMIT :max_rows OFFSET :skipped

-- name: add_sample
INSERT INTO review_samples (draw_id, conversation_id, from_message_id, to_message_id, holder, drawn_by, drawn_at_ms)
VALUES (:draw_id, :conversation_id, :from_message_id, :to_message_id, :holder, :drawn_by, :drawn_at_ms) RETURNING id

-- name: samples
SELECT * FROM review_samples WHERE id < :before_id AND (CAST(:draw_id AS TEXT) = '' OR draw_id = :draw_id)
  AND (CAST(:which AS TEXT) = '' OR (CAST(:which AS TEXT) = 'open') = (verdict = ''))
ORDER BY id DESC LIMIT :max_rows

-- name: lock_sample
SELECT * FROM review_samples WHERE id = :sample_id /*postgres: FOR NO KEY UPDATE */

-- name: save_sample
UPDATE review_samples SET verdict = :verdict, note = :note, reviewed_by = :reviewed_by,
  reviewed_at_ms = :reviewed_at_ms WHERE id = :sample_id

-- What rules find, and what they remember for it.

-- name: known_keys
SELECT dedupe_key FROM violations WHERE dedupe_key IN (
  /*sqlite: SELECT value FROM json_each(:keys)*/
  /*postgres: SELECT value FROM json_array_elements_text(CAST(:keys AS JSON))*/)

-- name: alike
SELECT v.id, v.rule_id, v.entry_id, v.conversation_id, v.start_index, m.text, v.message_id,
  CASE m.shown_from_ms WHEN 0 THEN m.read_at_ms ELSE m.shown_from_ms END AS said_ms
FROM violations v JOIN messages m ON m.id = v.message_id
WHERE v.state = 'new' AND v.entry_id <> '' AND v.at_ms >= :since_ms AND v.conversation_id IN (
  /*sqlite: SELECT value FROM json_each(:ids)*/
  /*postgres: SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS JSON))*/)
ORDER BY v.id

-- name: add_repeats
UPDATE violations SET repeats = repeats + :how_many WHERE id = :violation_id AND state = 'new'

-- name: lines_before
SELECT m.id, m.conversation_id, m.position, m.side, m.kind, m.text, m.detail, m.sender, m.read_at_ms, m.shown_from_ms,
  m.shown_to_ms
FROM (
  /*sqlite: SELECT json_extract(value, '$[0]') AS chat, json_extract(value, '$[1]') AS low,
    json_extract(value, '$[2]') AS high FROM json_each(:wanted)*/
  /*postgres: SELECT CAST(value->>0 AS BIGINT) AS chat, CAST(value->>1 AS BIGINT) AS low,
    CAST(value->>2 AS BIGINT) AS high FROM json_array_elements(CAST(:wanted AS JSON))*/) w
  /*sqlite: CROSS*/ JOIN messages m ON m.conversation_id = w.chat AND m.position >= w.low AND m.position < w.high
ORDER BY m.conversation_id, m.position, m.id

-- name: first_read
SELECT read_at_ms FROM messages WHERE conversation_id = :conversation_id ORDER BY position, id LIMIT 1

-- name: lock_marks
/*sqlite: SELECT :counted AS counted*/
/*postgres: SELECT CAST(pg_advisory_xact_lock(hashtextextended('marks ' || :counted, 0)) AS TEXT) AS counted*/

-- name: add_mark
INSERT INTO rule_marks (rule_id, subject, at_ms, message_id) VALUES (:rule_id, :subject, :at_ms, :message_id)

-- name: count_marks
SELECT count(*) AS found FROM rule_marks
WHERE rule_id = :rule_id AND subject = :subject AND at_ms > :after_ms AND at_ms <= :until_ms

-- name: clear_marks
DELETE FROM rule_marks WHERE rule_id = :rule_id AND subject = :subject AND at_ms <= :until_ms

-- name: waiting_in
SELECT * FROM waiting_replies WHERE answered_ms = 0 AND conversation_id IN (
  /*sqlite: SELECT value FROM json_each(:ids)*/
  /*postgres: SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS JSON))*/)
ORDER BY message_id /*postgres: FOR NO KEY UPDATE */

-- name: put_waiting
INSERT INTO waiting_replies (message_id, conversation_id, phone_id, account_id, holder, since_ms, answered_ms, judge_ms)
/*sqlite: VALUES (?, ?, ?, ?, ?, ?, ?, ?)*/
/*postgres: SELECT CAST(value->>0 AS BIGINT), CAST(value->>1 AS BIGINT), value->>2, value->>3, value->>4,
  CAST(value->>5 AS BIGINT), CAST(value->>6 AS BIGINT), CAST(value->>7 AS BIGINT)
FROM json_array_elements(CAST(:rows AS JSON))*/
ON CONFLICT (message_id) DO UPDATE SET answered_ms = excluded.answered_ms, judge_ms = excluded.judge_ms

-- name: drop_waiting
/*sqlite: DELETE FROM waiting_replies WHERE message_id = ?*/
/*postgres: DELETE FROM waiting_replies USING json_array_elements(CAST(:rows AS JSON)) AS r (value)
WHERE message_id = CAST(r.value->>0 AS BIGINT)*/

-- name: waiting_to_judge
SELECT * FROM waiting_replies WHERE judge_ms <= :now_ms
ORDER BY judge_ms, message_id LIMIT :max_rows /*postgres: FOR NO KEY UPDATE SKIP LOCKED */

-- name: covered_until
SELECT to_ms FROM coverage_spans WHERE account_id = :account_id ORDER BY from_ms DESC LIMIT 1

-- Chats of a whole batch: found or made, and where an outbox begins in them.

-- name: conversations_for
INSERT INTO conversations (account_id, phone_id, key, title, kind, messages, last_at_ms)
/*sqlite: SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
  json_extract(value, '$[3]'), json_extract(value, '$[4]'), 0, NULL FROM json_each(:rows) WHERE true*/
/*postgres: SELECT value->>0, value->>1, value->>2, value->>3, value->>4, 0, NULL
FROM json_array_elements(CAST(:rows AS JSON))*/
ON CONFLICT (account_id, key) DO UPDATE SET phone_id = excluded.phone_id, title = excluded.title,
  kind = CASE WHEN excluded.kind = '' THEN conversations.kind ELSE excluded.kind END
RETURNING id, account_id, key

-- name: bases_in
SELECT conversation_id, 0 AS turn, 0 AS from_position, base FROM conversation_spools
WHERE spool_id = :spool_id AND conversation_id IN (
  /*sqlite: SELECT value FROM json_each(:ids)*/
  /*postgres: SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS JSON))*/)
UNION ALL SELECT conversation_id, id, from_position, base FROM conversation_turns
WHERE spool_id = :spool_id AND conversation_id IN (
  /*sqlite: SELECT value FROM json_each(:ids)*/
  /*postgres: SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS JSON))*/)
ORDER BY conversation_id, turn

-- name: add_place_bases
INSERT INTO conversation_spools (conversation_id, spool_id, base)
SELECT w.id, CAST(:spool_id AS TEXT), COALESCE((SELECT max(place) FROM (
  SELECT max(position) AS place FROM messages WHERE conversation_id = w.id
  UNION ALL SELECT max(before_position) - 1 FROM gaps WHERE conversation_id = w.id) placed), 0)
FROM (
  /*sqlite: SELECT value AS id FROM json_each(:ids)*/
  /*postgres: SELECT CAST(value AS BIGINT) AS id FROM json_array_elements_text(CAST(:ids AS JSON))*/) w
WHERE true
RETURNING conversation_id, base, (SELECT count(*) FROM conversation_spools o
  WHERE o.conversation_id = conversation_spools.conversation_id AND o.spool_id <> conversation_spools.spool_id) AS others
