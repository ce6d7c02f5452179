/** The same commands while a file governs: they change the file itself. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type ExitCode, exitCodes } from '../../../src/cli/ports.ts';
import { parseJsonc } from '../../../src/core/jsonc.ts';
import { directories } from '../../directories.ts';
import { type GatewayOla, type Moment, open } from '../gateway.ts';

const directory = directories();
const path = '/etc/ola/config.jsonc';
const reference = '$'.concat('{ACME_KEY}');
const text = `{
  // where calls may go
  "egress_policy": { "allowed_ports": [443] },
  "providers": {
    "acme": {
      "baseUrl": "https://api.acme.example/v1", // the only one
      "apiKey": "${reference}",
      "headers": { "X-Team": "team-CANARY-1" },
    },
  },
}
`;
const comments = ['// where calls may go', '// the only one'];
let scene: GatewayOla;

beforeEach(async () => {
  scene = await open(directory(), { file: { path, text }, environment: { ACME_KEY: 'sk-CANARY-0123456789' } });
});
afterEach(() => scene[Symbol.asyncDispose]());

const run = (typed: string, moment?: Moment) => scene.run(typed.split(' '), moment);
const now = () => scene.files.get(path) ?? '';
const used = () => scene.gateway.gateway.config.snapshot().open;

/** Runs what must succeed; the document is never sent to be stored. @returns what it printed */
async function done(typed: string, moment?: Moment): Promise<string> {
  const { exit, out, err, calls } = await run(typed, moment);
  expect([typed, exit, exit === exitCodes.ok ? '' : err]).toEqual([typed, exitCodes.ok, '']);
  const writes = calls.filter(({ method, path: at }) => method !== 'GET' && !/validate|export/.test(at));
  expect([typed, writes]).toEqual([typed, []]);
  return out;
}

async function refused(typed: string, exit: ExitCode, moment?: Moment): Promise<string> {
  const before = now();
  const ended = await run(typed, moment);
  expect([typed, ended.exit, ended.out]).toEqual([typed, exit, '']);
  expect(now()).toBe(before);
  expect(ended.err).not.toContain('CANARY');
  return ended.err;
}

describe('config set', () => {
  test('changes the value in the file, as that spells it, and nothing else', async () => {
    const said = await done('config set egressPolicy.allowedPorts[1] 8443');
    expect(said).toBe(`set egressPolicy.allowedPorts[1] in ${path}\n`);
    await done('config set defaultModel acme/x');
    await done('config set providers.acme.headers --unset');
    expect(used()).toMatchObject({ defaultModel: 'acme/x', egressPolicy: { allowedPorts: [443, 8443] } });
    expect(used().providers?.['acme']).not.toHaveProperty('headers');
    for (const comment of comments) expect(now()).toContain(comment);
    expect(now()).toContain('"egress_policy"');
    expect(now()).not.toContain('egressPolicy');
    expect(await done('config get egressPolicy.allowedPorts[1]')).toBe('8443\n');
  });

  test('writes no secret in clear, and a reference as it stands', async () => {
    const literal = { input: 'sk-CANARY-in-clear' };
    expect(await refused('config set providers.acme.apiKey --stdin', exitCodes.configInvalid, literal)).toContain(
      'providers.acme.apiKey',
    );
    expect(await refused('config set providers.acme.apiKey [REDACTED]', exitCodes.configInvalid)).toContain('keeps no secret');
    await done('config set providers.acme.apiKey file:acme.key');
    expect(now()).toContain('"apiKey": "file:acme.key"');
  });

  test('takes the older section when the file has the value there', async () => {
    scene.files.set(path, '{"auth": {"profiles": {"acme:a": {"provider": "acme", "type": "api_key", "enabled": true}}}}');
    await done('config set authProfiles.acme:a.enabled false');
    expect(JSON.parse(now())).toEqual({
      auth: { profiles: { 'acme:a': { provider: 'acme', type: 'api_key', enabled: false } } },
    });
  });

  test('exits 3 and leaves the file alone when the value does not fit, or the file itself is no JSON', async () => {
    expect(await refused('config set egressPolicy.mode loud', exitCodes.configInvalid)).toContain('off, observe, enforce');
    scene.files.set(path, '{ "defaultModel": ');
    expect(await refused('config set defaultModel acme/x', exitCodes.configInvalid)).toContain(path);
    expect(await refused('config validate', exitCodes.configInvalid)).toContain('line 1');
  });

  test('is repeated when the file was changed meanwhile', async () => {
    let others = 0;
    const before: Moment['before'] = async ({ path: at }) => {
      if (at === '/config/validate' && others < 3) scene.files.set(path, `${now()}// hand ${++others}\n`);
    };
    await done('config set defaultModel acme/x', { before });
    expect(now()).toEndWith('// hand 1\n// hand 2\n// hand 3\n');
    expect(now()).toContain('"defaultModel": "acme/x"');
  });
});

