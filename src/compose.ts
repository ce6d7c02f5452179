/**
 * Hands every part to the others and runs one command. A part that only some commands need is imported when one of them
 * asks for it: the help needs none of them.
 */

import { configFailure } from './cli/failure.ts';
import type { CallOptions, CliPorts, Terminal } from './cli/ports.ts';
import { runCli, sayFailure } from './cli/run.ts';
import { OlaError } from './core/errors.ts';
import type { Clock } from './core/ports.ts';
import { readSettings, type Settings, secretVariables } from './core/settings.ts';
import { absolutePath, personsFiles } from './runtime/named-files.ts';
import { standardError, standardOutput } from './runtime/output.ts';
import * as self from './runtime/process.ts';
import { openDialogue, readInput, runEditor } from './runtime/terminal.ts';
import { versionLine } from './runtime/version.ts';

const now: Clock = () => Date.now();

const terminal: Terminal = {
  out: standardOutput.write,
  err: standardError.write,
  interactive: standardOutput.interactive,
  get columns() {
    return standardOutput.columns();
  },
  unicode: self.unicode,
  watched: standardError.interactive,
  get dialogue() {
    return openDialogue();
  },
};

export async function main(): Promise<never> {
  const settings = settingsOrExit();
  self.forget(secretVariables);
  const home = absolutePath(settings.home ?? `${self.userHome}/.open_llm_auth`);
  // The demo never touches the data of a real home, its database elsewhere included, unless a home was named.
  const demo = settings.home === null ? portsOver(`${home}/demo`, null, { ...settings, databasePath: null }) : null;
  return self.exit(await runCli(portsOver(home, demo, settings)));
}

/** @param demo the ports over the home of the demo */
function portsOver(home: string, demo: CliPorts | null, settings: Settings): CliPorts {
  return {
    argv: self.programArguments,
    terminal,
    version: versionLine(self.platform),
    home,
    homeFrom: settings.home === null ? 'default' : 'environment',
    demo,
    running: async () => (await import('./upkeep/calls.ts')).whoHolds(home, now),
    async call(method, path, body, { headers = {}, configFile = null }: CallOptions = {}) {
      const { callApi } = await import('./upkeep/calls.ts');
      const place = { home, settings, configFile: absoluteOrNull(configFile) };
      return callApi({ method, path, body, headers }, place, { now, tell: terminal.err });
    },
    async startServer(options) {
      if (options.demo && demo !== null) return demo.startServer(options);
      const { serve } = await import('./serve/serve.ts');
      return serve({ options, settings, terminal, now, home, configFile: absoluteOrNull(options.config) });
    },
    files: personsFiles(home),
    readInput,
    editor: runEditor,
    async backUp({ configFile, ...wanted }) {
      const { backUp } = await import('./upkeep/backup.ts');
      return backUp(wanted, { home, settings, configFile: absoluteOrNull(configFile), now });
    },
    async restore({ configFile, ...wanted }) {
      const { restore } = await import('./upkeep/restore.ts');
      return restore(wanted, { home, settings, configFile: absoluteOrNull(configFile), now });
    },
    now,
  };
}

const absoluteOrNull = (path: string | null) => (path === null ? null : absolutePath(path));

/** A misspelt variable is told like any other mistake, in words: an error that nobody catches shows source text. */
function settingsOrExit(): Settings {
  try {
    return readSettings(self.environment);
  } catch (thrown) {
    const why = thrown instanceof OlaError ? thrown.message : 'The environment cannot be read.';
    const name = thrown instanceof OlaError ? thrown.facts.param : undefined;
    const next = name === undefined ? 'ola --help' : `unset ${name}, or set it to another value`;
    const failure = configFailure('the environment has a setting that cannot be used', why, next);
    return self.exit(sayFailure(failure, { argv: self.programArguments, terminal }));
  }
}
