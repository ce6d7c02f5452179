/** Claude Code as a provider, through the gateway to a program that behaves as the real one does. */
import { afterEach, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OlaError } from '../../../src/core/errors.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Answer } from '../../../src/gateway/inference/call.ts';
import { createPrograms } from '../../../src/runtime/programs.ts';
import { directories } from '../../directories.ts';
import { callOver, open, own, requestOf, type Scene } from '../scene.ts';

const directory = directories();
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const fixtures = join(import.meta.dir, '../../protocols/fixtures/claude-cli');
const says = (name: string) => `cat ${join(fixtures, `${name}.jsonl`)}`;
const model = 'claude-sonnet-4-5';
const enabled: JsonObject = { providers: { 'claude-cli': { enabled: true } } };

interface Stage {
  readonly scene: Scene;
  /** The directory of the program, and of the files that it writes. */
  readonly bin: string;
  /** A file that it wrote. */
  readonly wrote: (name: string) => string;
}

/** @param answers what the program does once it has read its input. @param version what `--version` prints */
async function play(answers: string | null, document: JsonObject = enabled, version = '2.1.197 (Claude Code)'): Promise<Stage> {
  const bin = directory();
  const wrote = (name: string) => readFileSync(join(bin, name), 'utf8');
  if (answers !== null) {
    const text = [
      '#!/bin/sh',
      `if [ "$1" = --version ]; then echo asked >> ${bin}/versions; echo '${version}'; exit; fi`,
      `for word in "$@"; do printf '%s\\n' "$word"; done > ${bin}/arguments; env > ${bin}/environment; pwd -P > ${bin}/directory`,
      `ls -A | wc -l > ${bin}/entries; echo $$ > ${bin}/pid; cat > ${bin}/input`,
      answers,
    ];
    writeFileSync(join(bin, 'claude'), `${text.join('\n')}\n`, { mode: 0o755 });
  }
  const variables = { PATH: `${bin}:/usr/bin:/bin`, HOME: bin, LANG: 'C.UTF-8', OPENAI_API_KEY: 'CANARY-of-a-key' };
  const scene = await open(directory(), { programs: createPrograms(variables) });
  cleanups.push(async () => scene[Symbol.asyncDispose]());
  await scene.gateway.documents.replace(document, null, own);
  return { scene, bin, wrote };
}

const question = [{ role: 'user', content: 'CANARY-of-a-question' }];

function call({ gateway }: Scene, fields: JsonObject = {}, signal = new AbortController().signal): Promise<Answer> {
  const request = requestOf('/v1/chat/completions', { model: `claude-cli/${model}`, messages: question, ...fields });
  return gateway.inference.run(callOver({ signal }), request);
}

async function refusal(scene: Scene, fields: JsonObject = {}): Promise<OlaError> {
  const thrown: unknown = await call(scene, fields).catch((error: unknown) => error);
  if (thrown instanceof OlaError) return thrown;
  throw new Error('it was not refused');
}

const told = async ({ body }: Answer) => JSON.parse(await new Response(body).text()) as JsonObject;

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await Bun.sleep(10);
  }
}

