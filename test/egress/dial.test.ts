import { describe, expect, test } from 'bun:test';
import {
  type Destination,
  defaultEgressPolicy,
  type EgressDenial,
  type EgressPolicy,
  type OutboundRequest,
} from '../../src/core/egress.ts';
import { OlaError } from '../../src/core/errors.ts';
import type { DialRequest } from '../../src/core/ports.ts';
import { createEgress } from '../../src/egress/dial.ts';
import type { OwnListener } from '../../src/egress/listeners.ts';
import { dial } from '../../src/runtime/dial.ts';
import { answer, authority, textOf, type Upstream, until, upstream } from './upstream.ts';

/** An egress over real dials, with names that resolve as the test says. */
function house(names: Record<string, readonly string[] | Error> = {}, policy: EgressPolicy = defaultEgressPolicy) {
  const state = {
    policy,
    names,
    time: 0,
    listeners: [] as OwnListener[],
    lookUps: [] as string[],
    dialled: [] as string[],
    denials: [] as EgressDenial[],
    logged: [] as unknown[],
  };
  const egress = createEgress({
    policy: () => state.policy,
    resolve: async (hostname) => {
      state.lookUps.push(hostname);
      await Bun.sleep(1);
      const answers = state.names[hostname] ?? new Error('ENOTFOUND');
      if (answers instanceof Error) throw answers;
      return answers;
    },
    dial: (request: DialRequest, address) => {
      state.dialled.push(address);
      return dial(request, address);
    },
    now: () => state.time,
    ownListeners: () => state.listeners,
    localAddresses: () => ['127.0.0.1', '10.9.8.7', 'fe80::1%eth0'],
    log: { log: (_, message, fields) => state.logged.push({ message, ...fields }) },
    onDenied: (denial) => state.denials.push(denial),
  });
  return { egress, state };
}

const named = (port: number, more: Partial<Destination> = {}): Destination => ({
  name: 'acme',
  baseUrl: `http://upstream.example:${port}/v1`,
  allowLocal: true,
  ...more,
});
const literal = (port: number, more: Partial<Destination> = {}): Destination =>
  named(port, { baseUrl: `http://127.0.0.1:${port}/v1`, ...more });
const request: OutboundRequest = {
  method: 'POST',
  path: '/chat',
  headers: { authorization: 'Bearer k' },
  body: '{}',
};

async function failureOf(call: Promise<unknown>): Promise<OlaError> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OlaError);
  return error as OlaError;
}

const reasonOf = async (call: Promise<unknown>): Promise<unknown> => (await failureOf(call)).facts.details?.['reason'];

describe('a call', () => {
  test('goes to the base URL and the path, by address and by name', async () => {
    using server = await upstream();
    const { egress, state } = house({ 'upstream.example': ['127.0.0.1'] });
    for (const destination of [
      literal(server.port),
      named(server.port),
      literal(server.port, { baseUrl: `http://127.0.0.1:${server.port}/v1/` }),
    ]) {
      expect(await textOf(await egress.send(destination, request))).toBe('ok');
    }
    expect(server.requests.every((text) => text.startsWith('POST /v1/chat HTTP/1.1\r\n'))).toBe(true);
    expect(state.denials).toEqual([]);
  });

  test('has the destination’s query behind its path, and goes nowhere with a query that is none', async () => {
    using server = await upstream();
    const { egress, state } = house();
    const query = '?api-version=2024-10-21';
    await egress.send(literal(server.port, { query }), request);
    await egress.send(literal(server.port, { query }), { ...request, path: '/chat?stream=1' });
    expect(server.requests.map((text) => text.split('\r\n')[0])).toEqual([
      'POST /v1/chat?api-version=2024-10-21 HTTP/1.1',
      'POST /v1/chat?stream=1&api-version=2024-10-21 HTTP/1.1',
    ]);
    for (const wrong of ['a=b', '?a b', '?a HTTP/1.1\r\nX: 1', '?a#b', '@evil.example', '/..']) {
      expect(await reasonOf(egress.send(literal(server.port, { query: wrong }), request))).toBe('malformed_url');
    }
    expect([server.requests.length, state.denials.length]).toEqual([2, 6]);
  });

  test('to a name over TLS is pinned to the checked address', async () => {
    using server = await upstream(answer('200 OK'), 'upstream');
    const { egress, state } = house({ 'upstream.example': ['127.0.0.1'] });
    const destination = named(server.port, { baseUrl: `https://upstream.example:${server.port}`, ca: authority });
    expect((await egress.send(destination, request)).status).toBe(200);
    expect(server.names).toEqual(['upstream.example']);
    expect(state.dialled).toEqual(['127.0.0.1']);
  });

  const escapes = ['chat', '@evil.example/', '', '/../admin', '/models/..', '/models/%2e%2E/x', '/.%2e/x', '/./x', '/..?x'];
  for (const path of escapes) {
    test(`never leaves its base URL: ${JSON.stringify(path)}`, async () => {
      using server = await upstream();
      const { egress } = house();
      expect((await failureOf(egress.send(literal(server.port), { ...request, path }))).code).toBe('invalid_request');
      expect(server.connections).toBe(0);
    });
  }
  test('may have dots and escapes inside a segment', async () => {
    using server = await upstream();
    const { egress } = house();
    for (const path of ['/models/gemini-2.5:x', '/.well-known/a', '/model/a%2Fb/..c', '/x/%2F']) {
      expect((await egress.send(literal(server.port), { ...request, path })).status).toBe(200);
    }
  });
});

