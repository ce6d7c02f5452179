/** `ola serve`: opens the home, listens, prints the address, and stops without cutting running calls where it can. */
import { randomBytes } from 'node:crypto';
import { configFailure, Failure } from '../cli/failure.ts';
import { type ExitCode, exitCodes, type ServeOptions, type Terminal } from '../cli/ports.ts';
import { providersLine } from '../cli/providers-line.ts';
import { localPrincipal } from '../core/access.ts';
import { type ErrorCode, OlaError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { createRedactor } from '../core/redaction.ts';
import type { ServerHandle } from '../core/server.ts';
import type { Settings } from '../core/settings.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { ProcessProvider } from '../gateway/routing/registry.ts';
import { openHome } from '../home/home.ts';
import { createApp } from '../http/app.ts';
import { mostBodyBytes } from '../http/body.ts';
import { createLog } from '../runtime/log.ts';
import { standardError } from '../runtime/output.ts';
import { holderOfPort } from '../runtime/port-holder.ts';
import { environment, onCrash } from '../runtime/process.ts';
import { createRequestLog, type WrittenRequestLog } from '../runtime/request-log.ts';
import { listen, localAddresses } from '../runtime/serve.ts';
import { version } from '../runtime/version.ts';
import { type Watch, watchFile } from '../runtime/watch.ts';
import { applyAnonymous, refuseUnsafeAnonymous } from './anonymous.ts';
import { demoProvider, demoUpstream } from './demo.ts';
import { untilStopped } from './stop.ts';
import { warn } from './warnings.ts';
import { welcome } from './welcome.ts';

export interface ServeParts {
  readonly options: ServeOptions;
  readonly home: string;
  /** Absolute path of the configuration file; null in database mode. */
  readonly configFile: string | null;
  readonly settings: Settings;
  readonly terminal: Terminal;
  readonly now: Clock;
}

interface Demo {
  readonly provider: ProcessProvider;
  readonly server: ServerHandle;
}

/** Pause between two ticks of the gateway, in milliseconds. */
const tickMs = 1000;
/** Pause between the start and the preparations that run after it, in milliseconds; the first requests come before them. */
const settleMs = 20;

export async function serve(parts: ServeParts): Promise<ExitCode> {
  const { options, settings, configFile, terminal, now } = parts;
  const format = options.logFormat ?? (terminal.watched ? 'pretty' : 'json');
  let redact = createRedactor(() => []);
  const log = createLog({ level: options.logLevel, format, write: terminal.err, now, redact: (text) => redact(text) });
  let requests: WrittenRequestLog | null = null;
  onCrash((message) => {
    requests?.flush();
    log.log('error', 'ola crashed', { cause: message });
  });

  refuseUnsafeAnonymous(parts);
  const demo = options.demo ? startDemo(now) : null;
  let listeners: readonly { readonly address: string; readonly port: number }[] = [];
  const ownListeners = () => listeners;
  const processProviders = demo === null ? [] : [demo.provider];
  const opening = { path: parts.home, by: 'server', settings, configFile, processProviders, ownListeners, now, log } as const;
  const home = await openHome(opening).catch((thrown: unknown) => {
    throw startFailure(thrown, configFile) ?? thrown;
  });
  let watch: Watch | null = null;
  let listened = false;
  try {
    redact = home.gateway.redact;
    requireToken(options, home.gateway);
    applyAnonymous(home.gateway, parts, log);
    requests = requestLog(parts, format, home.gateway);
    const app = createApp({ gateway: home.gateway, hosts: hostsOf(options, home.gateway), now, log, requests });
    const server = listenOn(options, app.handle);
    listeners = [{ address: server.hostname, port: server.port }];
    const control = listen.control(`${home.path}/control.sock`, { maxBodyBytes: mostBodyBytes }, app.handle);
    const address = urlOf(options.host, server.port);
    home.announce(address);
    listened = true;
    const ticker = setInterval(() => home.gateway.tick(performance.now()), tickMs);
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
        providers: home.gateway.providerStates(),
        model,
        demo: options.demo,
        home: home.path,
        configFile,
      }),
    );
    // The text for people is prose, which a collector of a JSON log cannot read.
    if (format === 'json') {
      const providers = providersLine(home.gateway.providerStates());
      log.log('info', 'listening', { address, home: home.path, configFile, providers });
    }
    void inTurns([...app.afterStart, ...home.afterStart]);
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
    requests?.flush();
    if (listened) log.log('info', 'stopped');
  }
}

/** The option counts, then the configuration of the moment; without both, requests are logged where a person reads the log. */
function requestLog({ options, terminal }: ServeParts, format: 'pretty' | 'json', gateway: Gateway): WrittenRequestLog {
  const { logRequests, logLevel: level, demo } = options;
  return createRequestLog({
    level,
    format,
    enabled: () => logRequests ?? gateway.config.snapshot().open.server?.logRequests ?? (terminal.watched || demo),
    write: standardError.write,
    unwritten: standardError.unwritten,
    redact: gateway.redact,
    nameOf: gateway.tokens.nameOf,
  });
}

