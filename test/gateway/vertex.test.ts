/** Vertex AI by the host's Google login: token endpoint and Vertex are loopback servers, and the door out is the real one up to its last step. */
import { afterEach, describe, expect, test } from 'bun:test';
import type { AwsPorts } from '../../src/core/aws.ts';
import { OlaError } from '../../src/core/errors.ts';
import type { Dial } from '../../src/core/ports.ts';
import { dial } from '../../src/runtime/dial.ts';
import { directories } from '../directories.ts';
import { accountFile, googleTokens, userFile } from '../google-tokens.ts';
import { callOver, open, own, requestOf, type Scene, start } from './scene.ts';

const directory = directories();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const usual = '/home/u/.config/gcloud/application_default_credentials.json';
const vertexHost = 'europe-west1-aiplatform.googleapis.com';
const baseUrl = `https://${vertexHost}/v1/projects/p/locations/europe-west1`;
const answer = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hello' }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1 },
};

interface Given {
  readonly files?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly readText?: AwsPorts['readText'];
  readonly address?: string;
}

async function vertex(given: Given) {
  const clock: { scene: Scene | null } = { scene: null };
  const tokens = googleTokens(() => clock.scene?.now ?? start);
  const seen: { path: string; authorization: string | null; key: string | null }[] = [];
  const state = { status: 200 };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const { headers } = request;
      const path = new URL(request.url).pathname;
      seen.push({ path, authorization: headers.get('authorization'), key: headers.get('x-goog-api-key') });
      return Response.json(state.status === 200 ? answer : { error: { code: state.status, message: 'no' } }, {
        status: state.status,
      });
    },
  });
  cleanups.push(
    () => server.stop(true),
    () => tokens[Symbol.asyncDispose](),
  );
  const ports = new Map([
    ['oauth2.googleapis.com', tokens.port],
    [vertexHost, server.port ?? 0],
  ]);
  const toLoopback: Dial = (request) =>
    dial({ ...request, secure: false, port: ports.get(request.hostname) ?? 0, fresh: true }, '127.0.0.1');
  const text = (path: string) => (given.files?.[path] === undefined ? null : JSON.stringify(given.files[path]));
  const aws: AwsPorts = { home: '/home/u', readText: given.readText ?? text, run: () => Promise.reject(new Error('no program')) };
  const scene = await open(directory(), { aws, dial: toLoopback, environment: given.environment ?? {} });
  clock.scene = scene;
  cleanups.push(() => scene[Symbol.asyncDispose]());
  const { gateway } = scene;
  await gateway.providers.put('google-vertex', { api: 'google-generative-ai', baseUrl: given.address ?? baseUrl }, null, own);
  await gateway.authProfiles.put('google-vertex:host', { provider: 'google-vertex', type: 'gcp' }, null, own);
  const chat = async () => {
    const fields = { model: 'google-vertex/gemini-2.5-pro', messages: [{ role: 'user', content: 'hi' }] };
    const { body } = await gateway.inference.run(callOver(), requestOf('/v1/chat/completions', fields));
    return new Response(body).text();
  };
  return { scene, chat, tokens, seen, state };
}

/** The error of a call. */
async function errorOf(chat: () => Promise<string>): Promise<OlaError> {
  try {
    await chat();
  } catch (error) {
    if (error instanceof OlaError) return error;
    throw error;
  }
  throw new Error('it answered');
}

describe('a Google login', () => {
  test('gives one token for all calls, which goes as a bearer token, and another one five minutes before its end', async () => {
    const { scene, chat, tokens, seen } = await vertex({ files: { [usual]: userFile } });
    const texts = await Promise.all([chat(), chat(), chat()]);
    for (const text of texts) expect(text).toContain('Hello');
    expect(tokens.asked).toHaveLength(1);
    expect(seen[0]).toEqual({
      path: '/v1/projects/p/locations/europe-west1/publishers/google/models/gemini-2.5-pro:generateContent',
      authorization: 'Bearer ya29.token-1',
      key: null,
    });
    scene.now += 3_600_000 - 300_001;
    await chat();
    expect(tokens.asked).toHaveLength(1);
    scene.now += 2;
    await chat();
    expect(seen.at(-1)?.authorization).toBe('Bearer ya29.token-2');
    expect(JSON.stringify(scene.log) + scene.onDisk()).not.toMatch(/ya29|secret-of-the-client|refresh-token-of/);
  });

  test('of a service account signs for its tokens, from the file that the environment names', async () => {
    const environment = { GOOGLE_APPLICATION_CREDENTIALS: '/keys/account.json' };
    const { chat, seen } = await vertex({ environment, files: { '/keys/account.json': accountFile, [usual]: userFile } });
    expect(await chat()).toContain('Hello');
    expect(seen[0]?.authorization).toBe('Bearer ya29.token-1');
  });

  test('is used while its token lasts when there is no other, and its endpoint is not asked at every call', async () => {
    const { scene, chat, tokens } = await vertex({ files: { [usual]: userFile } });
    await chat();
    tokens.refusal = { status: 503, body: {} };
    scene.now += 3_600_000 - 1000;
    await chat();
    await chat();
    expect(tokens.asked).toHaveLength(2);
    scene.now += 10_000;
    const { code, message } = await errorOf(chat);
    expect([code, message]).toEqual(['upstream_unreachable', expect.stringContaining('HTTP 503')]);
  });

  test('that Google refuses tells the remedy', async () => {
    const { chat, tokens, seen } = await vertex({ files: { [usual]: { ...userFile, refresh_token: 'old' } } });
    expect((await errorOf(chat)).message).toContain('gcloud auth application-default login');
    expect(tokens.asked).toHaveLength(1);
    expect(seen).toEqual([]);
  });

  test('whose token Vertex refuses gives another one, unless it has only just come', async () => {
    for (const [age, asked] of [
      [0, 1],
      [60_000, 2],
    ] as const) {
      const { scene, chat, tokens, seen, state } = await vertex({ files: { [usual]: userFile } });
      await chat();
      state.status = 401;
      scene.now += age;
      await errorOf(chat);
      expect(tokens.asked).toHaveLength(asked);
      expect(seen.at(-1)?.authorization).toBe(`Bearer ya29.token-${asked}`);
    }
  });

  test('is nowhere, or in a file that cannot be used: nothing is sent, and no path is told', async () => {
    const environment = { GOOGLE_APPLICATION_CREDENTIALS: '/keys/account.json' };
    const elsewhere = { ...accountFile, token_uri: 'https://evil.example/token' };
    for (const files of [{}, { '/keys/account.json': elsewhere }]) {
      const { chat, tokens, seen } = await vertex({ environment, files });
      const { code, message } = await errorOf(chat);
      expect(code).toBe('upstream_unreachable');
      expect(message).toContain('GOOGLE_APPLICATION_CREDENTIALS');
      expect(message).not.toContain('/keys/');
      expect([tokens.asked.length, seen.length]).toEqual([0, 0]);
    }
  });

  test('has no token for an address that is not Vertex AI’s', async () => {
    const address = 'https://evil.example/v1/projects/p/locations/l';
    const { chat, tokens } = await vertex({ address, files: { [usual]: userFile } });
    expect((await errorOf(chat)).code).not.toBe('internal_error');
    expect(tokens.asked).toEqual([]);
  });
});
