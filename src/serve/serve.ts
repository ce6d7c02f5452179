/** `ola serve`: opens the home, listens, says so, and ends in good order. */
import { randomBytes } from 'node:crypto';
import { configFailure, type Failure } from '../cli/failure.ts';
import type { ExitCode, ServeOptions, Terminal } from '../cli/ports.ts';
import { localPrincipal } from '../core/access.ts';
import { type ErrorCode, OlaError } from '../core/errors.ts';
import type { Clock, Log } from '../core/ports.ts';
import { createRedactor } from '../core/redaction.ts';
import type { ServerHandle } from '../core/server.ts';
import type { Settings } from '../core/settings.ts';
import type { CurrentConfig } from '../gateway/config/in-force.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { ProcessProvider } from '../gateway/routing/registry.ts';
import { type OpenHome, openHome } from '../home/home.ts';
import { createApp } from '../http/app.ts';
import { mostBodyBytes } from '../http/body.ts';
import { createLog } from '../runtime/log.ts';
import { holderOfPort } from '../runtime/port-holder.ts';
import { onCrash, onStopSignal } from '../runtime/process.ts';
import { listen, localAddresses } from '../runtime/serve.ts';
import { version } from '../runtime/version.ts';
import { type Watch, watchFile } from '../runtime/watch.ts';
import { attendDoor, isOfThisMachine, openDoorWarning, refuseOpenDoor } from './anonymous.ts';
import { demoProvider, demoUpstream } from './demo.ts';
import { welcome } from './welcome.ts';

export interface ServeParts {
  readonly options: ServeOptions;
  readonly home: string;
  /** The file that governs, absolute; null: the database does. */
  readonly configFile: string | null;
  readonly settings: Settings;
  readonly terminal: Terminal;
  readonly now: Clock;
}

interface Demo {
  readonly provider: ProcessProvider;
  readonly server: ServerHandle;
}

const tickMs = 1000;
const drainPollMs = 20;

export async function serve(parts: ServeParts): Promise<ExitCode> {
  const { options, settings, configFile, terminal, now } = parts;
  const format = options.logFormat ?? (terminal.watched ? 'pretty' : 'json');
  let redact = createRedactor(() => []);
  const log = createLog({ level: options.logLevel, format, write: terminal.err, now, redact: (text) => redact(text) });
  onCrash((message) => log.log('error', 'ola crashed', { cause: message }));

  refuseOpenDoor(parts);
  const demo = options.demo ? startDemo(now) : null;
  let listeners: readonly { readonly address: string; readonly port: number }[] = [];
  const ownListeners = () => listeners;
  const processProviders = demo === null ? [] : [demo.provider];
  const opening = { path: parts.home, by: 'server', settings, configFile, processProviders, ownListeners, now, log } as const;
  const home = await openHome(opening).catch((thrown: unknown) => {
    throw startFailure(thrown, configFile) ?? thrown;
  });
  let watch: Watch | null = null;
  try {
    redact = home.gateway.redact;
    requireToken(options, home.gateway);
    attendDoor(home.gateway, parts, log);
    const app = createApp({ gateway: home.gateway, hosts: hostsOf(options, home.gateway), now, log });
    const server = listenOn(options, app.handle);
    listeners = [{ address: server.hostname, port: server.port }];
    const control = listen.control(`${home.path}/control.sock`, { maxBodyBytes: mostBodyBytes }, app.handle);
    const address = urlOf(options.host, server.port);
    home.announce(address);
    const ticker = setInterval(() => tick(home.gateway), tickMs);
    watch = configFile === null ? null : watchFile(configFile, () => void home.reload());
    const stopped = untilStopped(server, home.gateway, options.grace, log);
    const token = await firstToken(parts, home.gateway);
    warn(parts, home, log);
    const model = exampleModel(home.gateway);
    terminal.out(
      welcome({
        address,
        version,
        token,
        open: home.gateway.access.isOpen(),
        model,
        demo: options.demo,
        home: home.path,
        configFile,
      }),
    );
    const code = await stopped;
    clearInterval(ticker);
    home.gateway.abandon();
    await control.stop();
    await server.stop();
    await demo?.server.stop();
    return code;
  } finally {
    watch?.stop();
    await home.close();
  }
}

/** A file or a variable that cannot be used is a mistake in the configuration: exit code 3. */
function startFailure(thrown: unknown, configFile: string | null): Failure | null {
  if (!(thrown instanceof OlaError) || !configErrors.includes(thrown.code)) return null;
  const what = configFile === null ? 'the configuration cannot be used' : `${configFile} cannot govern`;
  return configFailure(
    what,
    thrown.message,
    configFile === null ? 'ola serve --help' : `ola config validate --config ${configFile}`,
  );
}
const configErrors: readonly ErrorCode[] = ['invalid_field', 'invalid_json', 'secret_required', 'unsafe_destination'];

function tick(gateway: Gateway): void {
  gateway.inference.tick(performance.now());
  gateway.retention.tick();
}

/** The demo model is called like any other: over a socket, with a key, through the policy. */
function startDemo(now: Clock): Demo {
  const apiKey = randomBytes(32).toString('base64url');
  const server = listen.tcp({ hostname: '127.0.0.1', port: 0, maxBodyBytes: mostBodyBytes }, demoUpstream(apiKey, now));
  const baseUrl = `http://127.0.0.1:${server.port}/v1`;
  return { server, provider: { id: demoProvider.id, baseUrl, apiKey, models: demoProvider.models } };
}

