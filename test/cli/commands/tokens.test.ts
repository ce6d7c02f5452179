import { describe, expect, test } from 'bun:test';
import { type Call, day, home, now, ola, tokenView } from '../ola.ts';

const secret = `ola_${'x'.repeat(49)}`;
const made = { answer: () => ({ status: 201, body: { ...tokenView(), token: secret } }) };
const listed = (...data: unknown[]) => ({
  answer: ({ method, path }: Call) =>
    method === 'GET'
      ? { status: 200, body: { object: 'list', data, hasMore: false, nextCursor: null } }
      : { status: 200, body: { status: 'ok', deleted: path.split('/').at(-1) } },
});
const create = async (...words: string[]) => (await ola(['token', 'create', ...words], made)).calls[0]?.body;

describe('token create', () => {
  test('prints the token alone when piped', async () => {
    expect(await ola(['token', 'create', 'laptop'], made)).toMatchObject({
      exit: 0,
      out: `${secret}\n`,
      err: '',
      calls: [{ method: 'POST', path: '/config/tokens', body: { name: 'laptop' } }],
    });
  });

  test('on a terminal says beside it how to use it, without repeating it', async () => {
    const { out, err } = await ola(['token', 'create', 'laptop'], { ...made, interactive: true });
    expect(out).toBe(`${secret}\n`);
    expect(err).not.toContain(secret);
    expect(err).toContain('expires 2026-12-21T10:00:00Z (in 30 days)');
    expect(err).toContain('\n  OPENAI_BASE_URL=http://127.0.0.1:9090/v1 OPENAI_API_KEY=<the token> CLIENT\n');
    expect(err).not.toContain('export');
    const forever = {
      answer: () => ({ status: 201, body: { ...tokenView({ expiresAt: null }), token: secret } }),
      running: null,
    };
    const stopped = (await ola(['token', 'create', 'x'], { ...forever, interactive: true })).err;
    expect(stopped).toContain('never expires');
    expect(stopped).toContain(`No server runs on ${home}: start it with \`ola serve\``);
    expect(stopped).not.toContain('http://');
  });

  test("with --json prints the API's object and nothing else", async () => {
    const { out, err } = await ola(['token', 'create', 'laptop', '--json'], { ...made, interactive: true });
    expect(JSON.parse(out)).toEqual({ ...tokenView(), token: secret });
    expect(err).toBe('');
  });

  test('sends what was asked for and nothing that was not', async () => {
    expect(await create('a b', '--scope', 'write', '--scope', 'read')).toEqual({ name: 'a b', scopes: ['write', 'read'] });
    expect(await create('x', '--admin', '--project', 'p')).toEqual({ name: 'x', admin: true, project: 'p' });
  });

  test('reads spans, dates and never', async () => {
    const iso = (at: number) => ({ name: 'x', expiresAt: new Date(at).toISOString() });
    expect(await create('x', '--expires', '30d')).toEqual(iso(now + 30 * day));
    expect(await create('x', '--expires', '12h')).toEqual(iso(now + day / 2));
    expect(await create('x', '--expires', '36500d')).toEqual(iso(now + 36_500 * day));
    expect(await create('x', '--expires', 'never')).toEqual({ name: 'x', expiresAt: null });
    expect(await create('x', '--expires', '2027-01-31')).toEqual(iso(Date.UTC(2027, 0, 31)));
    expect(await create('x', '--expires', '2027-01-31T18:00+02:00')).toEqual(iso(Date.UTC(2027, 0, 31, 16)));
    expect(await create('x', '--expires', '2028-02-29T00:00:00.5Z')).toEqual(iso(Date.UTC(2028, 1, 29, 0, 0, 0, 500)));
  });

  test.each([
    '',
    '0d',
    '30',
    '30m',
    '-1d',
    '1.5d',
    '36501d',
    'Never',
    'tomorrow',
    '2027-02-30',
    '2027-02-30T10:00Z',
    '2027-13-01',
    '2027-01-31T18:00',
    '01/31/2027',
    '2020-01-01',
    '1797000000000',
  ])('refuses --expires %p before anything is made', async (text) => {
    const ended = await ola(['token', 'create', 'x', '--expires', text], made);
    expect(ended).toMatchObject({ exit: 2, out: '', calls: [] });
    expect(ended.err).toContain('--expires');
  });

  test.each(['', ' ', 'a\u001b[2J', 'a\nb', 'n'.repeat(129)])('refuses the name %p', async (name) => {
    expect(await ola(['token', 'create', name], made)).toMatchObject({ exit: 2, out: '', calls: [] });
  });

  test('passes a refusal on in its own words, with an exit code for scripts', async () => {
    const refusing = (status: number, body: unknown) => ola(['token', 'create', 'x'], { answer: () => ({ status, body }) });
    const denied = await refusing(403, { error: { code: 'insufficient_scope', message: 'Not allowed.' } });
    expect(denied).toMatchObject({
      exit: 4,
      out: '',
      err: 'error: the token was not created\n  why: Not allowed.\n  next: ola status\n',
    });
    expect(await refusing(503, { error: { code: 'shutting_down', message: 'Bye.' } })).toMatchObject({ exit: 5 });
    expect(await refusing(500, 'oops')).toMatchObject({ exit: 1, err: expect.stringContaining('status 500') });
    expect(await refusing(201, { id: 'x' })).toMatchObject({
      exit: 1,
      out: '',
      err: expect.stringContaining('this version of ola cannot read'),
    });
  });
});

