/** `ola status`: which server runs in the home, and its health. */
import { isObject } from '../../core/json.ts';
import { command } from '../command.ts';
import { type CliPorts, exitCodes, type RunningServer } from '../ports.ts';
import { isoTime, jsonText, pairs, span } from '../text.ts';
import { json } from '../values.ts';

/** The answer of `/health`; its status is `unreachable` when the server runs and does not answer. */
interface Health {
  readonly status: string;
  readonly checks: Readonly<Record<string, string>>;
}

export const status = command({
  path: ['status'],
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
    const uptimeMs = Math.max(0, now() - server.startedAt);
    terminal.out(asJson ? jsonText({ ...report(server, health, uptimeMs), home }) : people(server, health, uptimeMs, home));
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
};

async function healthOf(ports: CliPorts): Promise<Health> {
  // A server that does not answer is a finding of this command, not an error.
  const answer = await ports.call('GET', '/health').catch(() => null);
  const body = answer?.body;
  if (!isObject(body) || typeof body['status'] !== 'string') return { status: 'unreachable', checks: {} };
  const checks = isObject(body['checks']) ? body['checks'] : {};
  return {
    status: body['status'],
    checks: Object.fromEntries(Object.entries(checks).map(([name, state]) => [name, String(state)])),
  };
}

function report(server: RunningServer, health: Health, uptimeMs: number) {
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
  };
}

function people(server: RunningServer, health: Health, uptimeMs: number, home: string): string {
  const checks = Object.entries(health.checks).map(([name, state]) => `${name} ${state}`);
  return pairs([
    ['status', health.status],
    ['address', server.address],
    ['process', String(server.pid)],
    ['version', server.version],
    ['uptime', `${span(uptimeMs)} (since ${isoTime(server.startedAt)})`],
    ['checks', checks.length === 0 ? 'none' : checks.join(', ')],
    ...(server.configFile === null ? [] : [['config', server.configFile] as const]),
    ['home', home],
  ]);
}
