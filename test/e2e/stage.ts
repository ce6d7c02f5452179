/** The compiled binary on a stage of its own: started over a temporary home, watched, and taken away after the file. */
import { afterAll, expect } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { type Upstream, upstream } from './upstream.ts';

export const binary = process.env['OLA_BINARY'] ?? join(import.meta.dir, '../../dist/ola');
/** Whether OLA_BINARY names a script that runs the source, on another platform than the binary's. */
export const fromSource = binary.endsWith('.sh');

/**
 * Tests of what the compiled binary alone has; from source they are left out, and a line says so.
 * @param why what it is, for that line and for who reads the test
 */
export function onBinary(why: string, tests: () => void): void {
  if (!fromSource) tests();
  else process.stderr.write(`left out, the binary's alone: ${why}\n`);
}

/** A legacy admin token of more than 32 characters, for tests that are not about tokens. */
export const adminToken = 'e2e-admin-token-0123456789-0123456789';

/** Far more than the binary takes: from source, on a busy machine, it is seconds. */
const mostStartMs = 60_000;

export interface Start {
  /** After `serve`; `--port 0` unless a port is named. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly home?: string;
  readonly cwd?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A process whose output is gathered as it comes. */
export interface Process {
  readonly pid: number;
  readonly exited: Promise<number | null>;
  /** Everything it has written to stdout, to stderr. */
  out(): string;
  err(): string;
  kill(signal: NodeJS.Signals): void;
}

export interface Ola extends Process {
  readonly address: string;
  readonly port: number;
  readonly home: string;
  /** Asks as the admin; the body, when there is one, goes as JSON. */
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  chat(model: string, more?: Readonly<Record<string, unknown>>, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Configures the upstream as a provider that may be local. */
  addProvider(id: string, to: Upstream, more?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Makes the credentials of a provider as good as new, whatever its upstream said before. */
  endCooldowns(provider: string): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Json;
}

/** What a JSON answer is to a test: anything, looked into freely, checked by `expect`. */
export type Json = { readonly [key: string]: Json } & { readonly [index: number]: Json } & readonly Json[];

export interface Stage {
  directory(): string;
  start(options?: Start): Promise<Ola>;
  /** Starts a server that is not expected to come up, or any command; waits for its end. */
  run(args: readonly string[], options?: Omit<Start, 'args'>): Promise<Ended>;
  upstream(tls?: TlsOptions): Promise<Upstream>;
}

/** @returns a stage, cleared after the tests of the file */
export function stage(): Stage {
  const directories: string[] = [];
  const processes: Process[] = [];
  const upstreams: Upstream[] = [];
  afterAll(async () => {
    for (const each of processes) each.kill('SIGKILL');
    await Promise.all([...processes.map(({ exited }) => exited), ...upstreams.map((each) => each.close())]);
    for (const path of directories) rmSync(path, { recursive: true, force: true });
  });

  function directory(): string {
    const path = mkdtempSync(join(tmpdir(), 'ola-e2e-'));
    directories.push(path);
    return path;
  }

  function spawn(args: readonly string[], { env = {}, home, cwd }: Omit<Start, 'args'>): Process {
    const started = watch(args, { ...cleanEnvironment(home ?? directory()), ...env }, cwd ?? directory());
    processes.push(started);
    return started;
  }

  return {
    directory,
    async start(options = {}) {
      const home = options.home ?? directory();
      const args = options.args ?? [];
      const port = args.includes('--port') ? [] : ['--port', '0'];
      const env = { OPEN_LLM_AUTH_TOKEN: adminToken, ...options.env };
      const started = spawn(['serve', ...port, ...args], { ...options, env, home });
      return client(started, await address(started), home);
    },
    async run(args, options = {}) {
      const started = spawn(args, options);
      const code = await started.exited;
      return { code, out: started.out(), err: started.err() };
    },
    async upstream(tls) {
      const made = await upstream(tls);
      upstreams.push(made);
      return made;
    },
  };
}

/** Nothing of the developer's: neither keys, which would change what is configured, nor their home. */
function cleanEnvironment(home: string): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: home, OPEN_LLM_AUTH_HOME: home, TZ: 'UTC' };
}

function watch(args: readonly string[], env: Record<string, string>, cwd: string): Process {
  // A variable that is empty here is meant to be absent.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const child = Bun.spawn([binary, ...args], { env: set, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const written = { out: '', err: '' };
  const gather = async (stream: ReadableStream<Uint8Array>, name: 'out' | 'err') => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) written[name] += decoder.decode(chunk, { stream: true });
  };
  const gathered = Promise.all([gather(child.stdout, 'out'), gather(child.stderr, 'err')]);
  return {
    pid: child.pid,
    exited: child.exited.then(async () => {
      await gathered;
      return child.signalCode === null ? child.exitCode : null;
    }),
    out: () => written.out,
    err: () => written.err,
    kill: (signal) => child.kill(signal),
  };
}