describe('token list', () => {
  test('is an aligned table of at most 100 columns with whole ids', async () => {
    const { exit, out, err } = await ola(
      ['token', 'list'],
      listed(
        tokenView(),
        tokenView({
          id: 'tok_00000000000000000000000000000002',
          name: 'n'.repeat(128),
          scopes: ['read', 'write', 'admin'],
          expiresAt: null,
          lastUsedAt: '2026-11-21T09:59:00.000Z',
        }),
        tokenView({ id: 'tok_00000000000000000000000000000003', name: '漢字'.repeat(30), expiresAt: '2026-11-21T09:00:00.000Z' }),
      ),
    );
    expect([exit, err]).toEqual([0, '']);
    const column = Bun.stringWidth;
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^ID +NAME +SCOPES +ENDS +EXPIRES +LAST USED$/);
    expect(lines[1]).toMatch(/^tok_0{31}1 {2}laptop +read\+write {2}wxyz {2}in 30 days {2}never$/);
    expect(lines[2]).toMatch(/^tok_0{31}2 {2}n+… {2}admin +wxyz {2}never {7}1 minute ago$/);
    expect(lines[3]).toMatch(/^tok_0{31}3 {2}[漢字]+… +read\+write {2}wxyz {2}1 hour ago {2}never$/);
    for (const line of lines) expect(column(line)).toBeLessThanOrEqual(100);
    const starts = lines.map((line) => column(line.slice(0, line.search(/ENDS|wxyz/))));
    expect(new Set(starts).size).toBe(1);
  });

  test('cuts a name only when it does not fit', async () => {
    for (const [name, shown] of [
      ['n'.repeat(16), 'n'.repeat(16)],
      ['n'.repeat(17), `${'n'.repeat(15)}…`],
    ]) {
      const { out } = await ola(['token', 'list'], listed(tokenView({ name, lastUsedAt: '2026-11-21T09:59:01.000Z' })));
      expect(out).toContain(` ${shown} `);
      expect(Math.max(...out.split('\n').map((line) => line.length))).toBe(100);
    }
  });

  test('is as wide as the terminal when that is wider', async () => {
    const terminal = { interactive: true, columns: 120 };
    const { out } = await ola(['token', 'list'], { ...listed(tokenView({ name: 'n'.repeat(128) })), ...terminal });
    expect(Math.max(...out.split('\n').map((line) => Bun.stringWidth(line)))).toBe(120);
  });

  test('lets no name drive the terminal', async () => {
    const { out } = await ola(['token', 'list'], listed(tokenView({ name: 'a\u001b]0;b\u0007\n\u202ec' })));
    expect(out.split('\n')).toHaveLength(3);
    expect(out).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u);
  });

  test('reads every page, and with --json is one list of all of them', async () => {
    const pages = (call: Call) => {
      const after = new URL(call.path, 'http://x').searchParams.get('after');
      const page =
        after === null
          ? { data: [tokenView({ id: 'a&b' })], nextCursor: 'a&b' }
          : { data: [tokenView({ id: after })], nextCursor: null };
      return { status: 200, body: { object: 'list', hasMore: after === null, ...page } };
    };
    const { out, calls } = await ola(['token', 'list', '--json'], { answer: pages });
    const view = tokenView({ id: 'a&b' });
    expect(JSON.parse(out)).toEqual({ object: 'list', data: [view, view], hasMore: false, nextCursor: null });
    expect(calls).toHaveLength(2);
  });

  test('of nothing leaves stdout empty for people and is a list for scripts', async () => {
    expect(await ola(['token', 'list'], listed())).toMatchObject({
      exit: 0,
      out: '',
      err: expect.stringContaining('ola token create'),
    });
    expect(JSON.parse((await ola(['token', 'list', '--json'], listed())).out)).toMatchObject({ data: [] });
  });

  test('says so when the answer is no list of tokens', async () => {
    for (const body of [
      null,
      {},
      { data: [{}] },
      { data: [tokenView({ expiresAt: 'soon' })] },
      { data: [tokenView({ lastUsedAt: 'soon' })] },
    ]) {
      const ended = await ola(['token', 'list'], { answer: () => ({ status: 200, body }) });
      expect(ended).toMatchObject({ exit: 1, out: '', err: expect.stringContaining('the tokens could not be listed') });
    }
  });
});

