import { expect, test } from 'bun:test';
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

async function until(probe: () => boolean): Promise<void> {
  for (let left = 600; !probe() && left > 0; left--) await Bun.sleep(10);
  expect(probe()).toBe(true);
}

test('a file that the database could not take is handed over again, as it stands then, until it is taken', async () => {
  const path = join(directory(), 'ola.json');
  writeFileSync(path, 'one', { mode: 0o600 });
  const { given, config } = refusing(2);
  const reload = createReload(config, { path }, { log: () => undefined });
  await reload.run();
  expect(given).toEqual(['one']);
  writeFileSync(path, 'two');
  await until(() => given.length === 3);
  expect(given).toEqual(['one', 'two', 'two']);
  await Bun.sleep(1200);
  expect(given).toHaveLength(3);
  await reload.stop();
});

test('nothing is handed over once that is stopped', async () => {
  const { given, config } = refusing(9);
  const reload = createReload(config, { path: join(directory(), 'missing') }, { log: () => undefined });
  await reload.run();
  await reload.stop();
  await Promise.all([reload.run(), Bun.sleep(1200)]);
  expect(given).toEqual([null]);
});
