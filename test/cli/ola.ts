/** Runs the command line over ports that remember what was asked of them. */
import type { ApiAnswer, CliPorts, ExitCode, RunningServer, ServeOptions } from '../../src/cli/ports.ts';
import { runCli } from '../../src/cli/run.ts';

export const now = Date.parse('2026-11-21T10:00:00Z');
export const day = 86_400_000;
export const home = '/home/someone/.open_llm_auth';
export const version = 'ola 0.1.0 (abc1234) bun 1.4.5 linux-x64';
export const server: RunningServer = {
  pid: 4312,
  version: '0.1.0',
  address: 'http://127.0.0.1:9090',
  startedAt: now - 3 * 3_600_000,
};

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

export interface Ended {
  readonly exit: ExitCode;
  readonly out: string;
  readonly err: string;
  readonly calls: readonly Call[];
  readonly started: readonly ServeOptions[];
}

export interface Scene {
  /** What the API answers. */
  readonly answer?: (call: Call) => ApiAnswer;
  readonly running?: RunningServer | null;
  readonly interactive?: boolean;
  readonly startServer?: CliPorts['startServer'];
}

/** @param argv words, as after the program's name */
export async function ola(argv: readonly string[], scene: Scene = {}): Promise<Ended> {
  let out = '';
  let err = '';
  const calls: Call[] = [];
  const started: ServeOptions[] = [];
  const ports: CliPorts = {
    argv,
    terminal: {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      interactive: scene.interactive ?? false,
      watched: false,
      answerable: false,
    },
    version,
    home,
    running: async () => (scene.running === undefined ? server : scene.running),
    call: async (method, path, body) => {
      const call = { method, path, body };
      calls.push(call);
      return scene.answer?.(call) ?? { status: 404, body: { error: { code: 'route_not_found', message: 'no such route' } } };
    },
    startServer:
      scene.startServer ??
      (async (options) => {
        started.push(options);
        return 0;
      }),
    now: () => now,
  };
  const exit = await runCli(ports);
  return { exit, out, err, calls, started };
}

/** A token as the API shows it. */
export function tokenView(fields: Readonly<Record<string, unknown>> = {}) {
  return {
    id: 'tok_00000000000000000000000000000001',
    hint: 'ola_****wxyz',
    name: 'laptop',
    owner: null,
    project: null,
    scopes: ['read', 'write'],
    admin: false,
    enabled: true,
    createdAt: '2026-11-21T10:00:00.000Z',
    expiresAt: '2026-12-21T10:00:00.000Z',
    lastUsedAt: null,
    useCount: 0,
    ...fields,
  };
}
