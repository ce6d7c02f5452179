import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type ExitCode, exitCodes } from '../../../src/cli/ports.ts';
import { localPrincipal } from '../../../src/core/access.ts';
import { directories } from '../../directories.ts';
import { type GatewayOla, type Moment, open } from '../gateway.ts';
import { ola } from '../ola.ts';
import { person } from '../person.ts';

const directory = directories();
const key = 'sk-CANARY-0123456789abcd';
const reference = '$'.concat('{ACME_KEY}');
const base = 'https://api.acme.example/v1';
let scene: GatewayOla;

beforeEach(async () => {
  scene = await open(directory());
});
afterEach(() => scene[Symbol.asyncDispose]());

const run = (typed: string, moment?: Moment) => scene.run(typed.split(' '), moment);
const used = () => scene.gateway.gateway.config.snapshot().open;
const revision = () => scene.gateway.gateway.config.snapshot().revision;
/** Runs what must succeed. @returns what it printed */
async function done(typed: string, moment?: Moment): Promise<string> {
  const ended = await run(typed, moment);
  expect([typed, ended.exit, ended.exit === exitCodes.ok ? '' : ended.err]).toEqual([typed, exitCodes.ok, '']);
  return ended.out;
}

async function refused(typed: string, exit: ExitCode, moment?: Moment) {
  const before = revision();
  const ended = await run(typed, moment);
  expect([typed, ended.exit, ended.out]).toEqual([typed, exit, '']);
  expect(revision()).toBe(before);
  expect(ended.err.split('\n')).toHaveLength(4);
  return ended.err;
}