/** Runs the preparations after the start, one per turn of the event loop, so that requests are served between them. */
async function inTurns(work: readonly (() => void)[]): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  for (const prepare of work) {
    prepare();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The Failure, with exit code 3, for a configuration or a variable that cannot be used; null for any other error. */
function startFailure(thrown: unknown, configFile: string | null): Failure | null {
  if (!(thrown instanceof OlaError) || !configErrors.includes(thrown.code)) return null;
  const what = configFile === null ? 'the configuration cannot be used' : `${configFile} cannot be used as the configuration`;
  return configFailure(
    what,
    thrown.message,
    configFile === null ? 'ola serve --help' : `ola config validate --config ${configFile}`,
  );
}
const configErrors: readonly ErrorCode[] = ['invalid_field', 'invalid_json', 'secret_required', 'unsafe_destination'];

/** Starts the demo upstream. It is called like any other provider: over a socket, with a key, through the egress policy. */
function startDemo(now: Clock): Demo {
  const apiKey = randomBytes(32).toString('base64url');
  const server = listen.tcp({ hostname: '127.0.0.1', port: 0, maxBodyBytes: mostBodyBytes }, demoUpstream(apiKey, now));
  const baseUrl = `http://127.0.0.1:${server.port}/v1`;
  return {
    server,
    provider: { id: demoProvider.id, protocol: demoProvider.protocol, baseUrl, apiKey, models: demoProvider.models },
  };
}

function requireToken(options: ServeOptions, gateway: Gateway): void {
  if (!options.requireToken || gateway.access.configured()) return;
  throw configFailure(
    'no access token exists yet',
    'Create one with `ola token create NAME`, or set OPEN_LLM_AUTH_TOKEN.',
    'ola token create NAME',
  );
}

function hostsOf(options: ServeOptions, gateway: Gateway) {
  const none: readonly string[] = [];
  return { bound: options.host, localAddresses, publicHosts: () => gateway.config.snapshot().open.publicHosts ?? none };
}

/** @throws OlaError `conflict`; Failure that names the program on the port, and another port */
function listenOn({ host, port, demo }: ServeOptions, handle: Parameters<typeof listen.tcp>[1]): ServerHandle {
  try {
    return listen.tcp({ hostname: host, port, maxBodyBytes: mostBodyBytes }, handle);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    if (code !== 'EADDRINUSE') {
      throw new OlaError(
        'conflict',
        `Cannot listen on ${host} port ${port} (${code}). Choose another address with --host and --port.`,
        {
          cause,
        },
      );
    }
    const holder = holderOfPort(port);
    const who = holder === null ? 'another program' : `process id ${holder.pid} (${holder.command})`;
    throw new Failure({
      code: 'conflict',
      what: 'ola serve failed',
      why: `Port ${port} is in use by ${who}. Stop that, or choose another port.`,
      next: `${typedAs(demo)} --port ${port < 65_535 ? port + 1 : port - 1}`,
      exitCode: exitCodes.failure,
    });
  }
}

/**
 * Creates an admin token when a person watches the terminal and no token exists, because no request could be made otherwise.
 * Each start of the demo creates one more. Tokens of earlier starts stay valid, because tools are configured with them.
 */
async function firstToken({ options, terminal }: ServeParts, gateway: Gateway): Promise<string | null> {
  const origin = { principal: localPrincipal, requestId: null, clientIp: null, userAgent: null };
  if (options.demo) {
    const earlier = gateway.tokens.list().filter(({ name }) => name === demoTokenName);
    for (const { id } of earlier.slice(0, Math.max(0, earlier.length + 1 - keptDemoTokens)))
      await gateway.tokens.revoke(id, origin);
  } else if (!terminal.interactive || gateway.access.configured()) return null;
  if (gateway.access.isOpen()) return null;
  const name = options.demo ? demoTokenName : 'first start';
  const { token } = await gateway.tokens.create({ name, admin: true, expiresAt: null }, origin);
  return token;
}
const demoTokenName = 'demo (made at start)';
/** Tokens of demo starts that are valid at a time; the next start revokes the oldest. */
const keptDemoTokens = 8;

function exampleModel(gateway: Gateway): string | null {
  const models = gateway.knownModels();
  return (models.find(({ owned_by }) => owned_by === demoProvider.id) ?? models[0])?.id ?? null;
}

/** What a person typed to start this, for the command to run next. npm passes on what stands behind `--`. */
function typedAs(demo: boolean): string {
  if (environment['npm_lifecycle_event'] === 'start') return 'npm start --';
  return demo ? 'ola serve --demo' : 'ola serve';
}

function urlOf(host: string, port: number): string {
  const reachable = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
