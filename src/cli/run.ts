/** One run of the command line: parse the typed words, run the command, return its exit code. */
import { commands, groups } from './commands/all.ts';
import { topics } from './commands/help.ts';
import { homeOf } from './demo-home.ts';
import { asFailure, type Failure, renderFailure } from './failure.ts';
import { choosePlain } from './plain.ts';
import type { CliPorts, ExitCode } from './ports.ts';
import { exitCodes } from './ports.ts';
import type { Program } from './program.ts';

const epilogue = `
Start with:
  ola serve --demo
  ola token create laptop

More: ola COMMAND --help, ${[...topics.keys()].map((topic) => `ola help ${topic}`).join(', ')}
`;

/**
 * Runs one command. Data and help go to stdout, everything else to stderr.
 * @returns the exit code (`ola help exit-codes`). Never throws
 */
export async function runCli(ports: CliPorts): Promise<ExitCode> {
  const { argv } = ports;
  let typed = 'ola';
  try {
    const choice = choosePlain(commands, argv) ?? (await programOf(ports)).choose(argv);
    if (choice === null) return exitCodes.ok;
    typed = ['ola', ...choice.command.path].join(' ');
    const { ports: over, before, after } = await homeOf(ports, choice);
    const say = (line: string | null) => line !== null && !wantsJson(argv) && ports.terminal.err(line);
    say(before);
    const help = async (path: readonly string[]) => (await programOf(ports)).help(path);
    const exit = await choice.command.run({ ports: over, help }, choice.options, choice.args);
    if (exit === exitCodes.ok) say(after);
    return exit;
  } catch (thrown) {
    return sayFailure(asFailure(thrown, typed), ports);
  }
}

async function programOf({ terminal, version }: CliPorts): Promise<Program> {
  const { buildProgram } = await import('./program.ts');
  return buildProgram({ commands, groups, version, epilogue }, terminal.out);
}

/** Prints a failure; also used for one that happens before a command is chosen. */
export function sayFailure({ facts }: Failure, { argv, terminal }: Pick<CliPorts, 'argv' | 'terminal'>): ExitCode {
  terminal.err(renderFailure(facts, wantsJson(argv)));
  return facts.exitCode;
}

/** Looks for `--json` in the raw words, because the failure may be that they cannot be parsed. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}