describe('config set', () => {
  test('stores text, JSON where JSON fits, and lists, and get gives them back', async () => {
    await done(`config set providers.acme.baseUrl ${base}`);
    expect(await done('config set providers.acme.models [{"id":"1"}]')).toBe('set providers.acme.models\n');
    await done('config set providers.acme.models[0].name 7');
    await done('config set egress_policy.allowed_ports [443]');
    await done('config set egressPolicy.allowedPorts[1] 8443');
    await done('config set providers.acme.enabled false');
    expect(used()).toMatchObject({
      providers: { acme: { baseUrl: base, models: [{ id: '1', name: '7' }], enabled: false } },
      egressPolicy: { allowedPorts: [443, 8443] },
    });
    expect(await done('config get providers.acme.baseUrl')).toBe(`${base}\n`);
    expect(await done('config get providers.acme.baseUrl --json')).toBe(`"${base}"\n`);
    expect(JSON.parse(await done('config show --path egressPolicy'))).toEqual({ allowedPorts: [443, 8443] });
    expect(await done('config set providers.acme.enabled --unset')).toBe('unset providers.acme.enabled\n');
    expect(used().providers?.['acme']).not.toHaveProperty('enabled');
  });

  test('takes a secret from standard input or a person, and shows it nowhere', async () => {
    await done(`config set providers.acme.baseUrl ${base}`);
    const piped = await run('config set providers.acme.apiKey --stdin', { input: `${key}\n` });
    expect(piped.exit).toBe(exitCodes.ok);
    expect(used().providers?.['acme']?.apiKey).toBe(key);
    const asked = person(`${key}-2\r`);
    const typed = await run('config set providers.acme.headers["x-a.b"]', { dialogue: asked.dialogue });
    expect(typed.exit).toBe(exitCodes.ok);
    expect(used().providers?.['acme']?.headers).toEqual({ 'x-a.b': `${key}-2` });
    const shown = [piped, typed].flatMap(({ out, err }) => [out, err]).concat(asked.seen(), await done('config show'));
    expect(shown.join('\n')).not.toContain('CANARY');
    expect(await done('config get providers.acme.apiKey')).toBe('[REDACTED]\n');
    expect(scene.gateway.onDisk()).not.toContain('CANARY');
  });

  test('never takes one as an argument, whole or inside of JSON', async () => {
    await done(`config set providers.acme.baseUrl ${base}`);
    for (const typed of [
      `serverToken ${key}`,
      `providers.acme.apiKey ${key}`,
      `providers.acme {"baseUrl":"${base}","apiKey":"${key}"}`,
      `providers.acme.headers {"authorization":"${key}"}`,
      `cors {"origins":["${key}"]}`,
    ]) {
      const said = await refused(`config set ${typed}`, exitCodes.usage);
      expect(said).toContain('other users of this machine can see arguments');
      expect(said).toContain('--stdin');
      expect(said).not.toContain('CANARY');
    }
    expect(await refused('config set providers.acme.apiKey', exitCodes.usage)).toContain('Use --stdin.');
    await done(`config set providers.acme.apiKey ${reference}`);
    expect(await done('config get providers.acme.apiKey')).toBe(`${reference}\n`);
  });

  test('stops at Ctrl-C without a change', async () => {
    const { dialogue } = person('half\u0003');
    expect(await refused('config set serverToken', exitCodes.cancelled, { dialogue })).toContain('You cancelled it');
  });

  test('names the nearest keys for one that nothing knows, and changes nothing', async () => {
    expect(await refused('config set egresPolicy.mode off', exitCodes.usage)).toContain('Nearest: egressPolicy.');
    expect(await refused('config set defaultModel --unset', exitCodes.usage)).toContain("'defaultModel' is not set");
    expect(await refused('config set defaultModel', exitCodes.usage)).toContain('A VALUE is needed');
    expect(await refused('config get providers.acme', exitCodes.failure)).toContain("Nothing is named 'acme' in 'providers'");
    expect(await refused('config get egressPolicy.mode', exitCodes.failure)).toContain('is not set (default enforce)');
    expect(await refused('config get a[', exitCodes.usage)).toContain('the path cannot be read');
  });

  test('says what is wrong with a value, exits 3, and stores nothing', async () => {
    expect(await refused('config set egressPolicy.mode loud', exitCodes.configInvalid)).toContain('off, observe, enforce');
    expect(await refused('config set egressPolicy.allowedPorts [0]', exitCodes.configInvalid)).toContain('allowedPorts');
    expect(await refused('config set providers.acme.baseUrl https://10.0.0.1/v1', exitCodes.configInvalid)).toContain('acme');
  });

  test('--unset takes an emptied section along, and leaves an entry that a person named', async () => {
    await done('config set usage.retentionDays 90');
    await done('config set usage.retentionDays --unset');
    await done(`config set providers.acme.baseUrl ${base}`);
    await done('config set providers.acme.baseUrl --unset');
    expect(JSON.parse(await done('config show'))).toEqual({ providers: { acme: {} } });
    await done('config set providers.acme --unset');
    expect(JSON.parse(await done('config show'))).toEqual({});
  });

  test('says where JSON breaks that was typed for an object or a list', async () => {
    const said = await refused('config set providers.acme {"baseUrl":"https://a.example","models":[}', exitCodes.usage);
    expect(said).toContain('at line 1, column');
    expect(said).not.toContain('expected object');
    await done('config set defaultModel {odd');
    expect(await done('config get defaultModel')).toBe('{odd\n');
  });

  test('moving the address of a stored key leads to the line that sends both', async () => {
    await done(`config set providers.acme.baseUrl ${base}`);
    await run('config set providers.acme.apiKey --stdin', { input: key });
    const said = await refused('config set providers.acme.baseUrl https://other.example/v1', exitCodes.configInvalid);
    expect(said).toContain('next: ola config set providers.acme --stdin\n');
    const both = JSON.stringify({ baseUrl: 'https://other.example/v1', apiKey: key });
    expect((await run('config set providers.acme --stdin', { input: both })).exit).toBe(exitCodes.ok);
  });

  test('is repeated up to five times when others write in between, and all is kept; then it gives up', async () => {
    let others = 0;
    let most = 5;
    const before: Moment['before'] = async ({ method, path }) => {
      if (method !== 'POST' || path !== '/config' || others >= most) return;
      others++;
      await scene.gateway.gateway.config.writeSection(
        {
          path: ['publicHosts'],
          content: { kind: 'sent', value: [`n${others}.example`] },
          record: { action: 'config.update', about: 'publicHosts', details: {} },
        },
        null,
        { principal: localPrincipal, requestId: 'req_2', clientIp: null, userAgent: null },
      );
    };
    await done('config set defaultModel openai/gpt-4o', { before });
    expect(used()).toMatchObject({ defaultModel: 'openai/gpt-4o', publicHosts: ['n5.example'] });
    most = 11;
    const { exit, err } = await run('config set defaultModel openai/other', { before });
    expect([exit, err]).toEqual([exitCodes.failure, expect.stringContaining('has changed since it was read')]);
    expect(used()).toMatchObject({ defaultModel: 'openai/gpt-4o', publicHosts: ['n11.example'] });
  });
});

