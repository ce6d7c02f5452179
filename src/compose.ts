/** Hands every part to the others and runs one command. */
import { configFailure } from './cli/failure.ts';
import type { ApiAnswer, CliPorts, RunningServer, Terminal } from './cli/ports.ts';
import { runCli, sayFailure } from './cli/run.ts';
import { OlaError } from './core/errors.ts';
import type { Clock, Log } from './core/ports.ts';
import type { Connection } from './core/server.ts';
import { readSettings, type Settings, secretVariables } from './core/settings.ts';
import { openHome } from './home.ts';
import { createApp } from './http/app.ts';
import { callControl } from './runtime/control.ts';
import { exists } from './runtime/files.ts';
import { takeHomeLock } from './runtime/lock.ts';
import * as self from './runtime/process.ts';
import { serve } from './serve.ts';
import { version, versionLine } from './version.ts';

const now: Clock = () => Date.now();
/** A command answers by what it prints, not by a log. */
const noLog: Log = { log: () => undefined };

const terminal: Terminal = {
  out: self.standardOutput.write,
  err: self.standardError.write,
  interactive: self.standardOutput.interactive,
  watched: self.standardError.interactive,
  answerable: self.inputInteractive,
};

export async function main(): Promise<never> {
  const settings = settingsOrExit();
  self.forget(secretVariables);
  const home = settings.home ?? `${self.userHome}/.open_llm_auth`;
  const ports: CliPorts = {
    argv: self.programArguments,
    terminal,
    version: versionLine(self.platform),
    home,
    running: () => whoHolds(home),
    call: (method, path, body) => callApi(home, settings, method, path, body),
    // The demo never touches a real home, unless one was named.
    startServer: (options) =>
      serve({
        options,
        settings,
        terminal,
        now,
        home: options.demo && settings.home === null ? `${self.workingDirectory()}/.demo-home` : home,
      }),
    now,
  };
  return self.exit(await runCli(ports));
}

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
  const lock = takeHomeLock(home, { pid: self.processId, version, address: null, startedAt: now() });
  if (!('heldBy' in lock)) {
    lock.release();
    return null;
  }
  const { heldBy } = lock;
  return {
    pid: heldBy?.pid ?? 0,
    version: heldBy?.version ?? 'unknown',
    address: heldBy?.address ?? 'unknown',
    startedAt: heldBy?.startedAt ?? 0,
  };
}

/** Through the server that runs, else in this process over the same routes, holding the home for that moment. */
async function callApi(home: string, settings: Settings, method: string, path: string, body: unknown): Promise<ApiAnswer> {
  const running = await callControl(`${home}/control.sock`, method, path, body);
  if (running !== null) return answerOf(running);
  const open = await openHome({ path: home, settings, processProviders: [], ownListeners: () => [], now, log: noLog });
  try {
    const hosts = { bound: 'localhost', localAddresses: () => [], publicHosts: () => [] };
    const { handle } = createApp({ gateway: open.gateway, hosts, now, log: noLog });
    const request = new Request(`http://localhost${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
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
    return { status: response.status, body: await response.json() };
  } catch (cause) {
    throw new OlaError('internal_error', 'ola gave an answer that is not JSON.', { cause });
  }
}
