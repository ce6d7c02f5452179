/** A home as the original program leaves it: its files, and its databases in write-ahead mode. */
import { Database } from 'bun:sqlite';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const fixture = join(import.meta.dir, '../fixtures/original-home');

const stateTables = `
CREATE TABLE idempotency_keys (scope_key TEXT PRIMARY KEY, response_json TEXT);
CREATE TABLE task_ownership (owner_key TEXT PRIMARY KEY, provider_id TEXT NOT NULL, task_id TEXT NOT NULL,
  owner_subject TEXT NOT NULL, created_by_subject TEXT, created_at_ms INTEGER NOT NULL);
CREATE TABLE task_action_history (id INTEGER PRIMARY KEY AUTOINCREMENT, provider_id TEXT NOT NULL, task_id TEXT,
  action TEXT NOT NULL, subject TEXT NOT NULL, outcome TEXT NOT NULL, idempotency_key TEXT, status_code INTEGER,
  details_json TEXT, created_at_ms INTEGER NOT NULL);
INSERT INTO idempotency_keys VALUES ('k', '{}');
INSERT INTO task_ownership VALUES ('agent_bridge::t1', 'agent_bridge', 't1', 'ci', 'ci', 1700000000000);
INSERT INTO task_ownership VALUES ('agent_bridge::t2', 'agent_bridge', 't2', 'boss-1', 'ci', 1700000001000);
INSERT INTO task_action_history VALUES (1, 'agent_bridge', 't1', 'create', 'ci', 'success', 'key-1', 200, '{}', 1700000000000);
INSERT INTO task_action_history VALUES (2, 'agent_bridge', NULL, 'create', 'ci', 'error', NULL, 502, '{"reason":"no answer"}', 1700000002000);
`;

const usageTable = `
CREATE TABLE usage_records (id INTEGER PRIMARY KEY AUTOINCREMENT, ts TEXT NOT NULL, provider TEXT, model TEXT, endpoint TEXT,
  source TEXT, profile_id TEXT, prompt_tokens INTEGER, completion_tokens INTEGER, total_tokens INTEGER, latency_ms INTEGER,
  cost REAL, meta_json TEXT);
INSERT INTO usage_records VALUES (1, '2025-11-21T10:00:00.123456+02:00', 'openai', 'gpt-4o-mini', '/v1/chat/completions', 'profile',
  'openai:work', 10, 5, 15, 812, 0.0000125, '{}');
INSERT INTO usage_records VALUES (2, 'yesterday', 'openai', 'gpt-4o-mini', '/v1/chat/completions', 'profile', NULL, 1, 1, 2, 3, 0.1, NULL);
`;

export interface OriginalHome {
  /** Leaves the state as a killed process does, with a log beside it. */
  readonly killed?: boolean;
}

/** @param home made */
export function originalHome(home: string, { killed = false }: OriginalHome = {}): void {
  cpSync(fixture, home, { recursive: true });
  chmodSync(home, 0o700);
  const state = stateDatabase(join(home, killed ? 'open.sqlite3' : 'runtime_state.sqlite3'));
  if (killed) {
    for (const end of ['', '-wal']) cpSync(join(home, `open.sqlite3${end}`), join(home, `runtime_state.sqlite3${end}`));
  }
  state.close();
  if (killed) for (const end of ['', '-wal', '-shm']) rmSync(join(home, `open.sqlite3${end}`), { force: true });
  const usage = new Database(join(home, 'usage.sqlite3'));
  usage.run('PRAGMA journal_mode = WAL');
  usage.run(usageTable);
  usage.close();
}

/** @returns it open, as a process that runs has it */
export function stateDatabase(path: string): Database {
  const state = new Database(path);
  state.run('PRAGMA journal_mode = WAL');
  state.run(stateTables);
  return state;
}
