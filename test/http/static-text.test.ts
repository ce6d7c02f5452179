import { describe, expect, test } from 'bun:test';
import type { Call } from '../../src/http/call.ts';
import { sendFile, textFile } from '../../src/http/static-text.ts';

const long = 'aß€😀 '.repeat(1000);
const file = await textFile('text/plain; charset=utf-8', long);
const ask = (headers: Readonly<Record<string, string>>, of = file) =>
  sendFile({ request: new Request('http://127.0.0.1/x', { headers }), requestId: 'req_1' } as unknown as Call, of);

describe('a file', () => {
  test('comes with its type, a strong tag, and is asked for again each time', async () => {
    const response = await ask({});
    expect(await response.text()).toBe(long);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'req_1',
      vary: 'Accept-Encoding',
      etag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
    });
  });

  test('is not sent again to whoever has it', async () => {
    for (const have of [file.etag, `W/${file.etag}`, `"other", ${file.etag}`, '*']) {
      const response = await ask({ 'if-none-match': have });
      expect([have, response.status, await response.text(), response.headers.get('etag')]).toEqual([have, 304, '', file.etag]);
      expect(response.headers.get('content-type')).toBeNull();
    }
    for (const have of ['"other"', file.etag.slice(1, -1), '']) expect((await ask({ 'if-none-match': have })).status).toBe(200);
  });

  test('of other words has another tag', async () => {
    expect((await textFile('text/plain', `${long}.`)).etag).not.toBe(file.etag);
  });

  test('is packed for whoever takes gzip, under a tag of its own', async () => {
    for (const accept of ['gzip', 'br, gzip', 'deflate,gzip;q=0.5', 'GZIP']) {
      const response = await ask({ 'accept-encoding': accept });
      expect([accept, response.headers.get('content-encoding')]).toEqual([accept, 'gzip']);
      expect(new TextDecoder().decode(Bun.gunzipSync(new Uint8Array(await response.arrayBuffer())))).toBe(long);
      const tag = response.headers.get('etag') ?? '';
      expect(tag).not.toBe(file.etag);
      expect((await ask({ 'accept-encoding': accept, 'if-none-match': tag })).status).toBe(304);
      expect((await ask({ 'accept-encoding': accept, 'if-none-match': file.etag })).status).toBe(200);
    }
    for (const accept of ['identity', 'gzip;q=0', 'gzip; q=0.0, br', 'x-gzipped', '']) {
      expect([accept, (await ask({ 'accept-encoding': accept })).headers.get('content-encoding')]).toEqual([accept, null]);
    }
    expect(
      (await ask({ 'accept-encoding': 'gzip' }, await textFile('text/plain', 'short'))).headers.get('content-encoding'),
    ).toBeNull();
  });
});
