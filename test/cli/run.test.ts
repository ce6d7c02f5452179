import { describe, expect, test } from 'bun:test';
import { commands } from '../../src/cli/commands/all.ts';
import { exitCodes, type ServeOptions } from '../../src/cli/ports.ts';
import { OlaError } from '../../src/core/errors.ts';
import { ola, version } from './ola.ts';

describe('help and version', () => {
  test('nothing typed, --help, -h and help print the same help to stdout', async () => {
    const { exit, out, err } = await ola([]);
    expect([exit, err]).toEqual([0, '']);
    for (const word of ['serve', 'status', 'token', 'version', 'help', 'exit-codes']) expect(out).toContain(word);
    for (const typed of ['--help', '-h', 'help']) expect(await ola([typed])).toMatchObject({ exit: 0, out, err: '' });
  });

  test('--version, -V and version print one line', async () => {
    for (const typed of ['--version', '-V', 'version'])
      expect(await ola([typed])).toMatchObject({ exit: 0, out: `${version}\n`, err: '' });
  });

  test('version --json has the parts', async () => {
    const { out } = await ola(['version', '--json']);
    expect(JSON.parse(out)).toEqual({ version: '0.1.0', commit: 'abc1234', runtime: 'bun 1.4.5', platform: 'linux-x64' });
  });

  test('help exit-codes lists every exit code', async () => {
    const { exit, out } = await ola(['help', 'exit-codes']);
    expect(exit).toBe(0);
    for (const code of Object.values(exitCodes)) expect(out).toMatch(new RegExp(`^ +${code}  \\w`, 'm'));
  });

  test('help for a group lists its commands', async () => {
    const { out } = await ola(['help', 'token']);
    for (const word of ['create', 'list', 'revoke']) expect(out).toContain(word);
  });

  test.each(commands.map(({ path }) => path.join(' ')))(
    '%s --help, built alone, is ola help %s, built with all',
    async (typed) => {
      const { exit, out, err } = await ola([...typed.split(' '), '--help']);
      expect([exit, err]).toEqual([0, '']);
      expect(out).toStartWith(`Usage: ola ${typed} `);
      expect(await ola(['help', ...typed.split(' ')])).toMatchObject({ exit: 0, out, err: '' });
    },
  );
});

describe('what cannot be meant exits 2, does nothing, and says in three lines what, why and what next', () => {
  const cases: readonly (readonly [typed: string, what: string, why: string, next: string])[] = [
    ['serv', "unknown command 'serv'", 'Did you mean serve?', 'ola --help'],
    ['zzz', "unknown command 'zzz'", 'Usage: ola [options] [command]', 'ola --help'],
    ['--jsn', "unknown option '--jsn'", 'Usage: ola', 'ola --help'],
    ['token', 'ola token needs a command', 'One of create, list, revoke.', 'ola token --help'],
    ['token crate', "unknown command 'crate'", 'Did you mean create?', 'ola token --help'],
    ['token help', "unknown command 'help'", 'Usage: ola token', 'ola token --help'],
    ['serve --prot 1', "unknown option '--prot'", 'Did you mean --port?', 'ola serve --help'],
    [
      'serve --port abc',
      "option '--port <PORT>' argument 'abc' is invalid.",
      'a whole number from 0 to 65535',
      'ola serve --help',
    ],
    ['serve --port 70000', '--port', 'a whole number from 0 to 65535', 'ola serve --help'],
    ['serve --port -1', '--port', 'a whole number from 0 to 65535', 'ola serve --help'],
    ['serve --port 80.5', '--port', 'a whole number', 'ola serve --help'],
    ['serve --port 0x50', '--port', 'a whole number', 'ola serve --help'],
    ['serve --port=', '--port', 'a whole number', 'ola serve --help'],
    ['serve --port --demo', '--port', 'a whole number', 'ola serve --help'],
    ['serve --port', '--port', 'Usage: ola serve', 'ola serve --help'],
    ['serve --grace -5', '--grace', 'a whole number from 0 to 86400', 'ola serve --help'],
    ['serve --grace 86401', '--grace', 'a whole number from 0 to 86400', 'ola serve --help'],
    ['serve --host=', '--host', 'an IP address or a host name', 'ola serve --help'],
    ['serve --host --demo', '--host', 'an IP address or a host name', 'ola serve --help'],
    ['serve --host localhost:80', '--host', 'without scheme and port', 'ola serve --help'],
    ['serve --host 127.0.0.1:80', '--host', 'without scheme and port', 'ola serve --help'],
    ['serve --host http://localhost', '--host', 'without scheme and port', 'ola serve --help'],
    ['serve --log-level loud', '--log-level', 'one of debug, info, warn, error', 'ola serve --help'],
    ['serve --log-format xml', '--log-format', 'one of pretty, json', 'ola serve --help'],
    ['serve --config --demo', '--config', 'a path, no dash in front', 'ola serve --help'],
    ['serve --demo=yes', '--demo', 'Usage: ola serve', 'ola serve --help'],
    ['token create', "missing required argument 'name'", 'Usage: ola token create [options] <name>', 'ola token create --help'],
    ['token create x --scope all', '--scope', 'one of read, write, admin', 'ola token create --help'],
    ['token create x --scope read,write', '--scope', 'one of read, write, admin', 'ola token create --help'],
    ['token create x --admin --scope read', "'--admin' cannot be used with option '--scope", 'Usage:', 'ola token create --help'],
    ['token create x --project', '--project', 'Usage:', 'ola token create --help'],
    ['token create x --project --admin', '--project', 'no dash in front', 'ola token create --help'],
    ['token create x --version', "unknown option '--version'", 'Usage:', 'ola token create --help'],
    ['token revoke', "missing required argument 'token'", 'Usage:', 'ola token revoke --help'],
    ['help nonsense', "no help for 'nonsense'", 'exit-codes', 'ola help'],
    ['help constructor', "no help for 'constructor'", 'exit-codes', 'ola help'],
  ];
  test.each(cases)('%s', async (typed, what, why, next) => {
    const ended = await ola(typed.split(' '));
    expect(ended).toMatchObject({ exit: 2, out: '', calls: [], started: [] });
    const lines = ended.err.split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toStartWith('error: ');
    expect(lines[0]).toContain(what);
    expect(lines[1]).toStartWith('  why: ');
    expect(lines[1]).toContain(why);
    expect(lines[2]).toBe(`  next: ${next}`);
  });

  test('a value with line breaks and escape sequences stays on its line and drives no terminal', async () => {
    const { err } = await ola(['serve', '--port', '1\n2\u001b[31m\u202e']);
    expect(err.split('\n')).toHaveLength(4);
    expect(err).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u);
    expect(err).toContain('  why: Expected a whole number');
  });

  test('with --json the error is one object on stderr', async () => {
    const { exit, out, err } = await ola(['token', 'create', '--json']);
    expect([exit, out]).toEqual([2, '']);
    expect(err.endsWith('}\n')).toBe(true);
    expect(JSON.parse(err)).toEqual({
      error: {
        code: 'usage',
        message: "missing required argument 'name'",
        reason: 'Usage: ola token create [options] <name>',
        next: 'ola token create --help',
      },
    });
    expect((await ola(['token', 'create', 'x', '--scope', 'no', '--', '--json'])).err).toStartWith('error: ');
  });

  test('a key that was typed is not repeated', async () => {
    const key = `ola_${'a1B2'.repeat(12)}c`;
    for (const argv of [
      [key],
      ['token', 'create', 'x', key],
      ['serve', '--port', key],
      ['help', key],
      ['token', 'revoke', key],
    ]) {
      const ended = await ola(argv);
      expect(ended.exit).toBe(2);
      expect(ended.out + ended.err).not.toContain(key);
    }
  });
});

