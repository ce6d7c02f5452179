import { afterEach, describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../../src/core/json.ts';
import type { UsageRow } from '../../../src/core/usage.ts';
import type { Answer, InferenceCall, InferenceRequest } from '../../../src/gateway/inference/call.ts';
import { directories } from '../../directories.ts';
import { callOver, open, own, requestOf, type Scene } from '../scene.ts';

const directory = directories();
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

interface Asked {
  readonly authorization: string | null;
  readonly body: JsonObject;
}

type Reply = (asked: Asked, request: Request) => Response | Promise<Response>;

/** A gateway with the provider `acme`, which is a real server here, under two keys: of the environment and its own. */
async function play(reply: Reply, environment: Record<string, string> = { ACME_API_KEY: 'first-key' }) {
  const asked: Asked[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const one = { authorization: request.headers.get('authorization'), body: (await request.json()) as JsonObject };
      asked.push(one);
      return reply(one, request);
    },
  });
  const scene = await open(directory(), { environment });
  cleanups.push(async () => {
    await server.stop(true);
    await scene[Symbol.asyncDispose]();
  });
  const acme = { baseUrl: `http://127.0.0.1:${server.port}/v1`, apiKey: 'second-key-0123', allowLocal: true };
  await scene.gateway.providers.put('acme', acme, null, own);
  return { scene, asked, server };
}

function call(more: JsonObject = {}, rest: Partial<InferenceCall> = {}): [InferenceCall, InferenceRequest] {
  const fields = { model: 'acme/m', messages: [{ role: 'user', content: 'hi' }], ...more };
  return [callOver(rest), requestOf('/v1/chat/completions', fields)];
}

const usage = { prompt_tokens: 3, completion_tokens: 2 };
const data = 'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n';
const answered = () => Response.json({ choices: [{ message: { content: 'hello' } }], usage });
const failing = (status: number, message = 'no') => Response.json({ error: { message, code: 'c' } }, { status });
const sse = (...events: string[]) => new Response(events.join(''), { headers: { 'content-type': 'text/event-stream' } });
const text = (answer: Answer) => new Response(answer.body).text();

async function onlyRow(scene: Scene): Promise<UsageRow> {
  const [row, ...more] = await scene.gateway.usage.recent(10);
  expect(more).toEqual([]);
  if (row === undefined) throw new Error('nothing was recorded');
  return row;
}