describe('token revoke', () => {
  const other = tokenView({ id: 'tok_00000000000000000000000000000002', name: 'phone' });
  const revoked = (ended: { readonly calls: readonly Call[] }) =>
    ended.calls.filter(({ method }) => method === 'DELETE').map(({ path }) => path);

  test('takes an id or a name that only one token has', async () => {
    const id = tokenView().id;
    for (const wanted of [id, 'laptop']) {
      const ended = await ola(['token', 'revoke', wanted], listed(tokenView(), other));
      expect(ended).toMatchObject({ exit: 0, out: `revoked ${id} (laptop)\n`, err: '' });
      expect(revoked(ended)).toEqual([`/config/tokens/${id}`]);
    }
    const { out } = await ola(['token', 'revoke', 'phone', '--json'], listed(tokenView(), other));
    expect(JSON.parse(out)).toEqual({ status: 'ok', deleted: other.id });
  });

  test('refuses a name of several and lists their ids', async () => {
    const ended = await ola(['token', 'revoke', 'laptop'], listed(tokenView(), { ...other, name: 'laptop' }));
    expect(ended).toMatchObject({ exit: 1, out: '' });
    expect(ended.err).toContain(tokenView().id);
    expect(ended.err).toContain(other.id);
    expect(revoked(ended)).toEqual([]);
  });

  test('goes by the id where another token is named like it', async () => {
    const ended = await ola(['token', 'revoke', other.id], listed(tokenView({ name: other.id }), other));
    expect(revoked(ended)).toEqual([`/config/tokens/${other.id}`]);
  });

  test('keeps an odd id inside its path segment', async () => {
    expect(revoked(await ola(['token', 'revoke', 'x'], listed(tokenView({ id: '../a?b', name: 'x' }))))).toEqual([
      '/config/tokens/..%2Fa%3Fb',
    ]);
  });

  test('revokes nothing for what nobody is called', async () => {
    for (const wanted of ['desk', 'lap', 'tok_', '']) {
      const ended = await ola(['token', 'revoke', wanted], listed(tokenView(), other));
      expect(ended).toMatchObject({ exit: 1, out: '', err: expect.stringContaining('next: ola token list') });
      expect(revoked(ended)).toEqual([]);
    }
  });

  test('refuses the token itself and does not repeat it', async () => {
    const ended = await ola(['token', 'revoke', secret], listed(tokenView()));
    expect(ended).toMatchObject({ exit: 2, out: '', calls: [] });
    expect(ended.err).not.toContain(secret);
  });
});
