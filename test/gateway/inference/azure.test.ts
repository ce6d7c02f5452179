/** Both APIs of Azure OpenAI, by configuration alone: the exact head of each request, as a socket reads it. */
import { afterEach, describe, expect, test } from 'bun:test';
import { createServer, type Server } from 'node:net';
import type { JsonObject } from '../../../src/core/json.ts';
import { directories } from '../../directories.ts';
import { callOver, open, own, requestOf, variable } from '../scene.ts';

const directory = directories();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const key = 'key-of-the-resource-0123';
const body = JSON.stringify({ choices: [{ message: { content: 'hello' }, finish_reason: 'stop' }] });
const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;

/** The lines of each request's head. */
async function azure(): Promise<{ readonly port: number; readonly heads: string[][] }> {
  const heads: string[][] = [];
  const server: Server = createServer((socket) => {
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      const [head = '', sent = ''] = text.split('\r\n\r\n');
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
      if (!text.includes('\r\n\r\n') || sent.length < length) return;
      heads.push(head.split('\r\n'));
      socket.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it has no port');
  return { port: address.port, heads };
}

async function chatOf(id: string, provider: JsonObject, environment: Readonly<Record<string, string>> = {}) {
  const { port, heads } = await azure();
  const scene = await open(directory(), { environment });
  cleanups.push(() => scene[Symbol.asyncDispose]());
  const baseUrl = `http://127.0.0.1:${port}${String(provider['baseUrl'])}`;
  await scene.gateway.providers.put(id, { allowLocal: true, ...provider, baseUrl }, null, own);
  const request = requestOf('/v1/chat/completions', { model: `${id}/gpt-4o`, messages: [{ role: 'user', content: 'hi' }] });
  const { body: stream } = await scene.gateway.inference.run(callOver(), request);
  expect(await new Response(stream).text()).toBe(body);
  const [line, ...headers] = heads[0] ?? [];
  return { line, headers: headers.map((header) => header.replace(/^[^:]+/, (name) => name.toLowerCase())), port };
}

const keysOf = (headers: readonly string[]) => headers.filter((header) => /^(?:authorization|api-key|x-api-key):/.test(header));

describe('Azure', () => {
  test('classic: the deployment is in the path, the query behind it, the key in api-key', async () => {
    const { line, headers, port } = await chatOf('azure-classic', {
      baseUrl: '/openai/deployments/gpt-4o?api-version=2024-10-21',
      apiKey: key,
      credentialStyle: 'api-key',
    });
    expect(line).toBe('POST /openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21 HTTP/1.1');
    expect(keysOf(headers)).toEqual([`api-key: ${key}`]);
    expect(headers).toContain(`host: 127.0.0.1:${port}`);
    expect(headers).toContain('content-type: application/json');
  });

  test('under /openai/v1: the provider azure needs its address and its key alone', async () => {
    const { line, headers } = await chatOf('azure', { baseUrl: '/openai/v1', apiKey: key });
    expect(line).toBe('POST /openai/v1/chat/completions HTTP/1.1');
    expect(keysOf(headers)).toEqual([`api-key: ${key}`]);
  });

  test.each([
    ['/openai/v1', 'POST /openai/v1/responses HTTP/1.1'],
    // Its older paths have no responses: a client of those is translated.
    [
      '/openai/deployments/m?api-version=2024-10-21',
      'POST /openai/deployments/m/chat/completions?api-version=2024-10-21 HTTP/1.1',
    ],
  ])('a client of responses is asked for at %s', async (path, line) => {
    const { port, heads } = await azure();
    const scene = await open(directory());
    cleanups.push(() => scene[Symbol.asyncDispose]());
    const provider = { baseUrl: `http://127.0.0.1:${port}${path}`, allowLocal: true, apiKey: key };
    await scene.gateway.providers.put('azure', provider, null, own);
    const protocol = scene.gateway.protocols.find(({ id }) => id === 'openai-responses')!;
    const route = protocol.clientRoutes[0]!;
    const fields = { model: 'azure/m', input: 'hi' };
    const body = { text: JSON.stringify(fields), fields };
    const request = { route, body, params: {}, peek: route.peek(body, {}), query: '', headers: null };
    await scene.gateway.inference.run(callOver({ protocol }), request).catch(() => null);
    expect(heads[0]?.[0]).toBe(line);
  });

  test('with a token of the directory: as a bearer token', async () => {
    const { headers } = await chatOf('azure', { baseUrl: '/openai/v1', apiKey: key, credentialStyle: 'bearer' });
    expect(keysOf(headers)).toEqual([`authorization: Bearer ${key}`]);
  });

  test('its variable is sent to the address that the owner of the machine wrote', async () => {
    const environment = { AZURE_OPENAI_API_KEY: key };
    const implied = await chatOf('azure', { baseUrl: '/openai/v1' }, environment);
    expect(keysOf(implied.headers)).toEqual([`api-key: ${key}`]);
    const named = { baseUrl: '/openai/v1', apiKey: variable('AZURE_OPENAI_API_KEY'), credentialStyle: 'api-key' };
    expect(keysOf((await chatOf('azure-mini', named, environment)).headers)).toEqual([`api-key: ${key}`]);
  });

  test('its variable is not sent to an address that an administrator wrote over the network', async () => {
    const { port, heads } = await azure();
    const scene = await open(directory(), { environment: { AZURE_OPENAI_API_KEY: key } });
    cleanups.push(() => scene[Symbol.asyncDispose]());
    const far = { ...own, principal: { ...own.principal, subject: 'tok_1' } };
    await scene.gateway.providers.put('azure', { baseUrl: `http://127.0.0.1:${port}/openai/v1`, allowLocal: true }, null, far);
    const request = requestOf('/v1/chat/completions', { model: 'azure/m', messages: [{ role: 'user', content: 'hi' }] });
    await expect(scene.gateway.inference.run(callOver(), request)).rejects.toMatchObject({ code: 'provider_resolution_failed' });
    expect(heads).toEqual([]);
  });
});