describe('Claude Code answers', () => {
  test('whole, with its tokens and no price, as no one sold them', async () => {
    const { scene } = await play(says('text'));
    const answer = await call(scene);
    expect(await told(answer)).toMatchObject({
      choices: [{ message: { content: 'Hello world', reasoning_content: 'hm ' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 15, completion_tokens: 5 },
    });
    expect(answer.headers).toMatchObject({ 'x-ola-provider': 'claude-cli', 'x-ola-model': model });
    const [row] = await scene.gateway.usage.recent(1);
    expect(row).toMatchObject({ status: 200, provider: 'claude-cli', source: 'cli', costMicros: null, tokens: { prompt: 15 } });
  });

  test('as a stream, which begins before the program has ended', async () => {
    const lines = readFileSync(join(fixtures, 'text.jsonl'), 'utf8').split('\n');
    const cut = lines.findIndex((line) => line.includes('text_delta')) + 1;
    const { scene, bin, wrote } = await play(
      `head -n ${cut} ${fixtures}/text.jsonl; while [ ! -e "$HOME/go" ]; do sleep 0.02; done; tail -n +${cut + 1} ${fixtures}/text.jsonl`,
    );
    const { body } = await call(scene, { stream: true });
    const reader = new Response(body).body?.getReader();
    const first = new TextDecoder().decode((await reader?.read())?.value);
    expect(first).toContain('data: {');
    writeFileSync(join(bin, 'go'), '');
    let text = first;
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read())
      text += new TextDecoder().decode(next.value);
    expect(text).toContain('world');
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
    await untilGone(Number(wrote('pid')));
  });

  test('with its first turn alone, though the program goes on', async () => {
    const { scene, wrote } = await play(`${says('length')}; sleep 600`);
    expect(await told(await call(scene))).toMatchObject({
      choices: [{ message: { content: 'Hello world' }, finish_reason: 'length' }],
      usage: { completion_tokens: 5 },
    });
    await untilGone(Number(wrote('pid')));
  });

  test('and says what it cannot do in a header', async () => {
    const { scene } = await play(says('text'));
    const { headers } = await call(scene, { temperature: 0.5, stop: ['x'] });
    expect(headers['x-ola-dropped']?.split(', ')).toEqual(expect.arrayContaining(['temperature', 'stop']));
  });
});

describe('the program of the host', () => {
  test('gets the request on its standard input alone, and three variables', async () => {
    const { scene, wrote, bin } = await play(says('text'));
    await told(await call(scene, { user: 'CANARY-of-a-user' }));
    expect(wrote('input')).toContain('CANARY-of-a-question');
    expect(wrote('arguments')).not.toContain('CANARY');
    expect(wrote('arguments').trimEnd().split('\n').at(-1)).toBe(model);
    // A shell sets PWD, OLDPWD, SHLVL and _ itself.
    const names = wrote('environment')
      .split('\n')
      .map((line) => line.split('=')[0] ?? '');
    expect(names.filter((name) => !['', 'PWD', 'OLDPWD', 'SHLVL', '_'].includes(name)).sort()).toEqual(['HOME', 'LANG', 'PATH']);
    expect(wrote('entries').trim()).toBe('0');
    expect(wrote('directory')).not.toContain(bin);
    while (existsSync(wrote('directory').trim())) await Bun.sleep(5);
  });

  test('is asked for its version once, and again when it is another file', async () => {
    const { scene, bin, wrote } = await play(says('text'));
    await told(await call(scene));
    await told(await call(scene));
    expect(wrote('versions')).toBe('asked\n');
    writeFileSync(join(bin, 'claude'), `${readFileSync(join(bin, 'claude'), 'utf8')}\n# updated\n`);
    await told(await call(scene));
    expect(wrote('versions')).toBe('asked\nasked\n');
  });

  test('is not run in a version whose switches were not tried', async () => {
    for (const [version, words] of [
      ['2.1.196 (Claude Code)', 'version 2.1.196'],
      ['3.0.0', 'version 3.0.0'],
      ['no number', 'names no version'],
    ] as const) {
      const { scene, bin } = await play(says('text'), enabled, version);
      const { code, message } = await refusal(scene);
      expect([code, message.includes(words), existsSync(join(bin, 'input'))]).toEqual(['upstream_unreachable', true, false]);
    }
  });

  test('that is not installed is said so, without a path', async () => {
    const { scene, bin } = await play(null);
    const { code, message } = await refusal(scene);
    expect(code).toBe('upstream_unreachable');
    expect(message).toContain('`claude` is not installed');
    expect(message).not.toContain(bin);
  });

  for (const [when, before, stream] of [
    ['before its answer', '', false],
    ['within its answer', `head -n 11 ${fixtures}/text.jsonl`, true],
  ] as const) {
    test(`is ended when its client leaves ${when}`, async () => {
      const { scene, bin, wrote } = await play(`${before}\ntrap '' TERM; while :; do sleep 0.1; done`);
      const client = new AbortController();
      const ended = call(scene, { stream }, client.signal)
        .then(({ body }) => new Response(body).text())
        .catch((error: unknown) => error);
      while (!existsSync(join(bin, 'input'))) await Bun.sleep(5);
      client.abort(new OlaError('client_closed_request', 'The client closed the connection.'));
      await ended;
      await untilGone(Number(wrote('pid')));
    });
  }

  test('is ended when ola cuts what runs', async () => {
    const { scene, bin, wrote } = await play(`head -n 11 ${fixtures}/text.jsonl; sleep 600`);
    const { body } = await call(scene, { stream: true });
    const rest = new Response(body).text().catch((error: unknown) => String(error));
    while (!existsSync(join(bin, 'input'))) await Bun.sleep(5);
    scene.gateway.cut();
    expect(await rest).not.toContain('[DONE]');
    await untilGone(Number(wrote('pid')));
  });

  for (const answers of ['exit 1', 'echo oops', `head -n 9 ${fixtures}/text.jsonl; exit 3`, 'kill -9 $$']) {
    test(`that ends without an answer is no answer: ${answers.replace(fixtures, '.')}`, async () => {
      const { scene } = await play(answers);
      expect((await refusal(scene)).status).toBe(502);
      const streamed = await call(scene, { stream: true }).then(
        ({ body }) => new Response(body).text(),
        (error: unknown) => String(error),
      );
      expect(streamed).not.toContain('[DONE]');
    });
  }

  test('that is silent for longer than the provider’s time limit is ended', async () => {
    const document = { providers: { 'claude-cli': { enabled: true, timeouts: { firstByteSeconds: 1, idleSeconds: 1 } } } };
    const { scene, wrote } = await play('sleep 600', document);
    expect((await refusal(scene)).code).toBe('upstream_timeout');
    await untilGone(Number(wrote('pid')));
  });
});

describe('a failure of Claude Code', () => {
  test('of its login is an administrator’s to mend', async () => {
    const { scene } = await play(says('not-logged-in'));
    const { code, status, facts } = await refusal(scene);
    expect([code, status]).toEqual(['upstream_auth_error', 502]);
    expect(facts.headers?.['x-ola-hint']).toContain('/login');
  });

  test('of a limit is 429 with the time until it ends', async () => {
    const { scene } = await play(says('limit'));
    const { status, facts } = await refusal(scene);
    expect([status, facts.headers?.['retry-after']]).toEqual([429, '3600']);
  });

  test('of a prompt that is too long has the code that clients know', async () => {
    const { scene } = await play(says('too-long'));
    const { status, facts } = await refusal(scene);
    expect([status, facts.wireCode]).toEqual([400, 'context_length_exceeded']);
  });

  test('of a server that is overloaded is told at once, though the program would wait for it', async () => {
    for (const stream of [true, false]) {
      const { scene, wrote } = await play(`${says('retry')}; sleep 600`);
      expect([stream, (await refusal(scene, { stream })).status]).toEqual([stream, 529]);
      await untilGone(Number(wrote('pid')));
    }
  });
});

describe('a program is run for nobody', () => {
  test('unless the configuration says `enabled: true`', async () => {
    for (const document of [{}, { providers: { 'claude-cli': {} } }, { providers: { 'claude-cli': { enabled: false } } }]) {
      const { scene, bin } = await play(says('text'), document);
      const { code, status } = await refusal(scene);
      expect([code, status, existsSync(join(bin, 'versions'))]).toEqual(['provider_disabled', 404, false]);
    }
  });

  test('until an administrator writes that alone, which needs no address', async () => {
    const { scene } = await play(says('text'), {});
    expect(await scene.gateway.providers.put('claude-cli', { enabled: true }, null, own)).toMatchObject({ warnings: [] });
    expect(scene.gateway.providerStates().find(({ id }) => id === 'claude-cli')).toMatchObject({
      usable: true,
      keys: [],
      why: null,
    });
    await told(await call(scene));
    await scene.gateway.providers.enable('codex-cli', true, null, own);
    expect(scene.gateway.providerStates().find(({ id }) => id === 'codex-cli')).toMatchObject({
      usable: false,
      why: 'ola does not run this program',
    });
  });

  test('for a model that the provider does not list, or whose id would be an option', async () => {
    const models = [{ id: '--dangerously-skip-permissions' }, { id: 'mine' }];
    const { scene, wrote, bin } = await play(says('text'), { providers: { 'claude-cli': { enabled: true, models } } });
    for (const id of ['claude-unheard-of', '--dangerously-skip-permissions', '--version']) {
      const { status } = await refusal(scene, { model: `claude-cli/${id}` });
      expect([id, status, existsSync(join(bin, 'input'))]).toEqual([id, 404, false]);
    }
    await told(await call(scene, { model: 'claude-cli/mine' }));
    expect(wrote('arguments').trimEnd().split('\n').at(-1)).toBe('mine');
  });

  test('by the name of another provider', async () => {
    const providers = { mine: { enabled: true, api: 'claude-cli', baseUrl: 'https://mine.example', apiKey: 'key-0123456789' } };
    const { scene, bin } = await play(says('text'), { providers });
    const { status } = await refusal(scene, { model: 'mine/m' });
    expect([status, existsSync(join(bin, 'versions'))]).toEqual([404, false]);
  });

  test('when it is Codex, whose tools cannot be taken away', async () => {
    const { scene } = await play(says('text'), { providers: { 'codex-cli': { enabled: true } } });
    const { status, message } = await refusal(scene, { model: 'codex-cli/gpt-5.5' });
    expect(status).toBe(404);
    expect(message).toContain('no switch that takes all tools');
  });
});
