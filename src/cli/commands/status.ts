/** `ola status`: which server runs in the home, and its health. */
import { isObject } from '../../core/json.ts';
import type { ProviderState } from '../../core/providers.ts';
import { command } from '../command.ts';
import { type CliPorts, exitCodes, type RunningServer } from '../ports.ts';
import { providersLine } from '../providers-line.ts';
import { isoTime, jsonText, pairs, span } from '../text.ts';
import { json } from '../values.ts';

/** The answer of `/health`; its status is `unreachable` when the server runs and does not answer. */
interface Health {
  readonly status: string;
  readonly checks: Readonly<Record<string, string>>;
}

export const status = command({
  path: ['status'],
  onDemo: 'follows',
  summary: 'Show whether the server runs, where, and its health',
  description: 'Exits with 0 when the server is healthy, 1 when it is not (degraded included), 5 when no server is running.',
  options: { json },
  arguments: {},
  examples: [
    { command: 'ola status', note: 'for people' },
    { command: 'ola status --json', note: 'for scripts' },
  ],
  async run({ ports }, { json: asJson }) {
    const { terminal, home, now } = ports;
    const server = await ports.running();
    if (server === null) {
      const stopped = pairs([
        ['status', 'not running'],
        ['home', home],
      ]);
      terminal.out(asJson ? jsonText({ ...nothingRuns, home }) : stopped);
      if (!asJson) terminal.err('next: ola serve\n');
      return exitCodes.unreachable;
    }
    const health = await healthOf(ports);
    const providers = await providersOf(ports, health);
    const problem = health.status === 'degraded' ? await problemOf(ports) : null;
    const uptimeMs = Math.max(0, now() - server.startedAt);
    const found = { server, health, providers, problem, uptimeMs };
    terminal.out(asJson ? jsonText({ ...report(found), home }) : people(found, home));
    if (!asJson && health.status !== 'ok') terminal.err(`next: ${nextStep(found)}\n`);
    return health.status === 'ok' ? exitCodes.ok : exitCodes.failure;
  },
});

/** Has the same keys as `report`, so that scripts need to read one shape only. */
const nothingRuns = {
  running: false,
  healthy: false,
  status: 'stopped',
  address: null,
  configFile: null,
  pid: null,
  version: null,
  startedAt: null,
  uptimeSeconds: null,
  checks: {},
  providers: [],
  problem: null,
};

/** What was found out about a server that runs. */
interface Found {
  readonly server: RunningServer;
  readonly health: Health;
  /** Null when they could not be asked for. */
  readonly providers: readonly ProviderState[] | null;
  /** Why the configuration is not in force as it stands; null when it is. */
  readonly problem: string | null;
  readonly uptimeMs: number;
}

async function healthOf(ports: CliPorts): Promise<Health> {
  const body = await answerOf(ports, '/health');
  if (body === null || typeof body['status'] !== 'string') return { status: 'unreachable', checks: {} };
  const checks = isObject(body['checks']) ? body['checks'] : {};
  const named = Object.fromEntries(Object.entries(checks).map(([name, state]) => [name, String(state)]));
  return { status: named['server'] === 'draining' ? 'stopping' : body['status'], checks: named };
}

/** The answer of a route; null when there is none. A server that does not answer is a finding of this command, not an error. */
async function answerOf(ports: CliPorts, path: string): Promise<Record<string, unknown> | null> {
  const answer = await ports.call('GET', path).catch(() => null);
  return isObject(answer?.body) ? answer.body : null;
}

async function providersOf(ports: CliPorts, { status: state }: Health): Promise<readonly ProviderState[] | null> {
  // A server that stops answers nothing but its health.
  if (state !== 'ok' && state !== 'degraded') return null;
  const states = (await answerOf(ports, '/config/providers'))?.['states'];
  if (!Array.isArray(states)) return null;
  return states.filter(isObject).map(({ id, usable, keys, why }) => ({
    id: String(id),
    usable: usable === true,
    keys: Array.isArray(keys) ? keys.map(String) : [],
    why: typeof why === 'string' ? why : null,
  }));
}

async function problemOf(ports: CliPorts): Promise<string | null> {
  const problem = (await answerOf(ports, '/config/config-file-path'))?.['problem'];
  return typeof problem === 'string' ? problem : null;
}

function nextStep({ server, health: { status: state, checks } }: Found): string {
  if (state === 'degraded') return 'ola config validate';
  if (state === 'stopping') return 'ola serve, when it has stopped';
  if (checks['store'] === 'failed') return "read the server's log, and check the free space on its disk";
  return `read the log of process ${server.pid}`;
}

function report({ server, health, providers, problem, uptimeMs }: Found) {
  return {
    running: true,
    healthy: health.status === 'ok',
    status: health.status,
    address: server.address,
    configFile: server.configFile,
    pid: server.pid,
    version: server.version,
    startedAt: new Date(server.startedAt).toISOString(),
    uptimeSeconds: Math.floor(uptimeMs / 1000),
    checks: health.checks,
    providers: providers ?? [],
    problem,
  };
}

function people({ server, health, providers, problem, uptimeMs }: Found, home: string): string {
  const checks = Object.entries(health.checks).map(([name, state]) => `${name} ${state}`);
  return pairs([
    ['status', health.status],
    ...(problem === null ? [] : [['problem', problem] as const]),
    ['address', server.address],
    ['process', String(server.pid)],
    ['version', server.version],
    ['uptime', `${span(uptimeMs)} (since ${isoTime(server.startedAt)})`],
    ['checks', checks.length === 0 ? 'none' : checks.join(', ')],
    ...(providers === null ? [] : [['providers', providersLine(providers)] as const]),
    ...(server.configFile === null ? [] : [['config', server.configFile] as const]),
    ['home', home],
  ]);
}
