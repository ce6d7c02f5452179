/** Three providers with three accounts each, the official package in front, faults behind: the binary as its user meets it. */
import { describe, expect, test } from 'bun:test';
import OpenAI from 'openai';
import { adminToken, type Ola, stage } from './stage.ts';
import { answer, type Behaviour, completion, type Upstream } from './upstream.ts';

const { start, upstream, run, directory } = stage();

const ids = ['one', 'two', 'three'] as const;
const accounts = ['a', 'b', 'c'] as const;
const keyOf = (id: string, account: string) => `key-of-${id}-${account}-0123456789`;

function document(up: Upstream) {
  const provider = { baseUrl: up.baseUrl, allowLocal: true };
  const profile = (id: string, account: string) => ({ provider: id, type: 'api_key', key: keyOf(id, account) });
  return {
    providers: Object.fromEntries(ids.map((id) => [id, provider])),
    authProfiles: Object.fromEntries(ids.flatMap((id) => accounts.map((each) => [`${id}:${each}`, profile(id, each)]))),
    providerFallback: { order: { 'chat:one': ['two/m2', 'three/m3'] }, maxAttempts: 9 },
  };
}

async function play() {
  const up = await upstream();
  const home = directory();
  const ola = await start({ home });
  expect((await ola.ask('POST', '/config', document(up))).status).toBe(200);
  return { ola, up, home };
}

/** Without retries of its own: what is seen is ola's. */
const client = ({ address }: Ola) => new OpenAI({ baseURL: `${address}/v1`, apiKey: adminToken, maxRetries: 0 });

async function say(ola: Ola, words: string) {
  const messages = [{ role: 'user' as const, content: words }];
  const { data, response } = await client(ola).chat.completions.create({ model: 'one/m1', messages }).withResponse();
  return { text: data.choices[0]?.message.content, profile: response.headers.get('x-ola-profile'), response };
}

const failing = (status: number, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  answer(status, { error: { message: 'no', code: 'some_code' } }, headers);
const keysFor = (up: Upstream, model: string) =>
  up.for(model).map(({ headers }) => headers.get('authorization')?.slice('Bearer '.length));

describe('nine accounts of three providers', () => {
  test('are tried until one answers; what failed rests, over kill -9 too, and heals', async () => {
    const { ola, up, home } = await play();
    up.modes.set('m1', failing(429, { 'retry-after': '600' }));
    up.modes.set('m2', failing(503));
    const first = await say(ola, 'first');
    expect([first.text, first.response.headers.get('x-ola-provider'), first.response.headers.get('x-ola-attempts')]).toEqual([
      'Hello',
      'three',
      '7',
    ]);
    expect([new Set(keysFor(up, 'm1')).size, new Set(keysFor(up, 'm2')).size, keysFor(up, 'm3').length]).toEqual([3, 3, 1]);
    const second = await say(ola, 'second');
    expect(second.response.headers.get('x-ola-attempts')).toBeNull();
    expect(up.for('m1')).toHaveLength(3);

    ola.kill('SIGKILL');
    await ola.exited;
    const again = await start({ home });
    const third = await say(again, 'third');
    expect([third.text, up.for('m1').length]).toEqual(['Hello', 3]);

    up.modes.set('m1', answer(200, completion('Healed')));
    for (const account of accounts) {
      expect((await again.ask('DELETE', `/config/cooldowns/one:${account}`)).status).toBe(200);
    }
    expect((await say(again, 'fourth')).text).toBe('Healed');
  });

  test('share new conversations, and keep those they have', async () => {
    const { ola } = await play();
    const conversations = Array.from({ length: 6 }, (_, n) => `conversation ${n}`);
    const homes: (string | null)[] = [];
    for (const words of conversations) homes.push((await say(ola, words)).profile);
    expect(new Set(homes)).toEqual(new Set(accounts.map((each) => `one:${each}`)));
    for (const [n, words] of conversations.entries()) expect((await say(ola, words)).profile).toBe(homes[n] ?? null);
  });

  test('are explained at the command line, without a secret', async () => {
    const { ola, up, home } = await play();
    up.modes.set('m1', failing(401));
    const { response } = await say(ola, 'hello');
    const id = response.headers.get('x-request-id') ?? '';
    const explained = await run(['models', 'explain', 'one/m1'], { home });
    expect(explained.out.match(/cools down, again in \d+ minutes/g)).toHaveLength(3);
    const request = await run(['explain', id], { home });
    expect(request.out.match(/ 401 +upstream_auth_error/g)).toHaveLength(3);
    expect(request.out).toMatch(/^4 +two +m2 +two:. +200 +answered/m);
    const cooling = await run(['auth', 'cooldowns'], { home });
    expect(cooling.out.match(/refused/g)).toHaveLength(3);
    for (const { out, err } of [explained, request, cooling]) expect(out + err).not.toContain('key-of-');
  });
});

test('when all of them rest, the client is told at once when to come back', async () => {
  const { ola, up } = await play();
  for (const model of ['m1', 'm2', 'm3']) up.modes.set(model, failing(429, { 'retry-after': '600' }));
  await say(ola, 'first').catch(() => undefined);
  const before = up.received.length;
  const error = await say(ola, 'second').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OpenAI.RateLimitError);
  const { code, headers } = error as InstanceType<typeof OpenAI.RateLimitError>;
  expect([code, Number(headers?.get('retry-after')) > 590, up.received.length]).toEqual([
    'all_credentials_cooling_down',
    true,
    before,
  ]);
});
