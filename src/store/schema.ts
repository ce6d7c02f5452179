/** The tables, as numbered migration steps. A released step is never edited: a change is a new step. */

/** The `application_id` of ola's databases: `OLA1` as a big-endian integer. */
export const applicationId = 0x4f4c4131;

export interface Migration {
  /** `user_version` after the step. The first step has 1, each following one more. */
  readonly version: number;
  readonly sql: string;
}

/*
 * Usage has one row per request and therefore no secondary index. The id is the time of arrival times 1024 plus a sequence,
 * so the rows are in the order of time. Fields that repeat from call to call form a kind, which is written once: a row then
 * takes 70 bytes instead of 230, and half the time. The key of a kind is its columns as JSON, because UNIQUE over the columns
 * would treat two NULLs as different.
 * Audit ids are never used again (AUTOINCREMENT), so that a removed tail is noticed.
 * `revisions.secrets` lists the secrets that the document names: a secret is kept as long as a revision names it.
 */
const first = `
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE revisions (
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  summary TEXT NOT NULL,
  document TEXT NOT NULL,
  secrets TEXT NOT NULL
) STRICT;

CREATE TABLE secrets (
  id TEXT PRIMARY KEY,
  origin TEXT,
  hint TEXT NOT NULL,
  envelope TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  hint TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT,
  project TEXT,
  scopes TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER,
  use_count INTEGER NOT NULL
) STRICT;

CREATE TABLE usage_kinds (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  endpoint TEXT NOT NULL,
  stream INTEGER NOT NULL,
  provider TEXT,
  model TEXT,
  profile TEXT,
  source TEXT,
  price_version TEXT,
  project TEXT,
  subject TEXT NOT NULL,
  token_id TEXT,
  client TEXT,
  requested TEXT NOT NULL
) STRICT;

CREATE TABLE usage (
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL REFERENCES usage_kinds (id),
  request_id TEXT NOT NULL,
  status INTEGER NOT NULL,
  error TEXT,
  prompt_tokens INTEGER,
  completion_tokens INTEGER,
  cache_read_tokens INTEGER,
  cache_write_tokens INTEGER,
  reasoning_tokens INTEGER,
  cost_micros INTEGER,
  first_byte_ms INTEGER,
  latency_ms INTEGER NOT NULL,
  attempts TEXT
) STRICT;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  timestamp INTEGER NOT NULL,
  action TEXT NOT NULL,
  actor TEXT NOT NULL,
  result TEXT NOT NULL,
  project_id TEXT,
  request_id TEXT,
  client_ip TEXT,
  user_agent TEXT,
  details TEXT NOT NULL
) STRICT;
`;

/*
 * A revision's document is its last column, because SQLite reads through a large value to reach the columns after it. `file`
 * is null for the database.
 * `secret_uses` lists the holders of a secret: the history of the database (`database`) or of a file (`file:PATH`), or a
 * snapshot (`snapshot:NAME`). `until` is the last revision of a history that names the secret; null while the newest does. A
 * secret is deleted with its last use. A write touches only the uses that it adds or ends.
 * `usage_kinds.last_day` counts days since 1970. No row of the kind is younger, so retention finds unused kinds by it.
 */
