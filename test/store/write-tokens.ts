/** A process that creates tokens until it is killed, and says each one that was acknowledged. Arguments: database, prefix. */
import { writeSync } from 'node:fs';
import { openSqlite } from '../../src/runtime/sqlite.ts';
import { openStore } from '../../src/store/open.ts';
import { auditEvent, tokenRecord, usageRow } from '../contract/store.ts';

const [path = '', prefix = ''] = process.argv.slice(2);
const store = openStore({ database: openSqlite(path), now: Date.now, backUp: () => {} });
for (let n = 0; ; n++) {
  await store.usage.append([usageRow(`${prefix}${n}`, Date.now())]);
  await store.tokens.create(tokenRecord(`${prefix}${n}`), auditEvent('token.create'));
  writeSync(1, `${prefix}${n}\n`);
}
