import { describe, expect, test } from 'bun:test';
import { type CliPorts, exitCodes } from '../../../src/cli/ports.ts';
import { OlaError } from '../../../src/core/errors.ts';
import { home, ola } from '../ola.ts';
import { person } from '../person.ts';

const words = () => new Map([['words.txt', 'correct horse\nsecond line\n']]);
type Asked = Parameters<CliPorts['backUp']>[0];

function backing(facts: { readonly withKey: boolean }) {
  const asked: Asked[] = [];
  const backUp: CliPorts['backUp'] = async (options) => {
    asked.push(options);
    return { file: '/srv/ola.backup', bytes: 1_258_291, secrets: 12, keyId: 'k1', keySource: `${home}/master.key`, ...facts };
  };
  return { asked, backUp };
}

describe('backup', () => {
  test('says what is in it, where its key is, and that the key is not in it', async () => {
    const { asked, backUp } = backing({ withKey: false });
    const { exit, out, err } = await ola(['backup', 'ola.backup'], { backUp });
    expect([exit, asked]).toEqual([exitCodes.ok, [{ file: 'ola.backup', passphrase: null, configFile: null }]]);
    expect(out).toBe(
      [
        'file     /srv/ola.backup',
        'size     1.2 MiB (1258291 bytes)',
        'secrets  12',
        `key      k1, in ${home}/master.key; not in the backup`,
        '',
      ].join('\n'),
    );
    expect(err).toStartWith('Keep a copy of the master key in another place');
  });

  test('takes the key in under a passphrase, from a file or asked for twice', async () => {
    const { asked, backUp } = backing({ withKey: true });
    const filed = await ola('backup b --with-key --passphrase-file words.txt'.split(' '), { backUp, files: words() });
    expect([filed.exit, filed.err]).toEqual([exitCodes.ok, '']);
    expect(filed.out).toContain('also in the backup, encrypted');
    const { dialogue, seen } = person('battery staple\r', 'battery staple\r');
    expect(await ola('backup b --with-key'.split(' '), { backUp, dialogue })).toMatchObject({ exit: exitCodes.ok });
    expect(asked.map(({ passphrase }) => passphrase)).toEqual(['correct horse', 'battery staple']);
    expect(filed.out + seen()).not.toMatch(/horse|staple/);
  });

  test('with --json prints the facts and nothing else', async () => {
    const { out, err } = await ola(['backup', 'b', '--json'], backing({ withKey: false }));
    expect([JSON.parse(out).keyId, err]).toEqual(['k1', '']);
  });

  test('makes none when the passphrase is not to be had, and says what went wrong else', async () => {
    const { asked, backUp } = backing({ withKey: true });
    for (const typed of ['--with-key', '--passphrase-file words.txt', '--with-key --passphrase-file empty.txt']) {
      const files = new Map([['empty.txt', '\n']]);
      expect(await ola(`backup b ${typed}`.split(' '), { backUp, files })).toMatchObject({ exit: exitCodes.usage, out: '' });
    }
    expect(asked).toEqual([]);
    const refuse = async () => Promise.reject(new OlaError('conflict', 'There is something at b already.'));
    expect((await ola(['backup', 'b'], { backUp: refuse })).err).toBe(
      'error: no backup was made\n  why: There is something at b already.\n  next: ola backup --help\n',
    );
  });
});

describe('restore', () => {
  const facts = { home, replaced: `${home}/old.sqlite3`, secrets: 12, keyId: 'k1', keyWritten: null };

  function restoring(refuse: (options: Asked) => OlaError | null = () => null) {
    const asked: Asked[] = [];
    const restore: CliPorts['restore'] = async (options) => {
      asked.push(options);
      const refusal = refuse(options);
      if (refusal !== null) throw refusal;
      return facts;
    };
    return { asked, restore };
  }

  test('asks first, and does nothing without a yes', async () => {
    const { asked, restore } = restoring();
    for (const [keys, exit] of [
      ['n', exitCodes.cancelled],
      ['\r', exitCodes.cancelled],
      ['\u0003', exitCodes.cancelled],
    ] as const) {
      const { dialogue, seen } = person(keys);
      expect(await ola(['restore', 'ola.backup'], { restore, dialogue })).toMatchObject({ exit, out: '' });
      expect(seen()).toContain(`Replace the data in ${home} with ola.backup?`);
    }
    expect(await ola(['restore', 'ola.backup'], { restore })).toMatchObject({ exit: exitCodes.usage, out: '' });
    expect(asked).toEqual([]);
    const { exit, out } = await ola(['restore', 'ola.backup'], { restore, dialogue: person('y').dialogue });
    expect([exit, asked.length]).toEqual([exitCodes.ok, 1]);
    expect(out).toContain(`former   ${home}/old.sqlite3\n`);
  });

  test('asks for the passphrase when only the backup has the key', async () => {
    const { asked, restore } = restoring(({ passphrase }) =>
      passphrase === null ? new OlaError('secret_required', 'The key is in the backup alone.') : null,
    );
    const { dialogue, seen } = person('y', 'correct horse\r');
    expect(await ola(['restore', 'b'], { restore, dialogue })).toMatchObject({ exit: exitCodes.ok });
    expect(asked.map(({ passphrase }) => passphrase)).toEqual([null, 'correct horse']);
    expect(seen()).not.toContain('horse');
    const silent = await ola(['restore', 'b', '--yes'], { restore });
    expect([silent.exit, silent.err]).toEqual([exitCodes.failure, expect.stringContaining('The key is in the backup alone.')]);
    const filed = await ola('restore b --yes --passphrase-file words.txt'.split(' '), { restore, files: words() });
    expect([filed.exit, asked.at(-1)?.passphrase]).toEqual([exitCodes.ok, 'correct horse']);
  });

  test('says what keeps it from being done', async () => {
    const { restore } = restoring(() => new OlaError('conflict', 'Process 4312 holds the home.'));
    expect((await ola(['restore', 'b', '--yes'], { restore })).err).toBe(
      'error: nothing was restored\n  why: Process 4312 holds the home.\n  next: stop the server, then ola restore b\n',
    );
  });
});
