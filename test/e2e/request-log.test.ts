/** The log of requests of the binary: who turns it on, what a line has, and that no line is lost at the end. */
import { expect, test } from 'bun:test';
import { adminToken, type Ola, request, stage, until } from './stage.ts';

const { start, upstream } = stage();

interface Line {
  readonly message: string;
  readonly [field: string]: unknown;
}
const linesOf = (ola: Ola): Line[] =>
  ola
    .err()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
    .filter(({ message }) => message === 'request');
const ends = async (ola: Ola) => {
  ola.kill('SIGTERM');
  expect(await ola.exited).toBe(0);
};
const models = (ola: Ola) => ola.ask('GET', '/v1/models');
const logRequests = (ola: Ola, on: boolean) => ola.ask('POST', '/config', { server: { logRequests: on } });

test('each request has a line: answers, streams, refusals and requests of the configuration', async () => {
  const up = await upstream();
  const ola = await start({ args: ['--log-requests'] });
  await ola.addProvider('acme', up);
  expect((await ola.chat('acme/m')).status).toBe(200);
  expect((await ola.chat('acme/m', { stream: true })).status).toBe(200);
  expect((await ola.chat('acme/m', undefined, { authorization: 'Bearer nobody' })).status).toBe(401);
  expect((await ola.chat('nobody/m')).status).toBe(404);
  await request(`${ola.address}/health`);
  await request(`${ola.address}/v1/nothing?key=${adminToken}`);
  await until('the lines are there', () => linesOf(ola).length === 6);
  const acme = { principal: 'legacy-admin', model: 'acme/m', provider: 'acme', upstreamModel: 'm', totalMs: expect.any(Number) };
  expect(linesOf(ola)).toMatchObject([
    { method: 'PUT', route: '/config/providers/:id', status: 200 },
    { method: 'POST', route: '/v1/chat/completions', status: 200, ...acme },
    { method: 'POST', route: '/v1/chat/completions', status: 200, ...acme },
    { route: '/v1/chat/completions', status: 401, code: 'invalid_api_key' },
    { route: '/v1/chat/completions', status: 404, code: 'provider_resolution_failed', model: 'nobody/m' },
    { method: 'GET', route: '/v1/nothing', status: 404, code: 'route_not_found' },
  ]);
  expect(ola.err()).not.toContain(adminToken);
  await ends(ola);
});

test('lines that wait are written at the end', async () => {
  const ola = await start({ args: ['--log-requests'] });
  await Promise.all(Array.from({ length: 5 }, () => models(ola)));
  await ends(ola);
  expect(linesOf(ola)).toHaveLength(5);
});

test('without a terminal there are none, until the configuration asks for them, and from then on', async () => {
  const ola = await start();
  await models(ola);
  await logRequests(ola, true);
  await models(ola);
  await logRequests(ola, false);
  await models(ola);
  await ends(ola);
  // The write that turns them on is not logged before it is in force, and the one that turns them off is no more.
  expect(linesOf(ola).map(({ route, status }) => [route, status])).toEqual([
    ['/v1/models', 200],
    ['/config', 200],
  ]);
});

test('the option goes before the configuration, which goes before the default of the demo', async () => {
  const silent = await start({ args: ['--no-log-requests', '--demo'] });
  await logRequests(silent, true);
  await models(silent);
  await ends(silent);
  expect(linesOf(silent)).toEqual([]);
  const demo = await start({ args: ['--demo'] });
  await models(demo);
  await logRequests(demo, false);
  await models(demo);
  await ends(demo);
  expect(linesOf(demo).map(({ route }) => route)).toEqual(['/v1/models', '/config']);
});

test('for people a line is columns', async () => {
  const ola = await start({ args: ['--log-requests', '--log-format', 'pretty'] });
  await models(ola);
  await ends(ola);
  expect(ola.err()).toMatch(/^\d\d:\d\d:\d\d {2}GET \/v1\/models {15}200 {2}legacy-admin {2}\d+ ms {2}req_\S+$/m);
});