const second = `
CREATE TABLE kept_revisions (
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  summary TEXT NOT NULL,
  file TEXT,
  secrets TEXT NOT NULL,
  document TEXT NOT NULL
) STRICT;
INSERT INTO kept_revisions (number, at, actor, summary, file, secrets, document)
  SELECT number, at, actor, summary, NULL, secrets, document FROM revisions;
DROP TABLE revisions;
ALTER TABLE kept_revisions RENAME TO revisions;
CREATE INDEX revisions_by_file ON revisions (file, number);

CREATE TABLE snapshots (
  name TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  secrets TEXT NOT NULL,
  document TEXT NOT NULL
) STRICT;

CREATE TABLE secret_uses (
  secret TEXT NOT NULL,
  holder TEXT NOT NULL,
  until INTEGER,
  PRIMARY KEY (secret, holder)
) STRICT, WITHOUT ROWID;
CREATE INDEX secret_uses_by_end ON secret_uses (holder, until) WHERE until IS NOT NULL;
INSERT INTO secret_uses (secret, holder, until)
  SELECT value, 'database', nullif(max(number), (SELECT max(number) FROM revisions))
  FROM revisions, json_each(revisions.secrets) WHERE value IN (SELECT id FROM secrets) GROUP BY value;

CREATE TABLE task_owners (
  provider TEXT NOT NULL,
  task_id TEXT NOT NULL,
  owner TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (provider, task_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE task_actions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  provider TEXT NOT NULL,
  task_id TEXT,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  outcome TEXT NOT NULL,
  idempotency_key TEXT,
  status INTEGER,
  reason TEXT,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX task_actions_by_task ON task_actions (provider, task_id, id);

ALTER TABLE usage_kinds ADD COLUMN last_day INTEGER NOT NULL DEFAULT 0;
UPDATE usage_kinds SET last_day = newest.id / 1024 / 86400000
  FROM (SELECT kind, max(id) AS id FROM usage GROUP BY kind) AS newest WHERE newest.kind = usage_kinds.id;
CREATE INDEX usage_kinds_by_last_day ON usage_kinds (last_day);
`;

/*
 * `usage_hours` adds up the usage rows of an hour and a kind, so that a report reads some rows an hour instead of a row a
 * request. `hour` counts hours since 1970. `priced` counts the requests whose cost is known. Sums stop at 2^53 - 1, because
 * an upstream may report any count and SQLite refuses a sum beyond 2^63.
 */
const mostCounted = Number.MAX_SAFE_INTEGER;
const sumOf = (column: string) => `min(max(CAST(total(${column}) AS INTEGER), -${mostCounted}), ${mostCounted})`;
const third = `
CREATE TABLE usage_hours (
  hour INTEGER NOT NULL,
  kind INTEGER NOT NULL REFERENCES usage_kinds (id),
  requests INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  priced INTEGER NOT NULL,
  cost_micros INTEGER NOT NULL,
  latency_ms INTEGER NOT NULL,
  PRIMARY KEY (hour, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO usage_hours
  SELECT id / 1024 / 3600000 AS hour, kind, count(*), count(error), ${sumOf('prompt_tokens')}, ${sumOf('completion_tokens')},
    count(cost_micros), ${sumOf('cost_micros')}, ${sumOf('latency_ms')}
  FROM usage GROUP BY hour, kind;
`;

const fourth = `
ALTER TABLE revisions ADD COLUMN consents TEXT;
`;

/* `model` is empty where the cooldown is of every model: a key takes two NULLs for different. Times are milliseconds since 1970. */
const fifth = `
CREATE TABLE cooldowns (
  provider TEXT NOT NULL,
  source TEXT NOT NULL,
  model TEXT NOT NULL,
  reason TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER NOT NULL,
  probe_at INTEGER NOT NULL,
  windows INTEGER NOT NULL,
  PRIMARY KEY (provider, source, model)
) STRICT, WITHOUT ROWID;
`;

/*
 * `id` is the digest of the profile's id and the refresh token that was entered. `envelope` holds the renewed tokens, sealed with
 * the table and the id. Times are milliseconds since 1970; no lease is held from `lease_until` on.
 */
const sixth = `
CREATE TABLE oauth_grants (
  id TEXT PRIMARY KEY,
  profile TEXT NOT NULL,
  version INTEGER NOT NULL,
  envelope TEXT,
  obtained_at INTEGER,
  expires_at INTEGER,
  state TEXT NOT NULL,
  reason TEXT,
  failing_since INTEGER,
  failures INTEGER NOT NULL,
  retry_at INTEGER NOT NULL,
  lease_owner TEXT,
  lease_until INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

/* The upstream's own word for the end of an answer, where ola does not know it. */
const seventh = `
ALTER TABLE usage ADD COLUMN stop TEXT;
`;

export const migrations: readonly Migration[] = [
  { version: 1, sql: first },
  { version: 2, sql: second },
  { version: 3, sql: third },
  { version: 4, sql: fourth },
  { version: 5, sql: fifth },
  { version: 6, sql: sixth },
  { version: 7, sql: seventh },
];
