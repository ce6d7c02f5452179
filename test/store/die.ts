/**
 * A process that does one thing to a database and kills itself before its statement number N; it says `done` once the
 * thing was acknowledged. Arguments: database, name of the thing, N.
 */
import { writeSync } from 'node:fs';
import type { AuditEvent } from '../../src/core/audit.ts';
import type { ConfigWrite } from '../../src/core/config.ts';
import type { SqlDatabase, SqlStatement, SqlValue } from '../../src/core/ports.ts';
import type { Store } from '../../src/core/store.ts';
import type { TokenRecord } from '../../src/core/tokens.ts';
import { openSqlite } from '../../src/runtime/sqlite.ts';
import { openStore } from '../../src/store/open.ts';

const [path = '', name = '', last = ''] = process.argv.slice(2);
const at = 1_760_000_000_000;
let left = Number.POSITIVE_INFINITY;

const event: AuditEvent = {
  ...{ timestamp: at, action: 'config.update', actor: 'local', result: 'success', projectId: null, requestId: null },
  ...{ clientIp: null, userAgent: null, details: {} },
};
const sealed = (id: string) => ({ id, origin: null, hint: '****', envelope: `v1.00000000.n.${id}`, createdAt: at });
const naming = (...ids: readonly string[]) => ({ list: ids.map((id) => ({ $secret: id })) });
const token: TokenRecord = {
  ...{ id: 'tok_new', digest: 'ab'.repeat(32), hint: 'ola_****abcd', name: 'new', owner: null, project: null, scopes: ['read'] },
  ...{ enabled: true, createdAt: at, expiresAt: null, revokedAt: null, lastUsedAt: null, useCount: 0 },
};
const write = (number: number): ConfigWrite => ({
  revision: { number, at, actor: 'local', summary: 'config.update', document: naming('new1', 'new2'), file: null, consents: {} },
  ...{ secrets: [sealed('new1'), sealed('new2')], tokens: [token], event },
});
const usage = {
  ...{ startedAt: at, requestId: 'r', subject: 's', tokenId: null, project: null, client: null, endpoint: '/e', requested: 'm' },
  ...{ provider: null, model: null, profile: null, source: null, stream: false, status: 200, error: null, costMicros: null },
  ...{ tokens: { prompt: 1, completion: 1, cacheRead: null, cacheWrite: null, reasoning: null }, priceVersion: null },
  ...{ firstByteMs: null, latencyMs: 1, attempts: null },
};
const task = { provider: 'agent_bridge', taskId: 't', subject: 's', at };

const things: Record<string, (store: Store) => Promise<unknown>> = {
  open: async () => {},
  write: async ({ config }) => config.write(write((await config.newest()) + 1)),
  snapshot: ({ config }) => config.saveSnapshot({ name: 'work', at, document: naming('new1') }, [sealed('new1')], event),
  async reseal({ config }) {
    const secrets = await config.secrets();
    return config.reseal(secrets.map(({ id, envelope }) => ({ id, from: envelope, to: `${envelope}-again` })));
  },
  import: async ({ predecessor, config }) =>
    predecessor.import(
      {
        config: write((await config.newest()) + 1),
        snapshots: [{ name: 'theirs', at, document: naming('new3') }],
        secrets: [sealed('new3')],
        owners: [{ provider: 'agent_bridge', taskId: 't', owner: 's', createdBy: 's', createdAt: at }],
        actions: [{ ...task, action: 'create', outcome: 'applied', idempotencyKey: null, status: 200, reason: null }],
        usage: [usage, { ...usage, requested: 'other' }],
      },
      at,
    ),
};

function step(): void {
  if (--left === 0) process.kill(process.pid, 'SIGKILL');
}

function counted(statement: SqlStatement): SqlStatement {
  const stepping =
    <T>(does: (...values: readonly SqlValue[]) => T) =>
    (...values: readonly SqlValue[]): T => {
      step();
      return does(...values);
    };
  return { run: stepping(statement.run), get: stepping(statement.get), all: stepping(statement.all) };
}

const database = openSqlite(path);
const watched: SqlDatabase = {
  ...database,
  prepare: (sql) => counted(database.prepare(sql)),
  exec(sql) {
    for (const statement of sql.split(/(?<=;)\n/).filter((text) => text.trim() !== '')) {
      step();
      database.exec(statement);
    }
  },
};
const open = () => openStore({ database: watched, now: () => at, backUp: () => {} });
if (name === 'open') left = Number(last);
const store = open();
left = Number(last);
await things[name]?.(store);
writeSync(1, 'done');
// What was acknowledged is on the disk: no clean end needed.
process.kill(process.pid, 'SIGKILL');