describe('config edit', () => {
  const add = (member: string) => (text: string) => ({ text: text.replace('{', `{ // mine\n ${member},`) });

  test('stores what the editor leaves, and a redacted secret stays what it is', async () => {
    await done(`config set providers.acme.baseUrl ${base}`);
    await done('config set providers.acme.apiKey --stdin', { input: key });
    let seen = '';
    const edit = (text: string) => {
      seen = text;
      return add('"defaultModel": "acme/x"')(text);
    };
    expect(await done('config edit', { edit })).toBe('stored\n');
    expect(seen).toContain('[REDACTED]');
    expect(seen).not.toContain('CANARY');
    expect(used()).toMatchObject({ defaultModel: 'acme/x', providers: { acme: { apiKey: key } } });
    expect([...scene.files.keys()]).toEqual([]);
  });

  test('says so when nothing was changed', async () => {
    const before = revision();
    expect(await done('config edit')).toBe('nothing was changed\n');
    expect(revision()).toBe(before);
    expect([...scene.files.keys()]).toEqual([]);
  });

  test.each([
    ['what is no JSON', () => ({ text: '{ "defaultModel": ' }), 'not valid JSON'],
    ['what does not fit', add('"egressPolicy": {"mode": "loud"}'), 'off, observe, enforce'],
    ['what an editor left that failed', (text: string) => ({ ...add('"defaultModel": "x"')(text), exit: 1 }), 'exit code 1'],
  ])('keeps %s, and says where', async (_, edit, why) => {
    let left = '';
    const remember = (text: string) => {
      const edited: { text: string; exit?: number } = edit(text);
      left = edited.text;
      return edited;
    };
    const said = await refused('config edit', exitCodes.failure, { edit: remember });
    expect(said).toContain(why);
    const [path = ''] = [...scene.files.keys()];
    expect(said).toContain(`Your text is kept in ${path}`);
    expect(said).toContain(`next: mend that file, then ola config import ${path}`);
    expect(scene.files.get(path)).toBe(left);
  });

  test('does not write over a change that came meanwhile', async () => {
    const edit = (text: string) => {
      meanwhile = done('config set defaultModel openai/gpt-4o');
      return add('"publicHosts": []')(text);
    };
    let meanwhile: Promise<unknown> = Promise.resolve();
    const ended = await run('config edit', { edit, before: async ({ method }) => void (method === 'POST' && (await meanwhile)) });
    expect([ended.exit, ended.err]).toEqual([exitCodes.failure, expect.stringContaining('Your text is kept in')]);
    expect(used()).toMatchObject({ defaultModel: 'openai/gpt-4o' });
    expect(used()).not.toHaveProperty('publicHosts');
  });
});