function requireToken(options: ServeOptions, gateway: Gateway): void {
  if (!options.requireToken || gateway.access.configured()) return;
  throw configFailure(
    'API key not configured',
    'There is no access token: set OPEN_LLM_AUTH_TOKEN, or make one.',
    'ola token create NAME',
  );
}

function hostsOf(options: ServeOptions, gateway: Gateway) {
  const none: readonly string[] = [];
  return { bound: options.host, localAddresses, publicHosts: () => gateway.config.snapshot().open.publicHosts ?? none };
}

/** @throws OlaError `conflict` naming who has the port */
function listenOn({ host, port }: ServeOptions, handle: Parameters<typeof listen.tcp>[1]): ServerHandle {
  try {
    return listen.tcp({ hostname: host, port, maxBodyBytes: mostBodyBytes }, handle);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    if (code !== 'EADDRINUSE') {
      throw new OlaError('conflict', `Cannot listen on ${host} port ${port} (${code}). Choose others with --host and --port.`, {
        cause,
      });
    }
    const holder = holderOfPort(port);
    const who = holder === null ? 'another program' : `process id ${holder.pid} (${holder.command})`;
    throw new OlaError(
      'conflict',
      `Port ${port} is in use by ${who}. See \`ola status\`, or choose another: \`ola serve --port ${port + 1}\`.`,
      { cause },
    );
  }
}

/** An admin token for whoever sits at the terminal, when nobody could come in otherwise; a fresh one at each demo. */
async function firstToken({ options, terminal }: ServeParts, gateway: Gateway): Promise<string | null> {
  const origin = { principal: localPrincipal, requestId: null, clientIp: null, userAgent: null };
  if (options.demo) {
    const old = gateway.tokens.list().filter(({ name }) => name === demoTokenName);
    for (const { id } of old) await gateway.tokens.revoke(id, origin);
  } else if (!terminal.interactive || gateway.access.configured()) return null;
  if (gateway.access.isOpen()) return null;
  const name = options.demo ? demoTokenName : 'first start';
  const { token } = await gateway.tokens.create({ name, admin: true, expiresAt: null }, origin);
  return token;
}
const demoTokenName = 'demo (made at start)';

function exampleModel(gateway: Gateway): string | null {
  const models = gateway.listModels();
  return (models.find(({ owned_by }) => owned_by === demoProvider.id) ?? models[0])?.id ?? null;
}

function warn(parts: ServeParts, home: OpenHome, log: Log): void {
  const { options, settings, configFile } = parts;
  for (const { path, mode } of home.fixed) {
    log.log('warn', `others could read ${path} (mode ${mode.toString(8)}); its mode is fixed`);
  }
  for (const sentence of [...home.predecessor.imported, ...home.predecessor.standing]) log.log('warn', sentence);
  if (!isOfThisMachine(options.host))
    log.log('warn', `listening on ${options.host} without TLS: tokens and prompts travel in clear`);
  if (settings.everyProviderLocal)
    log.log('warn', 'OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS is on: providers may be on this machine');
  if (configFile !== null && settings.databasePath === null) warnOfMovedDatabase(configFile, home, log);
  if (settings.insecureHttp) log.log('warn', 'OPEN_LLM_AUTH_ALLOW_INSECURE_EGRESS_HTTP is on: keys may travel in clear');
  const openDoor = openDoorWarning(home.gateway, parts);
  if (openDoor !== null) log.log('warn', openDoor);
  else if (!home.gateway.access.configured()) {
    log.log('warn', 'no access token is configured, so every request gets 401: make one with `ola token create`');
  }
}

/** The open database stays: what was acknowledged is in it. */
function warnOfMovedDatabase(configFile: string, home: OpenHome, log: Log): void {
  const named = ({ open }: CurrentConfig) => open.durableState?.dbPath;
  let known = named(home.gateway.config.snapshot());
  home.gateway.config.onChange((snapshot) => {
    if (named(snapshot) === known) return;
    known = named(snapshot);
    log.log('warn', `durableState.dbPath in ${configFile} has changed; it takes effect at the next start`);
  });
}

/**
 * First signal: nothing new comes in, what runs may finish within the grace, then it is cut with an error event.
 * Second signal: at once.
 */
function untilStopped(server: ServerHandle, gateway: Gateway, graceSeconds: number, log: Log): Promise<ExitCode> {
  return new Promise((resolve) => {
    onStopSignal((count) => {
      if (count > 1) return resolve(130);
      gateway.drain();
      log.log('info', 'shutting down', { calls: gateway.limits.inFlight(), graceSeconds });
      void drained(server, gateway, graceSeconds).then(() => resolve(0));
    });
  });
}

async function drained(server: ServerHandle, gateway: Gateway, graceSeconds: number): Promise<void> {
  const empty = () => server.pending() === 0;
  if (await within(graceSeconds * 1000, empty)) return;
  gateway.cut();
  // The error events are on their way; a reader that does not take them is not waited for.
  await within(tickMs, empty);
}

async function within(milliseconds: number, done: () => boolean): Promise<boolean> {
  const until = performance.now() + milliseconds;
  while (!done()) {
    if (performance.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, drainPollMs));
  }
  return true;
}

function urlOf(host: string, port: number): string {
  const reachable = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
