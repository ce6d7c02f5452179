import { expect, test } from 'bun:test';
import type { CliPorts, CopyOptions } from '../../../src/cli/ports.ts';
import { type Call, ola, tokenView } from '../ola.ts';

const rotation = { keyId: 'k2', resealed: 1, source: '/home/master.key', dropped: ['k1'], retiredTo: '/home/master.key.retired' };
const answer = ({ method }: Call) => ({
  status: 200,
  body:
    method === 'GET'
      ? { object: 'list', data: [tokenView()], nextCursor: null }
      : { ...tokenView(), token: 'ola_made', ...rotation, notes: ['Backups made before this need the retired key.'] },
});

test.each(['token create laptop', 'token list', 'token revoke laptop', 'keys rotate'])(
  'ola %s --config FILE works on what that file governs, at each of its calls',
  async (typed) => {
    const { exit, calls } = await ola([...typed.split(' '), '--config', 'ola.json'], { answer });
    expect(exit).toBe(0);
    expect(calls.length).toBeGreaterThan(0);
    for (const { options } of calls) expect(options).toEqual({ configFile: 'ola.json' });
  },
);

test('ola backup and ola restore --config FILE do so too', async () => {
  const asked: CopyOptions[] = [];
  const facts = { secrets: 1, keyId: 'k' };
  const backUp: CliPorts['backUp'] = async (options) => {
    asked.push(options);
    return { ...facts, file: options.file, bytes: 1, keySource: 'f', withKey: false };
  };
  const restore: CliPorts['restore'] = async (options) => {
    asked.push(options);
    return { ...facts, home: '/home', replaced: null, keyWritten: null };
  };
  for (const typed of ['backup b', 'restore b --yes']) {
    expect((await ola([...typed.split(' '), '--config', 'ola.json'], { backUp, restore })).exit).toBe(0);
  }
  expect(asked.map(({ configFile }) => configFile)).toEqual(['ola.json', 'ola.json']);
});

test('ola keys rotate says where the old key is kept', async () => {
  const { out, err } = await ola(['keys', 'rotate'], { answer });
  expect(out).toContain('retired   k1, kept in /home/master.key.retired');
  expect(err).toContain('need the retired key');
});
