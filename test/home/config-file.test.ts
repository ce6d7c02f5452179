import { afterEach, beforeEach, expect, jest, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createReload } from '../../src/home/config-file.ts';
import { directories } from '../directories.ts';

const directory = directories();

/** A configuration whose database cannot take a text the first times. */
function refusing(times: number) {
  const given: (string | null)[] = [];
  const reload = async (text: string | null) => given.push(text) > times;
  return { given, config: { reload } };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** So many seconds pass, and what they bring about. */
async function seconds(count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    jest.advanceTimersByTime(1000);
    for (let turns = 5; turns > 0; turns--) await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

test('a file that the database could not take is handed over again, as it stands then, until it is taken', async () => {
  const path = join(directory(), 'ola.json');
  writeFileSync(path, 'one', { mode: 0o600 });
  const { given, config } = refusing(2);
  const reload = createReload(config, { path }, { log: () => undefined });
  await reload.run();
  expect(given).toEqual(['one']);
  writeFileSync(path, 'two');
  await seconds(2);
  expect(given).toEqual(['one', 'two', 'two']);
  await seconds(3);
  expect(given).toHaveLength(3);
  await reload.stop();
});

test('nothing is handed over once that is stopped', async () => {
  const { given, config } = refusing(9);
  const reload = createReload(config, { path: join(directory(), 'missing') }, { log: () => undefined });
  await reload.run();
  await reload.stop();
  await Promise.all([reload.run(), seconds(3)]);
  expect(given).toEqual([null]);
});
