/** Owns the measured program: built when it is stale, started in an empty home, configured by its own API, weighed. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { encodeRequest, type Message, readMessage } from './http1.ts';
import { type Child, type Cores, start } from './processes.ts';
import { models } from './traffic.ts';

export interface Gateway {
  readonly child: Child;
  readonly port: number;
  readonly token: string;
  /** Milliseconds from spawn to the first 200 of `/health`. */
  readonly readyMs: number;
}

export interface GatewayPlan {
  readonly binary: string;
  readonly home: string;
  readonly token: string;
  readonly cores: Cores;
}

const providerId = 'bench';
/** The same upstream once more, in Anthropic's protocol. */
const messagesProviderId = 'messages';
/** The model reference that clients of the gateway send for a model of the upstream. */
export const referenceTo = (model: string): string => `${providerId}/${model}`;
export const messagesReferenceTo = (model: string): string => `${messagesProviderId}/${model}`;

/** What a binary is made from, beside the whole of `src`. */
const buildInputs = ['scripts/build.ts', 'package.json', 'package-lock.json', 'tsconfig.json'];

/** Builds the binary when it is missing or older than what it is made from. @throws Error when the build fails */
export function ensureBuilt(root: string, say: (words: string) => void): string {
  const binary = join(root, 'dist', 'ola');
  if (existsSync(binary) && newestInput(root) <= statSync(binary).mtimeMs) return binary;
  say('building dist/ola');
  const build = Bun.spawnSync([process.execPath, 'scripts/build.ts'], { cwd: root, stdout: 2, stderr: 2 });
  if (build.exitCode !== 0 || !existsSync(binary)) throw new Error('the build of dist/ola failed; its words are above');
  return binary;
}

function newestInput(root: string): number {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((name) => join('src', name));
  return [...sources, ...buildInputs]
    .map((name) => join(root, name))
    .reduce((newest, file) => Math.max(newest, existsSync(file) ? statSync(file).mtimeMs : 0), 0);
}

/** A secret for this run alone, 43 characters. */
export const randomSecret = (): string => randomBytes(32).toString('base64url');

const readyLimitMs = 30_000;

/** Starts it with default settings and waits until it is ready. @throws Error with its last words when it is not */
export async function startGateway(plan: GatewayPlan): Promise<Gateway> {
  mkdirSync(plan.home, { recursive: true, mode: 0o700 });
  const port = freePort();
  const log = `${plan.home}.log`;
  const startedAt = performance.now();
  const child = start({
    argv: [plan.binary, 'serve', '--host', '127.0.0.1', '--port', String(port)],
    environment: { HOME: plan.home, OPEN_LLM_AUTH_HOME: plan.home, OPEN_LLM_AUTH_TOKEN: plan.token },
    cores: plan.cores,
    directory: plan.home,
    log,
  });
  let exitCode: number | null = null;
  void child.exited.then((code) => {
    exitCode = code;
  });
  const health = encodeRequest({ method: 'GET', path: '/health', port, token: plan.token, body: '' });
  while (exitCode === null && performance.now() - startedAt < readyLimitMs) {
    const answer = await exchange(port, health);
    if (answer?.head.startsWith('HTTP/1.1 200 '))
      return { child, port, token: plan.token, readyMs: performance.now() - startedAt };
    await Bun.sleep(1);
  }
  const how = exitCode === null ? `within ${readyLimitMs / 1000} s` : `and ended with exit code ${exitCode}`;
  throw new Error(`the gateway did not become ready ${how}:\n${lastWords(log, plan.token)}`);
}

/** @returns milliseconds from spawn to the end. @throws Error when it does not end with 0 */
export async function timeCommand(plan: GatewayPlan, argument: string): Promise<number> {
  const startedAt = performance.now();
  const child = start({
    argv: [plan.binary, argument],
    environment: { HOME: plan.home, OPEN_LLM_AUTH_HOME: plan.home },
    cores: plan.cores,
    directory: plan.home,
    log: `${plan.home}.command.log`,
  });
  const code = await child.exited;
  if (code !== 0) throw new Error(`${plan.binary} ${argument} ended with exit code ${code}`);
  return performance.now() - startedAt;
}

/** Makes the upstream its provider in both protocols, as an administrator would. @throws Error when it is refused */
export async function configure(gateway: Gateway, upstreamPort: number, key: string): Promise<void> {
  const local = `http://127.0.0.1:${upstreamPort}`;
  const common = { apiKey: key, allowLocal: true, models: [{ id: models.json }, { id: models.apart }, { id: models.slow }] };
  await addProvider(gateway, providerId, { ...common, baseUrl: `${local}/v1` });
  await addProvider(gateway, messagesProviderId, { ...common, baseUrl: local, api: 'anthropic-messages' });
}

async function addProvider({ port, token }: Gateway, id: string, fields: object): Promise<void> {
  const request = encodeRequest({ method: 'PUT', path: `/config/providers/${id}`, port, token, body: JSON.stringify(fields) });
  const answer = await exchange(port, request);
  if (!/^HTTP\/1\.1 2\d\d /.test(answer?.head ?? '')) {
    throw new Error(`the gateway refused the provider: ${answer?.head.split('\r\n', 1)[0] ?? 'no answer'} ${answer?.body ?? ''}`);
  }
}

/** Resident memory in MB (10^6 bytes), of the process alone. */
export function residentMegabytes(pid: number): number {
  const status = `/proc/${pid}/status`;
  const kibibytes = existsSync(status)
    ? /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(status, 'utf8'))?.[1]
    : Bun.spawnSync(['ps', '-o', 'rss=', '-p', String(pid)]).stdout.toString();
  return (Number(kibibytes) * 1024) / 1e6;
}

/** A port that was free a moment ago. */
function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

const exchangeLimitMs = 5000;

/** One request on a connection of its own, past any proxy variable; null when it cannot be had. */
async function exchange(port: number, request: Buffer): Promise<Message | null> {
  const { promise, resolve } = Promise.withResolvers<Message | null>();
  let received = '';
  const timer = setTimeout(() => resolve(null), exchangeLimitMs);
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      open: (opened) => void opened.write(request),
      data(_, bytes) {
        received += bytes.toString('latin1');
        const answer = readMessage(received);
        if (answer !== null) resolve(answer);
      },
      close: () => resolve(null),
      error: () => resolve(null),
    },
  }).catch(() => null);
  const answer = socket === null ? null : await promise;
  clearTimeout(timer);
  socket?.end();
  return answer;
}

function lastWords(log: string, token: string): string {
  const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
  return text
    .replaceAll(token, '[REDACTED]')
    .replaceAll(/ola_[0-9A-Za-z]{49}/g, '[REDACTED]')
    .slice(-2000);
}