describe('a call', () => {
  test('that is answered gives the answer as it came, and one row of what it used', async () => {
    const { scene, asked } = await play(answered);
    const answer = await scene.gateway.inference.run(...call());
    expect(JSON.parse(await text(answer))).toEqual({ choices: [{ message: { content: 'hello' } }], usage });
    expect(answer.headers).toEqual({ 'content-type': 'application/json', 'x-ola-provider': 'acme', 'x-ola-model': 'm' });
    expect(asked).toMatchObject([{ authorization: 'Bearer first-key', body: { model: 'm' } }]);
    expect(await onlyRow(scene)).toMatchObject({
      requestId: 'req_1',
      subject: 'local',
      requested: 'acme/m',
      provider: 'acme',
      model: 'm',
      source: 'env:ACME_API_KEY',
      stream: false,
      status: 200,
      error: null,
      tokens: { prompt: 3, completion: 2 },
      attempts: null,
    });
    expect(scene.gateway.limits.inFlight()).toBe(0);
  });

  test('goes to the next credential when one is refused, limited, or its server fails', async () => {
    for (const status of [401, 402, 403, 408, 409, 429, 500, 503, 529]) {
      const { scene, asked } = await play(({ authorization }) =>
        authorization === 'Bearer first-key' ? failing(status) : answered(),
      );
      const answer = await scene.gateway.inference.run(...call());
      expect(answer.headers['x-ola-attempts']).toBe('2');
      expect(asked.map(({ authorization }) => authorization)).toEqual(['Bearer first-key', 'Bearer second-key-0123']);
      expect(await onlyRow(scene)).toMatchObject({
        source: 'provider-config',
        status: 200,
        attempts: [{ provider: 'acme', source: 'env:ACME_API_KEY', status }],
      });
    }
  });

  test('that is the client’s mistake is not sent a second time', async () => {
    for (const status of [400, 404, 413, 422]) {
      const { scene, asked } = await play(() => failing(status, 'your mistake'));
      await expect(scene.gateway.inference.run(...call())).rejects.toMatchObject({ code: 'upstream_http_error', status });
      expect(asked).toHaveLength(1);
      expect(await onlyRow(scene)).toMatchObject({ status, error: 'upstream_http_error', tokens: { prompt: null } });
    }
  });

  test('that fails everywhere has the last error, and every attempt in its row', async () => {
    const { scene } = await play(({ authorization }) => failing(authorization === 'Bearer first-key' ? 500 : 401, 'CANARY'));
    const thrown: unknown = await scene.gateway.inference.run(...call()).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'upstream_auth_error', status: 502 });
    expect(String(thrown)).not.toContain('CANARY');
    const row = await onlyRow(scene);
    expect(row.attempts?.map(({ status }) => status)).toEqual([500, 401]);
    expect(scene.gateway.limits.inFlight()).toBe(0);
  });

  test('to a server that does not listen goes on, and is unreachable in the end', async () => {
    const { scene, server } = await play(answered);
    await server.stop(true);
    await expect(scene.gateway.inference.run(...call())).rejects.toMatchObject({ code: 'upstream_unreachable', status: 502 });
    expect((await onlyRow(scene)).attempts).toHaveLength(2);
  });

  test('that cannot be routed is recorded too, and settled', async () => {
    const { scene, asked } = await play(answered);
    await expect(scene.gateway.inference.run(...call({ model: 'nobody/m' }))).rejects.toMatchObject({
      code: 'provider_resolution_failed',
    });
    expect(asked).toEqual([]);
    expect(await onlyRow(scene)).toMatchObject({ provider: null, status: 404, error: 'provider_resolution_failed' });
    expect(scene.gateway.limits.inFlight()).toBe(0);
  });

  test('whose answer of status 200 tells a failure goes to the next credential', async () => {
    for (const told of [{ error: { code: 429, message: 'm' } }, { choices: [] }, { error: 'm' }]) {
      const { scene } = await play(({ authorization }) =>
        authorization === 'Bearer first-key' ? Response.json(told) : answered(),
      );
      expect((await scene.gateway.inference.run(...call())).headers['x-ola-attempts']).toBe('2');
    }
  });

  test('that was refused for a field that ola added is sent again without it, and so is the next one', async () => {
    const { scene, asked } = await play(({ body }) =>
      'stream_options' in body ? failing(400, "Unknown parameter: 'stream_options'") : sse(data, 'data: [DONE]\n\n'),
    );
    for (const attempts of ['2', undefined]) {
      const answer = await scene.gateway.inference.run(...call({ stream: true }));
      expect(answer.headers['x-ola-attempts']).toBe(attempts);
      expect(await text(answer)).toContain('[DONE]');
    }
    expect(asked.map(({ body }) => 'stream_options' in body)).toEqual([true, false, false]);
  });

  test('that was refused for a field that the client sent is the client’s', async () => {
    const { scene, asked } = await play(() => failing(400, "Unknown parameter: 'stream_options'"));
    const options = { stream: true, stream_options: { include_usage: true } };
    await expect(scene.gateway.inference.run(...call(options))).rejects.toMatchObject({ status: 400 });
    expect(asked).toHaveLength(1);
  });

  test('that is answered by a stream gives the one answer that it says', async () => {
    const { scene } = await play(() => sse(data, 'data: [DONE]\n\n'));
    expect(JSON.parse(await text(await scene.gateway.inference.run(...call())))).toMatchObject({
      choices: [{ message: { role: 'assistant', content: 'hi' } }],
    });
  });

  test('that is answered with something else is a provider error', async () => {
    const replies: readonly Reply[] = [
      () => new Response('<html>CANARY</html>'),
      () => new Response('CANARY', { headers: { 'content-encoding': 'br' } }),
    ];
    for (const reply of replies) {
      const { scene } = await play(reply);
      await expect(scene.gateway.inference.run(...call())).rejects.toMatchObject({ code: 'provider_error', status: 502 });
    }
  });

  test('keeps the client’s connection open once it takes long, and lets it go at its end', async () => {
    const gate = Promise.withResolvers<void>();
    const { scene } = await play(async () => {
      await gate.promise;
      return answered();
    });
    const kept: boolean[] = [];
    const running = scene.gateway.inference.run(...call({}, { keepOpen: (on) => void kept.push(on) }));
    for (const at of [700, 5699]) scene.gateway.tick(at);
    // A clock that is set tells nothing of how long it took.
    scene.now += 86_400_000;
    scene.gateway.tick(5699);
    expect(kept).toEqual([]);
    for (const at of [5700, 6700]) scene.gateway.tick(at);
    expect(kept).toEqual([true]);
    gate.resolve();
    await running;
    expect(kept).toEqual([true, false]);
  });
});

