import { expect, test } from 'bun:test';
import { join } from 'node:path';
import type { UsagePlace } from '../../../src/core/usage.ts';
import { groupUsage, usageReport } from '../../../src/gateway/records/usage-report.ts';
import { openSqlite } from '../../../src/runtime/sqlite.ts';
import { openStore } from '../../../src/store/open.ts';
import { start, usageRow } from '../../contract/store.ts';
import { directories } from '../../directories.ts';

const directory = directories();
const hour = 3_600_000;
const first = Math.ceil(start / hour);

test('a report over 100,000 requests reads some sums, a thousand at a time', async () => {
  const store = openStore({ database: openSqlite(join(directory(), 'state.sqlite3')), now: () => start, backUp: () => {} });
  const rows = Array.from({ length: 100_000 }, (_, n) =>
    usageRow('r', (first + (n % 600)) * hour, { model: `m${n % 5}`, provider: `p${n % 2}` }),
  );
  for (let at = 0; at < rows.length; at += 10_000) await store.usage.append(rows.slice(at, at + 10_000));
  const read: number[] = [];
  const watched = {
    hours: async (after: UsagePlace, limit: number) => {
      const slice = await store.usage.hours(after, limit);
      read.push(slice.length);
      return slice;
    },
  };

  const report = await usageReport(watched, { from: first, to: first + 600 });
  expect(report.total.requests).toBe(100_000);
  expect(report.hours.size).toBe(600);
  expect(read).toEqual([600]);
  expect(groupUsage(report, ['model']).map(({ model, requests }) => [model, requests])).toEqual(
    [0, 1, 2, 3, 4].map((n) => [`m${n}`, 20_000]),
  );

  const more = Array.from({ length: 2000 }, (_, n) => usageRow('r', (first + 600 + n) * hour));
  await store.usage.append(more);
  read.length = 0;
  expect((await usageReport(watched, { from: first + 1, to: first + 2599 })).total.requests).toBe(99_833 + 1999);
  expect(read).toEqual([1000, 1000, 599]);
  read.length = 0;
  expect((await usageReport(watched, { from: first + 10, to: first + 12 })).total.requests).toBe(334);
  expect(read).toEqual([1000]);
  expect((await usageReport(watched, { from: first + 9000, to: first + 9001 })).total.requests).toBe(0);
  store.close();
});