describe('config validate', () => {
  test('takes a file with comments, standard input, or what is in force, and stores nothing', async () => {
    scene.files.set('ola.json', '{ // mine\n "defaultModel": "openai/gpt-4o", }');
    expect(await done('config validate ola.json')).toBe('valid\n');
    expect(await done('config validate -', { input: '{}' })).toBe('valid\n');
    expect(await done('config validate')).toBe('valid\n');
    expect(revision()).toBe(0);
  });

  test('exits 3 with the path and what is expected, or the line', async () => {
    const invalid = async (input: string) => refused('config validate -', exitCodes.configInvalid, { input });
    expect(await invalid('{"egressPolicy": {"allowedPorts": ["443"]}}')).toContain('egressPolicy.allowedPorts.0');
    expect(await invalid('{\n "defaultModel": }')).toContain('line 2');
    expect(await invalid('[]')).toContain('not a JSON object');
    expect(await invalid('{"providers": {"acme": {"baseUrl": "http://169.254.169.254/"}}}')).toContain('acme');
    expect(await refused('config validate gone.json', exitCodes.failure)).toContain('There is no file gone.json');
  });

  test('warns of what is not acted on', async () => {
    const { exit, err } = await run('config validate -', { input: '{"defaultModell": 1}' });
    expect([exit, err]).toEqual([exitCodes.ok, expect.stringContaining('warning: defaultModell: ')]);
    const asJson = JSON.parse(await done('config validate - --json', { input: '{"defaultModell": 1}' }));
    expect(asJson).toMatchObject({ status: 'ok', warnings: [{ path: 'defaultModell' }] });
  });
});

describe('config history, diff and rollback', () => {
  beforeEach(async () => {
    await done(`config set providers.acme.baseUrl ${base}`);
    await done('config set providers.acme.apiKey --stdin', { input: key });
    await done('config set defaultModel acme/x');
  });

  test('list who changed what, newest first', async () => {
    const lines = (await done('config history')).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^NUMBER +WHEN +WHO +WHAT$/);
    expect(lines.slice(1).map((line) => line.split(/ {2,}/)[0])).toEqual(['3', '2', '1']);
    expect(lines[1]).toContain('local');
    expect(lines[1]).toContain('defaultModel');
    expect(JSON.parse(await done('config history --json')).data).toHaveLength(3);
  });

  test('show what differs, secrets redacted', async () => {
    expect(await done('config diff')).toBe('+ defaultModel: "acme/x"\n');
    expect(await done('config diff 3 2')).toBe('- defaultModel: "acme/x"\n');
    expect(await done('config diff 1 2')).toBe('+ providers.acme.apiKey: "[REDACTED]"\n');
    await done(`config set providers.acme.baseUrl ${base}/`);
    expect(await done('config diff 3')).toBe(`~ providers.acme.baseUrl: "${base}" -> "${base}/"\n`);
    expect(await run('config diff 4 4')).toMatchObject({ exit: exitCodes.ok, out: '', err: 'No difference.\n' });
    expect(await refused('config diff 1 99', exitCodes.failure)).toContain('next: ola config history');
    expect(await refused('config diff first', exitCodes.usage)).toContain('the number of a revision');
  });

  test('undo the newest change, and that too', async () => {
    await done('config set providers.acme --unset');
    expect(used().providers?.['acme']).toBeUndefined();
    const undone = await run('config rollback');
    expect([undone.exit, undone.err]).toEqual([exitCodes.ok, 'undo: ola config rollback 4\n']);
    expect(undone.out).toContain('rolled back to revision 3\n');
    expect(undone.out).toContain(`+ providers`);
    expect(undone.out).not.toContain('CANARY');
    expect(used().providers?.['acme']?.apiKey).toBe(key);
    await done('config rollback 4');
    expect(used().providers?.['acme']).toBeUndefined();
  });

  test('say when there is nothing to undo', async () => {
    expect(await done('config rollback 3')).toBe('revision 3 is in force already\n');
    expect(await refused('config rollback 99', exitCodes.failure)).toContain('next: ola config history');
    await using fresh = await open(directory());
    expect(await fresh.run(['config', 'rollback'])).toMatchObject({ exit: exitCodes.failure, out: '' });
    expect(await fresh.run(['config', 'history'])).toMatchObject({ exit: exitCodes.ok, out: '' });
  });
});