describe('config edit', () => {
  test('edits the text of the file, comments and all', async () => {
    const edit = (seen: string) => ({
      text: seen.replace('// the only one', '// still the only one').replace('[443]', '[443, 8443]'),
    });
    expect(await done('config edit', { edit })).toBe(`stored in ${path}\n`);
    expect(now()).toBe(edit(text).text);
    expect(used()).toMatchObject({ egressPolicy: { allowedPorts: [443, 8443] } });
    expect([...scene.files.keys()]).toEqual([path]);
  });

  test('keeps what is refused, and writes over nobody', async () => {
    const loud = (seen: string) => ({ text: seen.replace('[443]', '["443"]') });
    expect(await refused('config edit', exitCodes.failure, { edit: loud })).toContain('Your text is kept in');
    const edit = (seen: string) => {
      scene.files.set(path, `${text}// another hand\n`);
      return { text: seen.replace('[443]', '[443, 8443]') };
    };
    const ended = await run('config edit', { edit });
    expect([ended.exit, ended.err]).toEqual([exitCodes.failure, expect.stringContaining(`Another program changed ${path}`)]);
    expect(now()).toBe(`${text}// another hand\n`);
  });
});

describe('config import', () => {
  test('changes what differs, keeps comments, and the reference where the import is redacted', async () => {
    const exported = JSON.parse(await done('config export'));
    exported.egressPolicy.allowedPorts = [443, 8443];
    exported.defaultModel = 'acme/x';
    await done('config import -', { input: JSON.stringify(exported) });
    expect(used()).toMatchObject({ defaultModel: 'acme/x', egressPolicy: { allowedPorts: [443, 8443] } });
    expect(now()).toContain(`"apiKey": "${reference}"`);
    expect(now()).toContain('"X-Team": "team-CANARY-1"');
    for (const comment of comments) expect(now()).toContain(comment);
  });

  test('puts no sealed secrets into a file', async () => {
    scene.files.set('words.txt', 'correct horse battery');
    await done('config export moved.json --with-secrets --passphrase-file words.txt');
    expect(await refused('config import moved.json --passphrase-file words.txt', exitCodes.usage)).toContain(
      'does not write secrets into a file',
    );
  });
});

describe('config rollback', () => {
  test('writes the old values into the file, and can be undone', async () => {
    await done('config set defaultModel acme/x');
    await done('config set egressPolicy.allowedPorts [443,8443]');
    expect(await done('config rollback 1')).toContain('rolled back to revision 1');
    expect(used()).toMatchObject({ egressPolicy: { allowedPorts: [443] } });
    expect(used()).not.toHaveProperty('defaultModel');
    expect(parseJsonc(now())).toEqual(parseJsonc(text));
    for (const comment of comments) expect(now()).toContain(comment);
    await done('config rollback 3');
    expect(used()).toMatchObject({ defaultModel: 'acme/x', egressPolicy: { allowedPorts: [443, 8443] } });
  });

  test('refuses when it would need a secret in clear that nothing shows', async () => {
    await done('config set providers.acme.headers.X-Team --stdin', { input: 'team-CANARY-2' });
    expect(await refused('config rollback', exitCodes.failure)).toContain(
      "'providers.acme.headers.X-Team' was a secret in clear",
    );
  });
});

test('config path names the file, and show, diff and history are of it', async () => {
  await done('config set defaultModel acme/x');
  expect(JSON.parse(await done('config path --json'))).toMatchObject({ mode: 'file', file: path });
  expect(await done('config path')).toContain(`source    ${path}\n`);
  const shown = await done('config show');
  expect(JSON.parse(shown)).toMatchObject({ providers: { acme: { apiKey: reference, headers: { 'X-Team': '[REDACTED]' } } } });
  expect(await done('config diff')).toBe('+ defaultModel: "acme/x"\n');
  expect((await done('config history')).trimEnd().split('\n')).toHaveLength(3);
  expect(shown).not.toContain('CANARY');
});
