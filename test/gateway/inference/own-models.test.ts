import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../../src/core/json.ts';
import { directories } from '../../directories.ts';
import { callOver, open, own, requestOf, type Scene } from '../scene.ts';

const directory = directories();
let scene: Scene;
let server: Server;
let baseUrl = '';
/** What the server was asked, and what it answers. */
let asked: IncomingMessage[] = [];
let answer: (response: ServerResponse) => void;

const listing = (...ids: readonly string[]) => {
  const body = JSON.stringify({ object: 'list', data: ids.map((id) => ({ id, max_model_len: 4096 })) });
  return (response: ServerResponse) => response.end(body);
};
const put = (id: string, more: JsonObject = {}) =>
  scene.gateway.providers.put(id, { baseUrl, allowLocal: true, apiKey: `key-of-${id}-0123456789`, ...more }, null, own);
const listed = async () => (await scene.gateway.listModels()).map(({ id }) => id);

beforeEach(async () => {
  scene = await open(directory());
  asked = [];
  answer = listing('llama', 'big[32k]');
  server = createServer((request, response) => {
    asked.push(request);
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1?api-version=1`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await scene[Symbol.asyncDispose]();
});

describe('an own server without models', () => {
  test('is asked for them with its key and query, and they are listed under its id', async () => {
    await put('mine', { headers: { 'X-Team': 'team-a' } });
    expect(asked).toHaveLength(0);
    expect(await scene.gateway.listModels()).toEqual([
      { id: 'mine/llama', object: 'model', created: 0, owned_by: 'mine', context_window: 4096 },
      { id: 'mine/big[32k]', object: 'model', created: 0, owned_by: 'mine', context_window: 4096 },
    ]);
    const [request] = asked;
    expect([request?.method, request?.url]).toEqual(['GET', '/v1/models?api-version=1']);
    expect(request?.headers).toMatchObject({ authorization: 'Bearer key-of-mine-0123456789', 'x-team': 'team-a' });
    expect((await scene.gateway.findModel('mine/big[32k]')).id).toBe('mine/big[32k]');
    expect((await scene.gateway.findModel('llama')).id).toBe('mine/llama');
    expect(scene.gateway.knownModels()).toHaveLength(2);
  });

  test('of the local rows of the catalog is asked too; with models, switched off, or of a vendor it is not', async () => {
    await put('vllm');
    await put('listed', { models: [{ id: 'm' }] });
    await put('off', { enabled: false });
    await put('groq', { headers: {} });
    const ids = await listed();
    expect(ids).toEqual(expect.arrayContaining(['vllm/llama', 'listed/m']));
    expect(ids.filter((id) => id.startsWith('groq/') || id.startsWith('off/'))).not.toContain('groq/llama');
    expect(asked).toHaveLength(1);
  });

  test('is not asked where the lists are all there is', async () => {
    await scene.gateway.documents.replace(
      { models: { mode: 'replace' }, providers: { mine: { baseUrl, allowLocal: true, authHeader: false } } },
      null,
      own,
    );
    expect(await listed()).toEqual([]);
    expect(asked).toHaveLength(0);
  });

  test('is asked once by lists at the same time, and again after a minute', async () => {
    await put('mine');
    await Promise.all([listed(), listed(), listed()]);
    expect(asked).toHaveLength(1);
    scene.now += 59_999;
    await listed();
    expect(asked).toHaveLength(1);
    answer = listing('newer');
    scene.now += 1;
    // The list does not wait for the newer one; the next has it.
    expect(await listed()).toEqual(['mine/llama', 'mine/big[32k]']);
    while (!(await listed()).includes('mine/newer')) await Bun.sleep(1);
    expect(asked).toHaveLength(2);
  });

  test('is asked anew when the configuration has changed', async () => {
    await put('mine');
    await listed();
    answer = listing('other');
    await put('mine', { headers: { a: 'b' } });
    expect(await listed()).toEqual(['mine/other']);
  });

  const failures: readonly (readonly [what: string, answer: (response: ServerResponse) => void])[] = [
    ['says 404', (response) => response.writeHead(404).end('{"data":[{"id":"x"}]}')],
    ['redirects', (response) => response.writeHead(302, { location: '/v1/other' }).end()],
    ['answers a page', (response) => response.end('<html></html>')],
    ['breaks off', (response) => void response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy())],
    ['answers more than 4 MiB', (response) => response.end(JSON.stringify({ data: [{ id: 'x', note: 'y'.repeat(4 << 20) }] }))],
  ];
  test.each(failures)('that %s is left out, and not asked again for half a minute', async (_, wrong) => {
    answer = wrong;
    await put('mine');
    expect(await listed()).toEqual([]);
    answer = listing('llama');
    scene.now += 29_999;
    expect(await listed()).toEqual([]);
    expect(asked).toHaveLength(1);
    scene.now += 1;
    expect(await listed()).toEqual(['mine/llama']);
  });

  test('that does not answer holds up no list: the others are there, and it is in a later one', async () => {
    let late: ServerResponse | null = null;
    answer = (response) => {
      late = response;
    };
    await put('mine');
    await put('listed', { models: [{ id: 'm' }] });
    expect(await listed()).toEqual(['listed/m']);
    listing('slow')(late as unknown as ServerResponse);
    while (!(await listed()).includes('mine/slow')) await Bun.sleep(1);
    expect(asked).toHaveLength(1);
  });

  test('lists 2,000 models at most, each once', async () => {
    answer = listing(...Array.from({ length: 2001 }, (_, index) => `m${index}`), 'm0');
    await put('mine');
    expect(await listed()).toHaveLength(2000);
  });

  test('takes no bare name away from a provider that is configured with it', async () => {
    await put('mine');
    await put('listed', { models: [{ id: 'llama' }] });
    await listed();
    answer = (response) => response.writeHead(500).end();
    const request = requestOf('/v1/chat/completions', { model: 'llama', messages: [{ role: 'user', content: 'hello' }] });
    const error: unknown = await scene.gateway.inference.run(callOver(), request).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ facts: { details: { provider: 'listed' } } });
  });
});