describe('a stream', () => {
  const chunk = 'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n';
  const counted = `data: ${JSON.stringify({ choices: [], usage })}\n\n`;
  const done = 'data: [DONE]\n\n';

  test('comes as it is, without the usage that only ola asked for, which is recorded', async () => {
    const { scene, asked } = await play(() => sse(chunk, counted, done));
    const answer = await scene.gateway.inference.run(...call({ stream: true }));
    expect(await text(answer)).toBe(chunk + done);
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(asked[0]?.body).toMatchObject({ stream_options: { include_usage: true } });
    expect(await onlyRow(scene)).toMatchObject({ stream: true, status: 200, tokens: { prompt: 3, completion: 2 } });
  });

  test('that the upstream refuses before its first byte goes to the next credential', async () => {
    const { scene } = await play(({ authorization }) => (authorization === 'Bearer first-key' ? failing(429) : sse(chunk, done)));
    expect(await text(await scene.gateway.inference.run(...call({ stream: true })))).toBe(chunk + done);
  });

  test('that breaks off is not tried again, and recorded as what it is', async () => {
    const { scene, asked } = await play(() => sse(chunk));
    const out = await text(await scene.gateway.inference.run(...call({ stream: true })));
    expect(out.startsWith(`${chunk}data: {"error":`)).toBe(true);
    expect(asked).toHaveLength(1);
    expect(await onlyRow(scene)).toMatchObject({ status: 502, error: 'upstream_truncated' });
  });

  test('that is answered by JSON is a stream of one chunk, and its usage is recorded', async () => {
    const { scene } = await play(answered);
    const out = await text(await scene.gateway.inference.run(...call({ stream: true })));
    expect(out).toBe('data: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"hello"}}]}\n\ndata: [DONE]\n\n');
    expect(await onlyRow(scene)).toMatchObject({ stream: true, status: 200, tokens: { prompt: 3, completion: 2 } });
  });

  test('that is answered by a page is a provider error', async () => {
    const { scene } = await play(() => new Response('<html>CANARY</html>'));
    await expect(scene.gateway.inference.run(...call({ stream: true }))).rejects.toMatchObject({ code: 'provider_error' });
  });

  test('whose first event is an error goes to the next credential, like any status', async () => {
    for (const first of ['data: {"error":{"code":429,"message":"m"}}\n\n', 'data: [DONE]\n\n', '']) {
      const { scene } = await play(({ authorization }) => (authorization === 'Bearer first-key' ? sse(first) : sse(chunk, done)));
      const answer = await scene.gateway.inference.run(...call({ stream: true }));
      expect([await text(answer), answer.headers['x-ola-attempts']]).toEqual([chunk + done, '2']);
    }
  });

  test('that the client leaves ends the upstream’s and is recorded as that, not as the upstream’s failure', async () => {
    const left = Promise.withResolvers<void>();
    const endless: Reply = (_asked, request) => {
      request.signal.addEventListener('abort', () => left.resolve());
      const start = (controller: ReadableStreamDefaultController) => controller.enqueue(new TextEncoder().encode(chunk));
      return new Response(new ReadableStream({ start }), { headers: { 'content-type': 'text/event-stream' } });
    };
    const { scene } = await play(endless);
    const client = new AbortController();
    const { body } = await scene.gateway.inference.run(...call({ stream: true }, { signal: client.signal }));
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    client.abort();
    await reader.cancel();
    await left.promise;
    expect(await onlyRow(scene)).toMatchObject({ status: 499, error: 'client_closed_request' });
    expect(scene.gateway.limits.inFlight()).toBe(0);
  });

  test('is cut with an error event when the gateway stops', async () => {
    const endless: Reply = () => {
      const start = (controller: ReadableStreamDefaultController) => controller.enqueue(new TextEncoder().encode(chunk));
      return new Response(new ReadableStream({ start }), { headers: { 'content-type': 'text/event-stream' } });
    };
    const { scene } = await play(endless);
    const { body } = await scene.gateway.inference.run(...call({ stream: true }));
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(chunk);
    scene.gateway.cut();
    let out = '';
    for (let next = await reader.read(); !next.done; next = await reader.read()) out += new TextDecoder().decode(next.value);
    expect(out).toStartWith('data: {"error":');
    expect(out).toContain('shutting_down');
    expect(await onlyRow(scene)).toMatchObject({ status: 503, error: 'shutting_down' });
  });
});