describe('config export and import', () => {
  beforeEach(async () => {
    await done(`config set providers.acme.baseUrl ${base}`);
    await done('config set providers.acme.apiKey --stdin', { input: key });
  });

  test('without secrets say which are missing, and what comes back keeps them', async () => {
    const { exit, out, err } = await run('config export');
    expect(exit).toBe(exitCodes.ok);
    expect(err).toContain('  providers.acme.apiKey\n');
    expect(out).not.toContain('CANARY');
    await done('config set defaultModel acme/x');
    await done('config import -', { input: out });
    expect(used()).not.toHaveProperty('defaultModel');
    expect(used().providers?.['acme']?.apiKey).toBe(key);
  });

  test('with secrets move everything to another home, under the passphrase alone', async () => {
    scene.files.set('words.txt', 'correct horse battery\n');
    expect(await done('config export move.json --with-secrets --passphrase-file words.txt')).toBe('exported to move.json\n');
    const exported = scene.files.get('move.json') ?? '';
    expect(exported).not.toContain('CANARY');
    await using other = await open(directory());
    other.files.set('move.json', exported).set('words.txt', 'correct horse battery').set('wrong.txt', 'another passphrase');
    const wrong = await other.run('config import move.json --passphrase-file wrong.txt'.split(' '));
    expect(wrong.exit).not.toBe(exitCodes.ok);
    expect(other.gateway.gateway.config.snapshot().revision).toBe(0);
    const { dialogue } = person('correct horse battery\r');
    expect(await other.run('config import move.json'.split(' '), { dialogue })).toMatchObject({ exit: exitCodes.ok });
    expect(other.gateway.gateway.config.snapshot().open.providers?.['acme']?.apiKey).toBe(key);
  });

  test('ask for a new passphrase twice', async () => {
    const different = person('correct horse\r', 'correct house\r', 'correct horse\r', 'correct horse\r');
    await done('config export x.json --with-secrets', { dialogue: different.dialogue });
    const same = person('correct horse\r', 'correct horse\r');
    await done('config export z.json --with-secrets', { dialogue: same.dialogue });
    const given = person('correct horse\r', '\u0003');
    await refused('config export y.json --with-secrets', exitCodes.cancelled, { dialogue: given.dialogue });
    expect(different.seen() + same.seen()).not.toMatch(/horse|house/);
    expect(await refused('config export y.json --with-secrets', exitCodes.usage)).toContain('Use --passphrase-file FILE.');
  });

  test('write over no file, and take no file that is not valid', async () => {
    scene.files.set('there.json', 'mine').set('bad.json', '{"egressPolicy": 1}');
    expect(await refused('config export there.json', exitCodes.failure)).toContain('does not overwrite it');
    expect(scene.files.get('there.json')).toBe('mine');
    expect(await refused('config import bad.json', exitCodes.configInvalid)).toContain('egressPolicy');
    expect(await refused('config export x.json --passphrase-file words.txt', exitCodes.usage)).toContain('--with-secrets');
  });
});

test('config path says which home and what governs, and why', async () => {
  const out = await done('config path');
  expect(out).toMatch(/^source +the database$/m);
  expect(out).toContain('the default; OPEN_LLM_AUTH_HOME is not set');
  expect(JSON.parse(await done('config path --json'))).toMatchObject({ mode: 'database', file: null, homeFrom: 'default' });
});

test('config schema is JSON Schema that is printed without any call', async () => {
  const { exit, out, calls } = await ola(['config', 'schema']);
  expect([exit, calls]).toEqual([exitCodes.ok, []]);
  const schema = JSON.parse(out);
  expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' });
  expect(schema.properties.serverToken['x-secret']).toBe(true);
});

test('every command about the configuration hands --config on', async () => {
  for (const typed of [
    'show',
    'get defaultModel',
    'set defaultModel x',
    'edit',
    'validate',
    'path',
    'history',
    'diff',
    'rollback',
    'export',
    'import x.json',
  ]) {
    const { calls } = await ola(['config', ...typed.split(' '), '--config', '/etc/ola.json'], {
      files: new Map([['x.json', '{}']]),
    });
    expect([typed, calls.map(({ options }) => options?.configFile)]).toEqual([typed, calls.map(() => '/etc/ola.json')]);
    expect(calls.length).toBeGreaterThan(0);
  }
});