describe('a name', () => {
  test('is resolved once for calls at the same time, and again after 30 seconds', async () => {
    using server = await upstream();
    const { egress, state } = house({ 'upstream.example': ['127.0.0.1'] });
    const destination = named(server.port);
    await Promise.all([1, 2, 3, 4].map(() => egress.send(destination, request)));
    expect(state.lookUps.length).toBe(1);
    state.time = 29_999;
    await egress.send(destination, request);
    expect(state.lookUps.length).toBe(1);
    state.time = 30_000;
    await egress.send(destination, request);
    expect(state.lookUps.length).toBe(2);
  });

  test('is resolved again when the clock was set back', async () => {
    using server = await upstream();
    const { egress, state } = house({ 'upstream.example': ['127.0.0.1'] });
    const destination = named(server.port);
    state.time = 1_000_000;
    await egress.send(destination, request);
    state.time = 0;
    await egress.send(destination, request);
    expect(state.lookUps.length).toBe(2);
  });

  test('that moves to a denied address is refused at the next dial (rebinding)', async () => {
    using server = await upstream();
    const { egress, state } = house({ 'upstream.example': ['127.0.0.1'] });
    const destination = named(server.port);
    await egress.send(destination, request);
    state.names['upstream.example'] = ['169.254.169.254'];
    state.time = 30_000;
    expect(await reasonOf(egress.send(destination, request))).toBe('resolved_metadata_ip');
    expect(state.dialled).toEqual(['127.0.0.1']);
  });

  test('with one denied answer among public ones is refused, and nobody is told the address', async () => {
    const { egress, state } = house({ 'api.example.com': ['93.184.216.34', '10.11.12.13'] });
    const error = await failureOf(
      egress.send({ name: 'acme', baseUrl: 'https://api.example.com/secret-path', allowLocal: false }, request),
    );
    expect(error).toMatchObject({ code: 'egress_destination_blocked', status: 403 });
    expect(error.facts.details).toEqual({
      provider: 'acme',
      scheme: 'https',
      host: 'api.example.com',
      reason: 'resolved_private_ip',
      phase: 'dial',
    });
    expect(error.message).toContain('acme');
    expect(error.message).toContain('api.example.com');
    expect(JSON.stringify([error.message, error.facts, state.logged, state.denials])).not.toMatch(/10\.11|93\.184|secret-path/);
    expect(state.dialled).toEqual([]);
    expect(state.denials.length).toBe(1);
  });

  test('without answers, with garbage, or that does not resolve is not called', async () => {
    const names = { 'none.example': [], 'junk.example': ['fe80::1%eth0'] };
    const { egress } = house(names);
    const at = (host: string) => egress.send(named(1, { baseUrl: `http://${host}/` }), request);
    expect(await reasonOf(at('none.example'))).toBe('dns_no_answers');
    expect(await reasonOf(at('junk.example'))).toBe('resolved_reserved_ip');
    const unknown = await failureOf(at('unknown.example'));
    expect(unknown).toMatchObject({ code: 'upstream_unreachable', status: 502 });
    expect(unknown.facts.details).toEqual({ provider: 'acme', reason: 'dns_resolution_failed', sent: false });
  });

  test('a failed look-up is not kept', async () => {
    using server = await upstream();
    const { egress, state } = house();
    const destination = named(server.port);
    await failureOf(egress.send(destination, request));
    state.names['upstream.example'] = ['127.0.0.1'];
    expect((await egress.send(destination, request)).status).toBe(200);
  });

  test('goes on to the next address when one refuses, and stays on the one that answered', async () => {
    using server = await upstream(answer('200 OK'), undefined, '127.0.0.2');
    const { egress, state } = house({ 'upstream.example': ['127.0.0.1', '127.0.0.2'] });
    const destination = named(server.port);
    expect((await egress.send(destination, request)).status).toBe(200);
    expect(state.dialled).toEqual(['127.0.0.1', '127.0.0.2']);
    state.time = 30_000;
    await egress.send(destination, request);
    expect(state.dialled.slice(2)).toEqual(['127.0.0.2']);
    state.names['upstream.example'] = ['127.0.0.2', '127.0.0.1'];
    state.time = 60_000;
    await egress.send(destination, request);
    expect(state.dialled.slice(3)).toEqual(['127.0.0.2']);
  });

  test('is dialled over IPv4 before IPv6', async () => {
    using server = await upstream();
    const { egress, state } = house({ 'upstream.example': ['::1', '127.0.0.1'] });
    await egress.send(named(server.port), request);
    expect(state.dialled).toEqual(['127.0.0.1']);
  });

  test('is not tried at a second address once the request was sent', async () => {
    using drops = await upstream((_, socket) => socket.resetAndDestroy());
    const { egress, state } = house({ 'upstream.example': ['127.0.0.1', '127.0.0.2'] });
    const error = await failureOf(egress.send(named(drops.port), request));
    expect(error).toMatchObject({ code: 'upstream_truncated', status: 502 });
    expect(error.facts.details).toMatchObject({ sent: true });
    expect(state.dialled).toEqual(['127.0.0.1']);
    expect(drops.requests.length).toBe(1);
  });
});