describe('serve', () => {
  const defaults: ServeOptions = {
    host: '127.0.0.1',
    port: 8080,
    demo: false,
    grace: 30,
    requireToken: false,
    disableAuth: false,
    logLevel: 'info',
    logFormat: null,
    logRequests: null,
    config: null,
  };

  test('starts on loopback with defaults', async () => {
    expect(await ola(['serve'])).toMatchObject({ exit: 0, out: '', err: '', started: [defaults] });
  });

  test('hands every option on', async () => {
    const typed =
      'serve --host ::1 --port 0 --demo --grace 0 --require-token --log-level debug --log-format json --log-requests --config ola.json';
    const wanted = {
      host: '::1',
      port: 0,
      demo: true,
      grace: 0,
      requireToken: true,
      disableAuth: false,
      logLevel: 'debug',
      logFormat: 'json',
      logRequests: true,
      config: 'ola.json',
    } as const;
    expect((await ola(typed.split(' '))).started).toEqual([wanted]);
  });

  test('logs requests, does not, or leaves it to the configuration, however the options are read', async () => {
    const started = async (...words: string[]) => (await ola(['serve', ...words])).started.map(({ logRequests }) => logRequests);
    for (const form of [['--port', '0'], ['--port=0']]) {
      expect(await started(...form, '--log-requests')).toEqual([true]);
      expect(await started(...form, '--no-log-requests')).toEqual([false]);
      expect(await started(...form)).toEqual([null]);
      expect(await ola(['serve', ...form, '--log-requests', '--no-log-requests'])).toMatchObject({ exit: 2, started: [] });
    }
  });

  test('takes addresses and names to listen on', async () => {
    for (const host of ['0.0.0.0', '::', 'fe80::1%eth0', 'localhost', 'gateway.example.com', 'a']) {
      expect((await ola(['serve', '--host', host])).started).toEqual([{ ...defaults, host }]);
    }
  });

  test('exits as the gateway says', async () => {
    expect(await ola(['serve', '--require-token'], { startServer: async () => exitCodes.configInvalid })).toMatchObject({
      exit: 3,
      err: '',
    });
  });

  test('that cannot start says why, without keys that a message may hold', async () => {
    const key = `sk-${'a'.repeat(24)}`;
    const fail = (thrown: Error) => ola(['serve'], { startServer: async () => Promise.reject(thrown) });
    const { exit, err } = await fail(new OlaError('conflict', `Port 8080 is in use. ${key}`));
    expect(exit).toBe(1);
    expect(err).toBe('error: ola serve failed\n  why: Port 8080 is in use. [REDACTED]\n  next: ola status\n');
    expect((await fail(new OlaError('shutting_down', 'No.'))).exit).toBe(5);
    expect((await fail(new TypeError('a bug'))).exit).toBe(1);
  });
});
