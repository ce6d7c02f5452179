/** Runs the command line over ports that remember what was asked of them. */
import type { ApiAnswer, CallOptions, CliPorts, Dialogue, ExitCode, RunningServer, ServeOptions } from '../../src/cli/ports.ts';
import { runCli } from '../../src/cli/run.ts';

export const now = Date.parse('2026-11-21T10:00:00Z');
export const day = 86_400_000;
export const home = '/home/someone/.open_llm_auth';
export const version = 'ola 0.1.0 (abc1234) bun 1.4.5 linux-x64';
export const server: RunningServer = {
  pid: 4312,
  version: '0.1.0',
  address: 'http://127.0.0.1:9090',
  configFile: null,
  startedAt: now - 3 * 3_600_000,
};

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly options?: CallOptions;
}

export interface Ended {
  readonly exit: ExitCode;
  readonly out: string;
  readonly err: string;
  readonly calls: readonly Call[];
  readonly started: readonly ServeOptions[];
}

type Answer = Omit<ApiAnswer, 'etag'> & { readonly etag?: string | null };

export interface Scene {
  /** What the API answers. */
  readonly answer?: (call: Call) => Answer | Promise<Answer>;
  /** A person's files by path; what a command writes is put there. */
  readonly files?: Map<string, string>;
  readonly input?: string;
  /** What a person does to a text in the editor. @returns the exit code of the editor, with the text that it leaves */
  readonly edit?: (text: string) => { readonly text: string; readonly exit?: number };
  readonly dialogue?: Dialogue;
  readonly backUp?: CliPorts['backUp'];
  readonly restore?: CliPorts['restore'];
  readonly running?: RunningServer | null;
  readonly interactive?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
  readonly unicode?: boolean;
  readonly startServer?: CliPorts['startServer'];
}

/** @param argv words, as after the program's name */
export async function ola(argv: readonly string[], scene: Scene = {}): Promise<Ended> {
  let out = '';
  let err = '';
  const calls: Call[] = [];
  const started: ServeOptions[] = [];
  const files = scene.files ?? new Map<string, string>();
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
      columns: scene.columns ?? null,
      unicode: scene.unicode ?? true,
      watched: false,
      dialogue: scene.dialogue ?? null,
    },
    version,
    home,
    homeFrom: 'default',
    demo: null,
    running: async () => (scene.running === undefined ? server : scene.running),
    call: async (method, path, body, options = {}) => {
      const call = { method, path, body, ...(Object.keys(options).length === 0 ? {} : { options }) };
      calls.push(call);
      const answer = await scene.answer?.(call);
      return { etag: null, ...(answer ?? noSuchRoute) };
    },
    startServer:
      scene.startServer ??
      (async (options) => {
        started.push(options);
        return 0;
      }),
    files: filesIn(files),
    readInput: async () => scene.input ?? '',
    editor: async (path) => {
      const { text, exit = 0 } = scene.edit?.(files.get(path) ?? '') ?? { text: files.get(path) ?? '' };
      files.set(path, text);
      return exit;
    },
    backUp: scene.backUp ?? (async () => Promise.reject(new Error('no backup is made here'))),
    restore: scene.restore ?? (async () => Promise.reject(new Error('nothing is restored here'))),
    now: () => now,
  };
  const exit = await runCli(ports);
  return { exit, out, err, calls, started };
}

const noSuchRoute: Answer = { status: 404, body: { error: { code: 'route_not_found', message: 'no such route' } } };

function filesIn(files: Map<string, string>): CliPorts['files'] {
  return {
    read: async (path) => files.get(path) ?? null,
    async create(path, text) {
      if (files.has(path)) return false;
      files.set(path, text);
      return true;
    },
    async replace(path, { from, to }) {
      if (files.get(path) !== from) return false;
      files.set(path, to);
      return true;
    },
    async temporary(name, text) {
      files.set(`/tmp/ola-edit/${name}`, text);
      return `/tmp/ola-edit/${name}`;
    },
    discard: async (path) => void files.delete(path),
  };
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