describe('ola itself is never called', () => {
  const cases: readonly [string, string, OwnListener][] = [
    ['the bound address', '127.0.0.1', { address: '127.0.0.1', port: 0 }],
    ['another loopback address', '127.9.9.9', { address: '127.0.0.1', port: 0 }],
    ['IPv6 loopback', '[::1]', { address: '127.0.0.1', port: 0 }],
    ['IPv4 loopback of an IPv6 listener', '127.0.0.1', { address: '::1', port: 0 }],
    ['loopback of a wildcard', '127.9.9.9', { address: '0.0.0.0', port: 0 }],
    ['an interface of a wildcard', '10.9.8.7', { address: '::', port: 0 }],
    ['an interface with a zone', '[fe80::1]', { address: '::', port: 0 }],
    ['a bound name', '127.9.9.9', { address: 'localhost', port: 0 }],
    ['a bound interface', '10.9.8.7', { address: '10.9.8.7', port: 0 }],
  ];
  for (const [what, host, listener] of cases) {
    for (const mode of ['enforce', 'off'] as const) {
      test(`${what}, ${mode}`, async () => {
        using server = await upstream();
        const { egress, state } = house({ 'upstream.example': [host.replace(/[[\]]/g, '')] }, { ...defaultEgressPolicy, mode });
        state.listeners = [{ ...listener, port: server.port }];
        const byAddress = literal(server.port, { baseUrl: `http://${host}:${server.port}` });
        expect(await reasonOf(egress.send(byAddress, request))).toBe('self_connection');
        expect(await reasonOf(egress.send(named(server.port), request))).toBe('self_connection');
        expect((await egress.check(byAddress))?.reason).toBe('self_connection');
        expect((await egress.check(named(server.port)))?.reason).toBe('self_connection');
        expect(server.connections).toBe(0);
      });
    }
  }
  test('spellings that only a policy that is off lets through', async () => {
    const { egress, state } = house({}, { ...defaultEgressPolicy, mode: 'off' });
    state.listeners = [{ address: '127.0.0.1', port: 4000 }];
    for (const host of ['0.0.0.0', '[::]', '[::ffff:127.0.0.1]']) {
      expect((await egress.check(literal(1, { baseUrl: `http://${host}:4000` })))?.reason).toBe('self_connection');
    }
  });
  test('another port or another machine is not ola', async () => {
    using server = await upstream();
    const { egress, state } = house();
    state.listeners = [
      { address: '0.0.0.0', port: server.port + 1 },
      { address: '10.9.8.7', port: server.port },
    ];
    expect((await egress.send(literal(server.port), request)).status).toBe(200);
    expect(await egress.check(literal(1, { baseUrl: `http://10.1.1.1:${server.port + 1}` }))).toBeNull();
  });
  test('a listener that opens later counts for a destination that was judged before', async () => {
    using server = await upstream();
    const { egress, state } = house();
    const destination = literal(server.port);
    await egress.send(destination, request);
    state.listeners = [{ address: '127.0.0.1', port: server.port }];
    expect(await reasonOf(egress.send(destination, request))).toBe('self_connection');
  });
});