/** Waits for the line that says where it listens. */
async function address(started: Process): Promise<string> {
  let ended = false;
  void started.exited.then(() => {
    ended = true;
  });
  const listens = () => {
    if (ended) throw new Error(`the binary ended: ${started.err()}`);
    return /listens on (http:\/\/\S+)\n.*Ctrl-C/s.exec(started.out())?.[1];
  };
  return until('the binary listens', listens, mostStartMs);
}

function client(started: Process, at: string, home: string): Ola {
  const ask: Ola['ask'] = (method, path, body, headers) =>
    request(at + path, method, { authorization: `Bearer ${adminToken}`, ...headers }, body);
  return {
    ...started,
    address: at,
    port: Number(new URL(at).port),
    home,
    ask,
    chat: (model, more, headers) =>
      ask('POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hi' }], ...more }, headers),
    async addProvider(id, to, more) {
      const body = { baseUrl: to.baseUrl, apiKey: `key-of-${id}-0123456789`, allowLocal: true, ...more };
      const { status, text } = await ask('PUT', `/config/providers/${id}`, body);
      expect(`${status} ${text}`).toStartWith('200 ');
    },
    async endCooldowns(provider) {
      for (const id of [`env:${provider.toUpperCase()}_API_KEY`, `provider-config:${provider}`]) {
        const { status } = await ask('DELETE', `/config/cooldowns/${id}`);
        // It has one of the two, or both.
        expect([200, 404]).toContain(status);
      }
    },
  };
}

/** One request; a header with an empty value is left out. A string body goes as it is. */
export async function request(
  url: string,
  method = 'GET',
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
): Promise<Answer> {
  const sent = new Headers();
  if (body !== undefined) sent.set('content-type', 'application/json');
  for (const [name, value] of Object.entries(headers)) {
    if (value === '') sent.delete(name);
    else sent.set(name, value);
  }
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method,
    headers: sent,
    redirect: 'manual',
    ...(payload === undefined ? {} : { body: payload }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {} as Json;
  }
}

/**
 * Waits for something that another process brings about.
 * @param probe gives a value that is neither undefined nor false when it has come about
 * @param ms as a machine counts it that keeps up: in turns of ten, each as long as this one takes for it
 */
export async function until<T>(
  what: string | (() => string),
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  ms = 20_000,
): Promise<T> {
  for (let turn = 0; turn <= ms / turnMs; turn++) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    await Bun.sleep(turnMs);
  }
  throw new Error(`it did not come about in ${ms} ms: ${typeof what === 'string' ? what : what()}`);
}

const turnMs = 10;

/** Waits until a number has stayed the same for a while: what flows into full buffers has come to a stop. */
export async function standsStill(number: () => number): Promise<void> {
  for (let last = -1; number() !== last; await Bun.sleep(250)) last = number();
}

/** What comes of `work`, which must come in so many ms, counted as `until` does. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let over = false;
  const settled = () => {
    over = true;
  };
  work.then(settled, settled);
  await until('it has come', () => over, ms);
  return work;
}

/** The memory that a process has. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Fails unless the answer is the one envelope with this status and code. */
export function expectError(answer: { readonly status: number; readonly text: string }, status: number, code: string): Json {
  const body = parsed(answer.text);
  expect([answer.status, body['error']?.['code'], answer.text.slice(0, 300)]).toEqual([
    status,
    code as unknown as Json,
    expect.any(String),
  ]);
  const error = body['error']!;
  expect(Object.keys(body)).toEqual(['error']);
  expect(Object.keys(error).filter((key) => key !== 'details')).toEqual(['message', 'type', 'param', 'code']);
  expect(String(error['message']).length).toBeGreaterThan(10);
  expect(String(error['type'])).toBe(typeFor(status));
  return error;
}

/** Fails unless the answer is an upstream's error as it came, and a header names ola's code for it. */
export function expectPassed(
  answer: { readonly status: number; readonly text: string; readonly headers: Headers },
  status: number,
  body: string,
  code = 'upstream_http_error',
): void {
  const { headers } = answer;
  expect([answer.status, answer.text]).toEqual([status, body]);
  expect([headers.get('content-type'), headers.get('x-ola-code')]).toEqual(['application/json', code]);
}

function typeFor(status: number): string {
  if (status >= 500) return 'api_error';
  const named: Record<number, string> = { 401: 'authentication_error', 403: 'permission_error', 429: 'rate_limit_error' };
  return named[status] ?? 'invalid_request_error';
}

/** Every file below a directory with its bytes. */
export function filesBelow(directory: string): { readonly path: string; readonly bytes: Buffer }[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, bytes: readFileSync(path) }));
}
