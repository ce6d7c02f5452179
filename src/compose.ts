/** Hands every part to the others and runs one command. */

import { configFailure } from './cli/failure.ts';
import type { ApiAnswer, CallOptions, CliPorts, RunningServer, Terminal } from './cli/ports.ts';
import { runCli, sayFailure } from './cli/run.ts';
import { OlaError } from './core/errors.ts';
import type { Clock, Log } from './core/ports.ts';
import type { Connection } from './core/server.ts';
import { readSettings, type Settings, secretVariables } from './core/settings.ts';
import { runningDatabase } from './home/config-file.ts';
import { openHome } from './home/home.ts';
import { createApp } from './http/app.ts';
import { type ControlCall, callControl } from './runtime/control.ts';
import { exists } from './runtime/files.ts';
import { takeHomeLock } from './runtime/lock.ts';
import { absolutePath, personsFiles } from './runtime/named-files.ts';
import * as self from './runtime/process.ts';
import { dialogue, readInput, runEditor } from './runtime/terminal.ts';
import { version, versionLine } from './runtime/version.ts';
import { serve } from './serve/serve.ts';
import { backUp } from './upkeep/backup.ts';
import { restore } from './upkeep/restore.ts';

const now: Clock = () => Date.now();
/** A command answers by what it prints, not by a log. */
const noLog: Log = { log: () => undefined };

const terminal: Terminal = {
  out: self.standardOutput.write,
  err: self.standardError.write,
  interactive: self.standardOutput.interactive,
  watched: self.standardError.interactive,
  dialogue,
};

/** What every command works on. */
interface HomeSettings {
  /** Absolute. */
  readonly home: string;
  readonly settings: Settings;
}

export async function main(): Promise<never> {
  const settings = settingsOrExit();
  self.forget(secretVariables);
  const home = absolutePath(settings.home ?? `${self.userHome}/.open_llm_auth`);
  const ports: CliPorts = {
    argv: self.programArguments,
    terminal,
    version: versionLine(self.platform),
    home,
    homeFrom: settings.home === null ? 'default' : 'environment',
    running: () => whoHolds(home),
    call: (method, path, body, { headers = {}, configFile = null }: CallOptions = {}) => {
      const call = { method, path, body, headers };
      return callApi({ home, settings }, call, absoluteOrNull(configFile));
    },
    // The demo never touches a real home, unless one was named.
    startServer: (options) =>
      serve({
        options,
        settings,
        terminal,
        now,
        home: options.demo && settings.home === null ? absolutePath('.demo-home') : home,
        configFile: absoluteOrNull(options.config),
      }),
    files: personsFiles(home),
    readInput,
    editor: runEditor,
    backUp: ({ configFile, ...wanted }) => backUp(wanted, { home, settings, configFile: absoluteOrNull(configFile), now }),
    restore: ({ configFile, ...wanted }) => restore(wanted, { home, settings, configFile: absoluteOrNull(configFile), now }),
    now,
  };
  return self.exit(await runCli(ports));
}

const absoluteOrNull = (path: string | null) => (path === null ? null : absolutePath(path));

/** A misspelt variable is told like any other mistake, in words: an error that nobody catches shows source text. */
function settingsOrExit(): Settings {
  try {
    return readSettings(self.environment);
  } catch (thrown) {
    const why = thrown instanceof OlaError ? thrown.message : 'The environment cannot be read.';
    const failure = configFailure('the environment has a setting that cannot be used', why, 'ola --help');
    return self.exit(sayFailure(failure, { argv: self.programArguments, terminal }));
  }
}

async function whoHolds(home: string): Promise<RunningServer | null> {
  if (!exists(`${home}/ola.lock`)) return null;
  const lock = takeHomeLock(home, { pid: self.processId, version, address: null, configFile: null, startedAt: now() });
  if (!('heldBy' in lock)) {
    lock.release();
    return null;
  }
  const { heldBy } = lock;
  return {
    pid: heldBy?.pid ?? 0,
    version: heldBy?.version ?? 'unknown',
    address: heldBy?.address ?? 'unknown',
    configFile: heldBy?.configFile ?? null,
    startedAt: heldBy?.startedAt ?? 0,
  };
}

/**
 * Through the server that runs, else in this process over the same routes, holding the home for that moment.
 * @param configFile the file that is to govern, absolute; null: as it is
 */
async function callApi({ home, settings }: HomeSettings, call: ControlCall, configFile: string | null): Promise<ApiAnswer> {
  const socket = `${home}/control.sock`;
  if (configFile !== null) await runningDatabase(socket, configFile);
  const running = await callControl(socket, call);
  if (running !== null) return answerOf(running);
  const nowhere = { by: 'command', processProviders: [], ownListeners: () => [] } as const;
  const open = await openHome({ path: home, settings, configFile, ...nowhere, now, log: noLog });
  try {
    for (const sentence of open.predecessor.imported) terminal.err(`${sentence}\n`);
    const hosts = { bound: 'localhost', localAddresses: () => [], publicHosts: () => [] };
    const { handle } = createApp({ gateway: open.gateway, hosts, now, log: noLog });
    const { method, path, body, headers } = call;
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return await answerOf(await handle(request, inProcess));
  } finally {
    await open.close();
  }
}

/** Whoever runs the command line over the home's files owns them. */
const inProcess: Connection = { kind: 'control', peer: () => null, hold: () => undefined, release: () => undefined };

async function answerOf(response: Response): Promise<ApiAnswer> {
  try {
    return { status: response.status, body: await response.json(), etag: response.headers.get('etag') };
  } catch (cause) {
    throw new OlaError('internal_error', 'ola gave an answer that is not JSON.', { cause });
  }
}