describe('failures in words', () => {
  async function failing(
    make: (server: Upstream) => Destination,
    reply = answer('200 OK'),
    certificate?: string,
  ): Promise<OlaError> {
    using server = await upstream(reply, certificate);
    const { egress } = house({ 'upstream.example': ['127.0.0.1'] });
    return await failureOf(egress.send(make(server), request));
  }

  test('nothing listens: upstream_unreachable, nothing was sent', async () => {
    const server = await upstream();
    server[Symbol.dispose]();
    const error = await failureOf(house().egress.send(literal(server.port), request));
    expect(error).toMatchObject({ code: 'upstream_unreachable', status: 502 });
    expect(error.facts.details).toEqual({ provider: 'acme', reason: 'connect_failed', sent: false });
  });
  test('a certificate that is not trusted: upstream_unreachable, nothing was sent', async () => {
    const make = ({ port }: Upstream) => named(port, { baseUrl: `https://upstream.example:${port}`, ca: authority });
    const error = await failing(make, answer('200 OK'), 'other');
    expect(error.facts.details).toEqual({ provider: 'acme', reason: 'tls_failed', sent: false });
    expect(error.message).not.toContain('127.0.0.1');
  });
  test('a redirect: 502, not followed, its place not told', async () => {
    const error = await failing(
      ({ port }) => literal(port),
      answer('307 Temporary Redirect', 'location: http://inner.example/x\r\n'),
    );
    expect(error).toMatchObject({ code: 'upstream_http_error', status: 502 });
    expect(error.facts.details).toMatchObject({ provider: 'acme', reason: 'redirect_forbidden' });
    expect(error.message).not.toContain('inner');
  });
  test('a 304 or a 300 without a place is an answer', async () => {
    using server = await upstream(answer('300 Multiple Choices'));
    expect((await house().egress.send(literal(server.port), request)).status).toBe(300);
  });
  test('silence: upstream_timeout before the headers, TimeoutError from the body after them', async () => {
    using silent = await upstream(() => undefined);
    using stuck = await upstream((_, socket) => socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n'));
    const { egress } = house();
    const brief = { timeouts: { connect: 1000, firstByte: 50, idle: 50 } };
    const before = failureOf(egress.send(literal(silent.port, brief), request));
    const after = egress.send(literal(stuck.port, brief), request).then(textOf);
    const [error, late] = await Promise.all([before, after.catch((thrown: unknown) => thrown)]);
    expect(error).toMatchObject({ code: 'upstream_timeout', status: 504 });
    expect(error.facts.details).toEqual({ provider: 'acme', sent: true });
    expect(late).toMatchObject({ name: 'TimeoutError' });
  });
  test('an abort rejects with its own reason, before and during the call, and closes the connection', async () => {
    using server = await upstream(() => undefined);
    const { egress } = house({ 'upstream.example': ['127.0.0.1'] });
    for (const when of ['before', 'resolving', 'during'] as const) {
      const controller = new AbortController();
      const reason = new Error(when);
      if (when === 'before') controller.abort(reason);
      const call = egress.send(named(server.port), { ...request, signal: controller.signal }).catch((error: unknown) => error);
      if (when === 'during') await until(() => server.requests.length === 1);
      controller.abort(reason);
      expect(await call).toBe(reason);
    }
    await until(() => server.open.size === 0);
  });
});

describe('connections that are kept', () => {
  test('that had ended are told as stale, and a fresh request takes none of them', async () => {
    const served = new Set<unknown>();
    using server = await upstream((head, socket) => {
      if (served.has(socket)) return void socket.end();
      served.add(socket);
      answer('200 OK')(head, socket);
    });
    const { egress } = house();
    const send = async (more: Partial<OutboundRequest> = {}) =>
      textOf(await egress.send(literal(server.port), { ...request, ...more }));
    let error: unknown;
    for (let tries = 0; tries < 100 && error === undefined; tries++) {
      error = await send().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      await Bun.sleep(20);
    }
    expect(error).toMatchObject({ code: 'upstream_truncated', status: 502 });
    expect((error as OlaError).facts.details).toEqual({ provider: 'acme', sent: true, reason: 'stale_connection' });
    const before = server.connections;
    for (let i = 0; i < 3; i++) expect(await send({ fresh: true })).toBe('ok');
    expect(server.connections).toBe(before + 3);
  });

  test('are given up when the other side sends what no request asked for, which is logged once, without its content', async () => {
    using server = await upstream((_, socket) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nevil words'),
    );
    const { egress, state } = house({ 'upstream.example': ['127.0.0.1'] });
    for (let i = 0; i < 3; i++) expect(await textOf(await egress.send(named(server.port), request))).toBe('ok');
    expect(server.connections).toBe(3);
    expect(state.logged).toEqual([
      {
        message:
          'egress: the provider sent bytes that no request asked for; its connections are closed after each answer for some minutes',
        provider: 'acme',
        host: 'upstream.example',
      },
    ]);
  });
});

describe('modes', () => {
  test('observe sends, and logs once what enforce would refuse', async () => {
    using server = await upstream();
    const { egress, state } = house({ 'upstream.example': ['127.0.0.1'] }, { ...defaultEgressPolicy, mode: 'observe' });
    const destination = named(server.port, { allowLocal: false });
    for (let i = 0; i < 3; i++) expect((await egress.send(destination, request)).status).toBe(200);
    expect(state.logged).toMatchObject([{ reason: 'insecure_http_forbidden' }, { reason: 'resolved_loopback_ip' }]);
    expect(state.denials).toEqual([]);
    expect(await egress.check(destination)).toBeNull();
  });
  test('off sends and logs nothing, yet never to a metadata address', async () => {
    using server = await upstream();
    const { egress, state } = house({ 'upstream.example': ['127.0.0.1'] }, { ...defaultEgressPolicy, mode: 'off' });
    expect((await egress.send(literal(server.port, { allowLocal: false }), request)).status).toBe(200);
    state.names['meta.example'] = ['127.0.0.1', '::ffff:169.254.169.254'];
    expect(await reasonOf(egress.send(named(1, { baseUrl: 'http://meta.example' }), request))).toBe('resolved_metadata_ip');
    expect(state.logged).toEqual([]);
  });
  test('a changed policy is obeyed by a destination that was judged before', async () => {
    using server = await upstream();
    const { egress, state } = house();
    const destination = literal(server.port);
    await egress.send(destination, request);
    state.policy = { ...defaultEgressPolicy, denyCidrs: ['127.0.0.0/8'] };
    expect(await reasonOf(egress.send(destination, request))).toBe('denylisted_cidr');
  });
  test('an entry of denyCidrs that is no range is said once', async () => {
    using server = await upstream();
    const { egress, state } = house({}, { ...defaultEgressPolicy, denyCidrs: ['10.0.0.0/33', '10.0.0.0/8'] });
    for (let i = 0; i < 2; i++) await egress.send(literal(server.port), request);
    expect(state.logged).toMatchObject([{ entries: ['10.0.0.0/33'] }]);
  });
});

describe('when a destination is written', () => {
  const acme = (baseUrl: string): Destination => ({ name: 'acme', baseUrl, allowLocal: false });
  const names = { 'good.example.com': ['93.184.216.34'], 'bad.example.com': ['127.0.0.1'], 'none.example.com': [] };

  test('it is judged and resolved, and nothing is dialled', async () => {
    const { egress, state } = house(names);
    expect(await egress.check(acme('https://good.example.com/v1'))).toBeNull();
    expect(await egress.check(acme('https://bad.example.com/v1'))).toEqual({
      provider: 'acme',
      scheme: 'https',
      host: 'bad.example.com',
      reason: 'resolved_loopback_ip',
      phase: 'write',
    });
    expect((await egress.check(acme('http://good.example.com/v1')))?.reason).toBe('insecure_http_forbidden');
    expect(await egress.check(acme('https://good.example.com:9999/v1'))).toMatchObject({ reason: 'port_forbidden', port: 9999 });
    expect((await egress.check(acme('https://10.0.0.1')))?.reason).toBe('private_ip');
    expect(state.dialled).toEqual([]);
  });
  test('a name that does not resolve refuses it only when failClosed', async () => {
    const closed = house(names);
    expect((await closed.egress.check(acme('https://unknown.example.com')))?.reason).toBe('dns_resolution_failed');
    expect((await closed.egress.check(acme('https://none.example.com')))?.reason).toBe('dns_no_answers');
    const open = house(names, { ...defaultEgressPolicy, failClosed: false });
    expect(await open.egress.check(acme('https://unknown.example.com'))).toBeNull();
    expect(await open.egress.check(acme('https://none.example.com'))).toBeNull();
    expect((await open.egress.check(acme('https://bad.example.com')))?.reason).toBe('resolved_loopback_ip');
  });
  test('resolveDns false asks no resolver, and a dial still does', async () => {
    const { egress, state } = house(names, { ...defaultEgressPolicy, resolveDns: false });
    expect(await egress.check(acme('https://bad.example.com'))).toBeNull();
    expect(state.lookUps).toEqual([]);
    expect(await reasonOf(egress.send(acme('https://bad.example.com'), request))).toBe('resolved_loopback_ip');
  });
});
