/** Auth profiles over HTTP: several accounts of a provider, one by name, their order, their secrets. */
import { expect, test } from 'bun:test';
import { expectError, filesBelow, type Json, type Ola, stage } from './stage.ts';
import { answer, completion } from './upstream.ts';

const { start, upstream } = stage();
const secrets = {
  work: 'sk-e2e-profile-work-a1b2c3d4e5f6',
  home: 'sk-e2e-profile-home-b2c3d4e5f6a1',
  far: 'sk-e2e-profile-far-c3d4e5f6a1b2',
  own: 'sk-e2e-provider-own-d4e5f6a1b2c3',
};

async function expectNowhere(ola: Ola, answers: string): Promise<void> {
  const said = answers + ola.out() + ola.err();
  for (const secret of Object.values(secrets)) {
    expect(said).not.toContain(secret);
    for (const { path, bytes } of filesBelow(ola.home)) expect([path, bytes.includes(secret)]).toEqual([path, false]);
  }
}

test('two accounts of a provider: in order, by name, switched off, deleted; no secret is shown or stored in clear', async () => {
  const ola = await start();
  const [near, far] = [await upstream(), await upstream()];
  let answers = '';
  let calls = 0;
  const ask = async (method: string, path: string, body?: unknown) => {
    const got = await ola.ask(method, path, body);
    answers += got.text;
    return got;
  };
  /** The secret with which a call arrived. */
  const paidBy = async (model: string, profile?: string) => {
    const name = `m${calls++}`;
    const got = await ola.chat(`${model}/${name}`, {}, profile === undefined ? {} : { 'x-auth-profile': profile });
    answers += got.text;
    if (got.status !== 200) return got.status;
    const [received, ...more] = [...near.for(name), ...far.for(name)];
    expect(more).toEqual([]);
    return received?.headers.get('authorization')?.replace('Bearer ', '');
  };
  const profile = (key: string, more = {}) => ({ provider: 'acme', type: 'api_key', key, ...more });

  await ola.addProvider('acme', near, { apiKey: secrets.own });
  expect(await paidBy('acme')).toBe(secrets.own);
  await ask('PUT', '/config/auth-profiles/acme:work', profile(secrets.work));
  await ask('PUT', '/config/auth-profiles/acme%3Ahome', profile(secrets.home));
  await ask('PUT', '/config/auth-profiles/acme:far/away', profile(secrets.far, { baseUrl: far.baseUrl }));

  expect(await paidBy('acme')).toBe(secrets.far);
  expect(await paidBy('acme:work')).toBe(secrets.work);
  expect(await paidBy('acme', 'home')).toBe(secrets.home);
  expect(await paidBy('acme', 'acme:home')).toBe(secrets.home);
  expect(await paidBy('acme:work', 'home')).toBe(secrets.work);
  expect(far.received).toHaveLength(1);

  await ask('PUT', '/config/auth-order', { acme: ['work', 'home'] });
  expect(await paidBy('acme')).toBe(secrets.work);
  await ask('POST', '/config/auth-profiles/acme:work/disable');
  expect(await paidBy('acme')).toBe(secrets.home);
  expect(await paidBy('acme:work')).toBe(409);
  expect(await paidBy('acme:nobody')).toBe(404);
  const refused = await ola.chat('acme:work/m');
  expect(expectError(refused, 409, 'conflict')['message'] as unknown).toContain("'acme:work' is disabled");

  const listed = (await ask('GET', '/config/auth-profiles')).json as unknown as Json[];
  expect(listed.map(({ id, usable, hint }) => [id, usable, hint] as unknown)).toEqual([
    ['acme:work', false, 'sk-****e5f6'],
    ['acme:home', true, 'sk-****f6a1'],
    ['acme:far/away', true, 'sk-****a1b2'],
  ]);
  near.modes.set('', answer(401, { error: { message: `wrong: ${secrets.home}` } }));
  const tested = await ask('POST', '/config/auth-profiles/acme%3Ahome/test');
  expect(tested.json as unknown).toMatchObject({ status: 'error', outcome: 'refused', provider: 'acme' });
  expect(near.requestFor('').headers.get('authorization')).toBe(`Bearer ${secrets.home}`);

  await ask('DELETE', '/config/auth-profiles/acme:home');
  await ask('DELETE', '/config/auth-profiles/acme:far%2Faway');
  expect(await paidBy('acme')).toBe(secrets.own);

  const usage = (await ask('GET', '/config/usage/profiles')).json as unknown;
  expect(JSON.stringify(usage)).toContain('acme:home');
  await ask('GET', '/config');
  await ask('GET', '/config/configured-providers');
  await expectNowhere(ola, answers);
});