describe('a stream whose caller is not let in any more', () => {
  const endless: Reply = () => {
    const start = (controller: ReadableStreamDefaultController) =>
      controller.enqueue(new TextEncoder().encode('data: {"choices":[{"delta":{"content":"hi"}}]}\n\n'));
    return new Response(new ReadableStream({ start }), { headers: { 'content-type': 'text/event-stream' } });
  };

  /** A stream of a token that ends a minute from now, and another caller's beside it. */
  async function streaming() {
    const { scene } = await play(endless);
    const { gateway } = scene;
    const { token, view } = await gateway.tokens.create({ name: 'a', expiresAt: scene.now + 60_000 }, own);
    const principal = gateway.tokens.find(token);
    if (principal === null) throw new Error('the token is not known');
    const answer = await gateway.inference.run(...call({ stream: true }, { principal }));
    const other = await gateway.inference.run(...call({ stream: true }));
    return { scene, id: view.id, reading: text(answer), other };
  }

  const cases: Readonly<Record<string, (scene: Scene, id: string) => Promise<unknown>>> = {
    'its token is revoked': (scene, id) => scene.gateway.tokens.revoke(id, own),
    'its token has expired': async (scene) => {
      scene.now += 60_001;
    },
  };
  for (const [what, withdraw] of Object.entries(cases)) {
    test(`is cut with an error event: ${what}`, async () => {
      const { scene, id, reading, other } = await streaming();
      scene.gateway.tick(1000);
      await withdraw(scene, id);
      scene.gateway.tick(2000);
      const out = await reading;
      expect(out).toContain('invalid_api_key');
      expect(out).not.toContain('[DONE]');
      expect(await scene.gateway.usage.recent(10)).toMatchObject([{ status: 401, error: 'invalid_api_key' }]);
      await (other.body as ReadableStream<Uint8Array>).cancel();
      expect(await scene.gateway.usage.recent(10)).toHaveLength(2);
    });
  }

  test('is cut when its token is taken out of the configuration, not when another setting changes', async () => {
    const { scene } = await play(endless);
    const { gateway } = scene;
    const write = (path: readonly string[], value: string | null) => {
      const content = value === null ? ({ kind: 'removed' } as const) : ({ kind: 'sent', value } as const);
      const record = { action: 'config.update', about: 'config.set', details: {} };
      return gateway.config.writeSection({ path, content, record }, null, own);
    };
    await write(['serverToken'], 'x'.repeat(40));
    const principal = gateway.access.authenticate(new Headers({ authorization: `Bearer ${'x'.repeat(40)}` }));
    if (principal instanceof Error) throw principal;
    const reading = text(await gateway.inference.run(...call({ stream: true }, { principal })));
    await write(['defaultModel'], 'acme/m');
    gateway.tick(1000);
    expect(gateway.limits.inFlight()).toBe(1);
    await write(['serverToken'], null);
    gateway.tick(2000);
    expect(await reading).toContain('invalid_api_key');
  });
});

test('a call without an answer at the end of the process is recorded as cut off, once', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const { scene, asked } = await play(async () => {
    await answered;
    return Response.json({ choices: [{ message: {} }] });
  });
  const running = scene.gateway.inference.run(...call());
  while (asked.length === 0) await Bun.sleep(1);
  await scene.gateway.flush();
  answer();
  await running;
  const rows = await scene.gateway.usage.recent(10);
  expect(rows.map(({ status, error }) => [status, error])).toEqual([[503, 'shutting_down']]);
});

test('a header that was entered for another address is not sent: the provider cannot be used until it is sent again', async () => {
  const { scene, asked } = await play(() => Response.json({ choices: [] }));
  const { config, providers } = scene.gateway;
  const acme = { baseUrl: 'https://one.example/v1', apiKey: 'second-key-0123', headers: { 'x-key': 'header-secret' } };
  await providers.remove('acme', null, own);
  await providers.put('acme', acme, null, own);
  // As an import or a catalog that moved would leave it: no write of a provider comes to this.
  const moved = { acme: { baseUrl: 'https://two.example/v1', apiKey: 'third-key-0123' } };
  await config.writeSection(
    {
      path: ['models'],
      content: { kind: 'stored', value: { providers: moved } },
      record: { action: 'config.update', about: 'config.import', details: {} },
    },
    null,
    own,
  );
  await expect(scene.gateway.inference.run(...call())).rejects.toThrow('headers.x-key is not for the present address');
  expect(asked).toEqual([]);
});

test('ola’s own tokens of the environment are cut out of what is shown, like the providers’ keys', async () => {
  await using scene = await open(directory(), { settings: { adminToken: 'admin:secret', proxyKey: 'proxy:secret' } });
  expect(scene.gateway.redact('admin:secret and proxy:secret')).toBe('[REDACTED] and [REDACTED]');
});
