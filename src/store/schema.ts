/** The tables, as the numbered steps that made them. A step that was released is never edited: a change is a new step. */

/** The `application_id` of a database of ours: `OLA1` as a big-endian integer. */
export const applicationId = 0x4f4c4131;

export interface Migration {
  /** `user_version` after it; the first is 1, each one more than the one before. */
  readonly version: number;
  readonly sql: string;
}

/*
 * Usage is one row a request, so it has no secondary index: its id is the time it arrived, times 1024, plus a sequence,
 * and the rows lie in the order of time. What repeats from call to call is a kind, written once: a row takes 70 bytes in
 * place of 230, and half the time. The key of a kind is its columns as JSON: UNIQUE over them would take two NULLs for different.
 * Audit ids are never used again (AUTOINCREMENT), so that a cut tail shows.
 * `revisions.secrets` lists the secrets that the document names: a secret lives as long as a revision names it.
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

export const migrations: readonly Migration[] = [{ version: 1, sql: first }];