test('a profile of a stopped server is there after the next start, and its token ends', async () => {
  const ola = await start();
  const up = await upstream();
  await ola.addProvider('acme', up, { apiKey: secrets.own });
  const token = { provider: 'acme', type: 'token', token: secrets.work };
  await ola.ask('PUT', '/config/auth-profiles/acme:work', { ...token, expires: 4_102_444_800_000 });
  await ola.ask('PUT', '/config/auth-profiles/acme:old', { ...token, token: secrets.home, expires: 1 });
  ola.kill('SIGTERM');
  await ola.exited;
  const again = await start({ home: ola.home });
  expect((await again.chat('acme/m')).status).toBe(200);
  expect(up.requestFor('m').headers.get('authorization')).toBe(`Bearer ${secrets.work}`);
  const refused = await again.chat('acme:old/m');
  expect(expectError(refused, 409, 'conflict')['message'] as unknown).toContain("'acme:old' has expired");
  await expectNowhere(again, refused.text);
});

test('a login is renewed; kill -9 between the renewal and the answer of the call loses no rotated token', async () => {
  const ola = await start();
  const up = await upstream();
  await ola.addProvider('acme', up, { apiKey: secrets.home });
  // A form names no model: the double tells it by the empty one.
  const posts = () => up.for('').map(({ body }) => new URLSearchParams(body).get('refresh_token'));
  const tokens = (access: string, refresh: string) =>
    answer(200, { access_token: access, refresh_token: refresh, expires_in: 3600 });
  up.modes.set('', tokens(secrets.far, secrets.own));
  const metadata = { tokenUrl: `http://127.0.0.1:${up.port}/token` };
  const login = { provider: 'acme', type: 'oauth', refresh: secrets.work, metadata };
  const written = await ola.ask('PUT', '/config/auth-profiles/acme:login', login);
  expect(written.json as unknown).toMatchObject({ usable: true, renewal: { state: 'ready' } });
  const called = Promise.withResolvers<void>();
  up.modes.set('held', () => called.resolve());
  const call = ola.chat('acme/held').catch(() => null);
  await called.promise;
  ola.kill('SIGKILL');
  await Promise.all([ola.exited, call]);
  expect(posts()).toEqual([secrets.work]);

  const again = await start({ home: ola.home });
  expect((await again.chat('acme/m')).headers.get('x-ola-profile')).toBe('acme:login');
  expect(up.requestFor('m').headers.get('authorization')).toBe(`Bearer ${secrets.far}`);
  up.modes.set('refused', (received) => {
    const isOld = received.headers.get('authorization') === `Bearer ${secrets.far}`;
    return answer(isOld ? 401 : 200, isOld ? { error: { message: 'no' } } : completion('Hello'))(received);
  });
  up.modes.set('', answer(400, { error: 'invalid_grant' }));
  const refused = await again.chat('acme/refused');
  // It was renewed within the last minute, so its age is not the reason: the next credential is tried.
  expect(up.for('refused').map(({ headers }) => headers.get('authorization'))).toEqual(
    [secrets.far, secrets.home].map((secret) => `Bearer ${secret}`),
  );
  expect(posts()).toEqual([secrets.work]);
  const shown = await again.ask('GET', '/config/auth-profiles/acme%3Alogin');
  expect(shown.json as unknown).toMatchObject({ usable: true, refresh: '[REDACTED]', renewal: { state: 'ready', why: null } });
  await expectNowhere(again, refused.text + shown.text + ola.out() + ola.err());
});
