-- SPDX-License-Identifier: Apache-2.0
--
-- The tables of the store, for every driver. Sections:
--   "-- file NAME"       which role's file (SQLite) or schema (PostgreSQL)
--   "-- version N"       the upgrade from version N-1; a new file runs all
--   "-- only DRIVER"     the next statement is for this driver alone
-- Every statement ends with ";" at the end of a line. Types are SQLite's
-- STRICT ones; the PostgreSQL driver reads INTEGER as BIGINT, BLOB as BYTEA
-- and leaves STRICT out.
--
-- Each table has exactly one writing role: the owner of its file.
-- Rows of event, turn, item, sighting, content, mail, attempt, want, record and
-- send are never deleted and their ids are given in order without holes;
-- counting relies on that. No two files have a table of one name, except
-- cursor and claim.

-- file intake
-- version 1

-- A webhook body as it was received. body is NULL once purged; the rest stays.
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  received_ms INTEGER NOT NULL,
  remote TEXT NOT NULL,
  secret_name TEXT NOT NULL,
  signature TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  size INTEGER NOT NULL,
  body BLOB
) STRICT;

-- How far the purge has come, so that it never scans from the start.
CREATE TABLE cursor (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events the purge went past because their mails were not all sent.
CREATE TABLE event_left (id INTEGER PRIMARY KEY) STRICT;

-- file build
-- version 1

CREATE TABLE cursor (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE claim (
  name TEXT PRIMARY KEY,
  first_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  deaths INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Not IN: of three values and more SQLite makes a table for each row it checks.
CREATE TABLE turn (
  id INTEGER PRIMARY KEY,
  state TEXT NOT NULL CHECK (state = 'closed' OR state = 'rendered' OR
    state = 'open' OR state = 'held' OR state = 'parked'),
  conversation TEXT NOT NULL,
  author TEXT NOT NULL,
  business TEXT,
  kind TEXT NOT NULL,
  first_at_ms INTEGER NOT NULL,
  last_at_ms INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL,
  touched_ms INTEGER NOT NULL,
  close_at_ms INTEGER NOT NULL,
  items INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  closed_ms INTEGER,
  closed_why TEXT,
  done_ms INTEGER,          -- when rendered or parked
  parked_why TEXT,
  message_id TEXT,
  sha256 BLOB
) STRICT;
CREATE INDEX turn_open ON turn (close_at_ms) WHERE state = 'open';
CREATE INDEX turn_talk ON turn (conversation) WHERE state = 'open';
CREATE INDEX turn_closed ON turn (id) WHERE state = 'closed';
CREATE INDEX turn_held ON turn (id) WHERE state = 'held';
CREATE INDEX turn_parked ON turn (id) WHERE state = 'parked';

CREATE TABLE item (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,     -- SHA-256 of the item's key
  event_id INTEGER NOT NULL,
  turn_id INTEGER REFERENCES turn,  -- NULL: only recorded
  wamid TEXT,
  target TEXT,
  kind TEXT NOT NULL,
  type TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  digest BLOB NOT NULL
) STRICT;
CREATE INDEX item_turn ON item (turn_id);
CREATE INDEX item_event ON item (event_id);

CREATE TABLE sighting (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL,
  event_id INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  same INTEGER NOT NULL
) STRICT;
CREATE INDEX sighting_key ON sighting (key);
CREATE INDEX sighting_event ON sighting (event_id);
CREATE INDEX sighting_differs ON sighting (id) WHERE same = 0;

CREATE TABLE alias (
  network TEXT NOT NULL,
  id TEXT NOT NULL,
  person TEXT NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (network, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_person ON alias (network, person);

CREATE TABLE parked (
  event_id INTEGER PRIMARY KEY,
  turn_id INTEGER NOT NULL,
  reason TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;

-- The finished bytes of a mail, for one or more journals.
CREATE TABLE content (
  id INTEGER PRIMARY KEY,
  turn_id INTEGER NOT NULL REFERENCES turn,
  sha256 BLOB NOT NULL,
  size INTEGER NOT NULL,
  bytes BLOB
) STRICT;

CREATE TABLE mail (
  id INTEGER PRIMARY KEY,
  turn_id INTEGER NOT NULL REFERENCES turn,
  content_id INTEGER NOT NULL REFERENCES content,
  journal TEXT NOT NULL,
  message_id TEXT NOT NULL,
  envelope_from TEXT NOT NULL,
  envelope_to TEXT NOT NULL,
  queued_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX mail_journal ON mail (journal, id);
CREATE INDEX mail_turn ON mail (turn_id);

-- Where a search for an id begins: the first 64 bits of SHA-256 of wamids,
-- targets and Message-IDs, in runs of some thousand messages, each added at
-- once and in order. An index on each of these ids would write a page per
-- message, as they are random; a run writes a page per two hundred.
CREATE TABLE trail (
  run INTEGER NOT NULL,
  hash INTEGER NOT NULL,
  turn_id INTEGER NOT NULL,
  PRIMARY KEY (run, hash, turn_id)
) STRICT, WITHOUT ROWID;

-- Contents the purge went past because their mails were not all sent.
CREATE TABLE content_left (id INTEGER PRIMARY KEY) STRICT;

-- version 2

-- The file of a content whose bytes are not in its row: "ab/cd/SHA-256" below
-- the directory of mails. The row goes when the file does.
CREATE TABLE content_file (
  content_id INTEGER PRIMARY KEY REFERENCES content,
  name TEXT NOT NULL
) STRICT;
CREATE INDEX content_file_name ON content_file (name);

-- Closed turns whose files are still wanted.
CREATE TABLE waiting (
  turn_id INTEGER PRIMARY KEY REFERENCES turn,
  until_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX waiting_due ON waiting (until_ms);

CREATE TABLE want (
  id INTEGER PRIMARY KEY,
  turn_id INTEGER NOT NULL REFERENCES turn,
  event_id INTEGER NOT NULL,
  key BLOB NOT NULL,            -- of its item
  ordinal INTEGER NOT NULL,
  business TEXT,
  media_id TEXT NOT NULL,
  url TEXT,
  mime_type TEXT,
  sha256 TEXT,                  -- as it was declared
  at_ms INTEGER NOT NULL,
  wanted_ms INTEGER NOT NULL,
  late INTEGER NOT NULL DEFAULT 0  -- the mail of its turn is without it
) STRICT;
CREATE INDEX want_turn ON want (turn_id);
CREATE INDEX want_event ON want (event_id);
CREATE INDEX want_late ON want (id) WHERE late = 1;

CREATE TABLE follow_up (
  turn_id INTEGER PRIMARY KEY REFERENCES turn,
  want_id INTEGER NOT NULL UNIQUE REFERENCES want
) STRICT;

-- Which value was whose, and when. sought is what it is found by: a number
-- without "+", a username without "@" and case; else the value.
CREATE TABLE identity (
  id INTEGER PRIMARY KEY,
  realm TEXT NOT NULL,
  person TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  sought TEXT NOT NULL,
  source TEXT NOT NULL,
  first_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL     -- 0: it still holds
) STRICT;
CREATE INDEX identity_person ON identity (person, kind);
CREATE INDEX identity_sought ON identity (sought);

CREATE TABLE novelty (
  field TEXT NOT NULL,
  word TEXT NOT NULL,
  count INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (field, word)
) STRICT, WITHOUT ROWID;

-- version 3

-- Whom what a rule counts went to, and when: of turns. The gateway has its
-- own, of sends, in its file.
CREATE TABLE turn_tally (
  rule TEXT NOT NULL,
  subject TEXT NOT NULL,
  who TEXT NOT NULL,
  at_ms INTEGER NOT NULL,       -- the last time
  PRIMARY KEY (rule, subject, who)
) STRICT, WITHOUT ROWID;
CREATE INDEX turn_tally_at ON turn_tally (at_ms);
CREATE INDEX turn_tally_since ON turn_tally (rule, subject, at_ms);

-- The rule sets that were in force, with the texts that made them.
CREATE TABLE ruleset (
  sha256 BLOB PRIMARY KEY,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  text BLOB NOT NULL
) STRICT;

-- Turns where a rule fired, and what was found.
CREATE TABLE judged (
  turn_id INTEGER PRIMARY KEY REFERENCES turn,
  json TEXT NOT NULL
) STRICT;

-- Turns whose mail is only a record.
CREATE TABLE excluded (
  turn_id INTEGER PRIMARY KEY REFERENCES turn,
  why TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;

-- A turn is held once, and not for ever.
CREATE TABLE hold (
  turn_id INTEGER PRIMARY KEY REFERENCES turn,
  rule TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL CHECK (until_ms > since_ms),
  persons INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL DEFAULT 0,  -- 0: it is held
  how TEXT CHECK (how IN ('released','rejected','expired','parked')),
  CHECK ((ended_ms = 0) = (how IS NULL))
) STRICT;
CREATE INDEX hold_due ON hold (until_ms) WHERE ended_ms = 0;

CREATE TABLE consent (
  id INTEGER PRIMARY KEY,
  realm TEXT NOT NULL,
  person TEXT NOT NULL,
  state TEXT NOT NULL,
  source TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX consent_person ON consent (person, realm, at_ms);

CREATE TABLE alert (
  rule TEXT PRIMARY KEY,
  last_ms INTEGER NOT NULL,
  swallowed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Sends of unknown outcome that turned out to have left.
CREATE TABLE resolution (
  send_key TEXT PRIMARY KEY,
  wamid TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE template_change (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  name TEXT NOT NULL,
  language TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;

-- What the directory server is to be asked. Asked again it has a new id; ids
-- are not without holes.
CREATE TABLE turn_ask (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  UNIQUE (kind, value)
) STRICT;

-- version 4

CREATE INDEX want_media ON want (media_id);

-- Since when a parked event is no more so: it was understood after all.
ALTER TABLE parked ADD COLUMN ended_ms INTEGER NOT NULL DEFAULT 0;

-- Turns that were parked and are not any more, each time.
CREATE TABLE turn_unparked (
  id INTEGER PRIMARY KEY,
  turn_id INTEGER NOT NULL REFERENCES turn,
  why TEXT NOT NULL,
  at_ms INTEGER NOT NULL        -- when it was parked
) STRICT;
CREATE INDEX turn_unparked_turn ON turn_unparked (turn_id);

-- Other bytes than the first under the key of an item.
CREATE TABLE variant (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL,            -- of the item that came first
  digest BLOB NOT NULL,
  event_id INTEGER NOT NULL,    -- the first that had these
  turn_id INTEGER NOT NULL DEFAULT 0,   -- 0: only counted
  at_ms INTEGER NOT NULL,
  times INTEGER NOT NULL,
  UNIQUE (key, digest)
) STRICT;

-- file media
-- version 1

CREATE TABLE cursor (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What became of a want so far; number is the place among those that became
-- final, in order and without holes.
CREATE TABLE fetch (
  want_id INTEGER PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN
    ('trying','retry','fetched','quarantined','unavailable')),
  number INTEGER UNIQUE,
  attempts INTEGER NOT NULL,
  deaths INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  next_ms INTEGER NOT NULL,
  done_ms INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  size INTEGER NOT NULL,
  path TEXT,                    -- NULL: there is no file, or not any more
  type TEXT,
  verdict TEXT,
  reason TEXT,
  hash_differs INTEGER NOT NULL,
  type_differs INTEGER NOT NULL,
  length_ms INTEGER NOT NULL     -- of a recording; 0: not known
) STRICT;
CREATE INDEX fetch_retry ON fetch (next_ms) WHERE state = 'retry';
CREATE INDEX fetch_trying ON fetch (want_id) WHERE state = 'trying';
CREATE INDEX fetch_quarantined ON fetch (want_id) WHERE state = 'quarantined';
CREATE INDEX fetch_unavailable ON fetch (want_id) WHERE state = 'unavailable';
-- Random, but a file costs far more than the page: who else uses it.
CREATE INDEX fetch_path ON fetch (path) WHERE path IS NOT NULL;

-- Numbers of fetches the purge went past because their mails were not all
-- sent.
CREATE TABLE fetch_left (id INTEGER PRIMARY KEY) STRICT;

-- file deliver
-- version 1

CREATE TABLE cursor (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE claim (
  name TEXT PRIMARY KEY,
  first_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  deaths INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outcome (
  mail_id INTEGER PRIMARY KEY,
  journal TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state = 'sent' OR state = 'deferred' OR
    state = 'failed'),
  attempts INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  next_ms INTEGER NOT NULL,
  code INTEGER NOT NULL,
  reply TEXT NOT NULL
) STRICT;
CREATE INDEX outcome_due ON outcome (journal, next_ms) WHERE state = 'deferred';
CREATE INDEX outcome_failed ON outcome (journal, mail_id) WHERE state = 'failed';

CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  mail_id INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  result TEXT NOT NULL,
  code INTEGER NOT NULL,
  reply TEXT NOT NULL
) STRICT;
CREATE INDEX attempt_mail ON attempt (mail_id);

CREATE TABLE relay (
  name TEXT PRIMARY KEY,
  up INTEGER NOT NULL,
  since_ms INTEGER NOT NULL,
  next_ms INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- file gateway
-- version 1

CREATE TABLE cursor (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE claim (
  name TEXT PRIMARY KEY,
  first_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  deaths INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- As turn_ask, of the gateway.
CREATE TABLE send_ask (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  UNIQUE (kind, value)
) STRICT;

-- What the gateway tells build, as an event; its id is above 10^15
-- (STORE_EVENT_GATEWAY). body is NULL once purged.
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  received_ms INTEGER NOT NULL,
  remote TEXT NOT NULL,
  application TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  size INTEGER NOT NULL,
  body BLOB
) STRICT;

-- Records the purge went past because their mails were not all sent.
CREATE TABLE record_left (id INTEGER PRIMARY KEY) STRICT;

-- A request of staff to send. Its bytes are last: SQLite reads a row from its
-- start. Keys begin with their time, so that their index grows at its end.
CREATE TABLE send (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state = 'done' OR state = 'forwarding' OR
    state = 'stored' OR state = 'held'),
  received_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  persons INTEGER NOT NULL,
  status INTEGER NOT NULL,
  first_record_id INTEGER REFERENCES record,
  record_id INTEGER REFERENCES record,
  outcome TEXT,
  wamid TEXT,
  application TEXT NOT NULL,
  employee TEXT,
  remote TEXT NOT NULL,
  business TEXT NOT NULL,
  target TEXT NOT NULL,
  content_type TEXT,
  sha256 BLOB NOT NULL,         -- of request
  verdict TEXT,
  definition TEXT,
  request BLOB,                 -- NULL once purged
  sent BLOB,                    -- NULL: the request itself
  answer BLOB,
  CHECK (record_id IS NOT NULL OR state NOT IN ('held','done'))
) STRICT;
CREATE INDEX send_open ON send (state, id) WHERE state <> 'done';
CREATE INDEX send_record ON send (record_id) WHERE record_id IS NOT NULL;
CREATE INDEX send_unknown ON send (id) WHERE outcome = 'unknown';

-- Digests of Idempotency-Keys, for as long as they are asked for: random, so
-- their index has to stay small.
CREATE TABLE idempotency (
  send_id INTEGER PRIMARY KEY REFERENCES send,
  received_ms INTEGER NOT NULL,
  digest BLOB NOT NULL
) STRICT;
CREATE INDEX idempotency_digest ON idempotency (digest);

-- Files that staff uploaded; path is below the directory of uploads, NULL when
-- the file is gone. What is about files may be indexed as it likes.
CREATE TABLE upload (
  id INTEGER PRIMARY KEY,
  media_id TEXT NOT NULL,
  business TEXT NOT NULL,
  application TEXT NOT NULL,
  employee TEXT,
  sha256 BLOB NOT NULL,
  size INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  path TEXT,
  name TEXT,
  type TEXT,
  verdict TEXT
) STRICT;
CREATE INDEX upload_media ON upload (media_id);
CREATE INDEX upload_path ON upload (path) WHERE path IS NOT NULL;
CREATE INDEX upload_kept ON upload (at_ms) WHERE path IS NOT NULL;

-- Wordings of a template, each from when it was first seen.
CREATE TABLE definition (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  name TEXT NOT NULL,
  language TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  checked_ms INTEGER NOT NULL,
  json TEXT,                    -- NULL: the network knew no such template
  UNIQUE (account, name, language, from_ms)
) STRICT;

-- As build's turn_tally, of sends.
CREATE TABLE send_tally (
  rule TEXT NOT NULL,
  subject TEXT NOT NULL,
  who TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (rule, subject, who)
) STRICT, WITHOUT ROWID;
CREATE INDEX send_tally_at ON send_tally (at_ms);
CREATE INDEX send_tally_since ON send_tally (rule, subject, at_ms);

-- When a rule last added its text to a conversation.
CREATE TABLE told (
  rule TEXT NOT NULL,
  talk TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (rule, talk)
) STRICT, WITHOUT ROWID;

-- version 2

ALTER TABLE send ADD COLUMN method TEXT;
UPDATE send SET method = 'POST' WHERE state = 'held';

-- file directory
-- version 1

CREATE TABLE cursor (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE claim (
  name TEXT PRIMARY KEY,
  first_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  deaths INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the directory server said of a number or an id.
CREATE TABLE answer (
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  found INTEGER NOT NULL,
  id TEXT,                      -- of the employee
  name TEXT,
  mail TEXT,
  groups TEXT,                  -- a JSON list
  at_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,    -- fresh until then
  PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_until ON answer (until_ms);

-- version 2

-- How the directory server is: one row, once it was asked.
CREATE TABLE server (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  up INTEGER NOT NULL,
  since_ms INTEGER NOT NULL,
  next_ms INTEGER NOT NULL,     -- is tried again
  reason TEXT NOT NULL
) STRICT;

-- file admin
-- version 1

CREATE TABLE action (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  verb TEXT NOT NULL,
  mail_id INTEGER NOT NULL,
  journal TEXT
) STRICT;

-- version 2

-- What a person decided about what is held: of a turn, or of a send. No person
-- does the same to it twice.
CREATE TABLE review (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  who TEXT NOT NULL CHECK (who <> ''),
  verb TEXT NOT NULL CHECK (verb IN ('release','reject')),
  turn_id INTEGER NOT NULL,     -- 0: of a send
  send_key TEXT,
  why TEXT NOT NULL,
  CHECK ((turn_id = 0) = (send_key IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX review_turn ON review (turn_id, verb, who)
  WHERE turn_id <> 0;
CREATE UNIQUE INDEX review_send ON review (send_key, verb, who)
  WHERE send_key IS NOT NULL;

-- version 3

-- What a person wants done about what is parked or failed: of a mail, a turn
-- or an event.
CREATE TABLE request (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  who TEXT NOT NULL CHECK (who <> ''),
  verb TEXT NOT NULL CHECK (verb IN ('retry','acknowledge')),
  mail_id INTEGER NOT NULL,     -- of these three two are 0
  turn_id INTEGER NOT NULL,
  event_id INTEGER NOT NULL,
  why TEXT NOT NULL,
  CHECK ((mail_id <> 0) + (turn_id <> 0) + (event_id <> 0) = 1)
) STRICT;
CREATE INDEX request_mail ON request (mail_id) WHERE mail_id <> 0;
CREATE INDEX request_turn ON request (turn_id) WHERE turn_id <> 0;
CREATE INDEX request_event ON request (event_id) WHERE event_id <> 0;
