import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { callControl } from '../../src/runtime/control.ts';
import { listen } from '../../src/runtime/serve.ts';
import { directories } from '../directories.ts';

const directory = directories();
const get = { method: 'GET', path: '/x', body: undefined, headers: {} };

describe('a call over the control socket', () => {
  test('brings headers and body, and gives the answer back', async () => {
    const socket = join(directory(), 'control.sock');
    const { stop } = listen.control(socket, { maxBodyBytes: 1024 }, async (request, { kind }) => {
      const { headers, method } = request;
      return Response.json([kind, method, headers.get('if-match'), headers.get('content-type'), await request.json()]);
    });
    const call = { method: 'POST', path: '/x', body: { a: 1 }, headers: { 'if-match': '"r1"' } };
    const answer = await callControl(socket, call);
    expect(await answer?.json()).toEqual(['control', 'POST', '"r1"', 'application/json', { a: 1 }]);
    await stop();
    expect(await callControl(socket, get)).toBeNull();
  });

  test('finds nobody at a socket that a killed process left', async () => {
    const socket = join(directory(), 'control.sock');
    const serve = `Bun.serve({ unix: ${JSON.stringify(socket)}, fetch: () => new Response('') }); console.log('up');`;
    const child = Bun.spawn([process.execPath, '-e', serve], { stdout: 'pipe' });
    await child.stdout.getReader().read();
    expect((await callControl(socket, get))?.status).toBe(200);
    child.kill('SIGKILL');
    await child.exited;
    expect(await callControl(socket, get)).toBeNull();
    const { stop } = listen.control(socket, { maxBodyBytes: 1024 }, () => new Response('new'));
    expect(await (await callControl(socket, get))?.text()).toBe('new');
    await stop();
  });

  test('whose other side ends before it answers is not taken for one that nobody heard', async () => {
    const socket = join(directory(), 'control.sock');
    const serve = `Bun.serve({ unix: ${JSON.stringify(socket)}, fetch: () => process.kill(process.pid, 'SIGKILL') }); console.log('up');`;
    const child = Bun.spawn([process.execPath, '-e', serve], { stdout: 'pipe' });
    await child.stdout.getReader().read();
    await expect(callControl(socket, get)).rejects.toThrow(expect.objectContaining({ code: 'shutting_down' }));
    await child.exited;
  });
});
