/** One run of the command line: choose, do, and say by the exit code how it went. */
import { commands, groups } from './commands/all.ts';
import { topics } from './commands/help.ts';
import { asFailure, type Failure, renderFailure } from './failure.ts';
import type { CliPorts, ExitCode } from './ports.ts';
import { exitCodes } from './ports.ts';
import { buildProgram } from './program.ts';

const epilogue = `
Start with:
  ola serve --demo
  ola token create laptop

More: ola COMMAND --help, ${[...topics.keys()].map((topic) => `ola help ${topic}`).join(', ')}
`;

/**
 * Runs one command. stdout gets data and help, stderr the rest.
 * @returns the exit code (`ola help exit-codes`); it never throws
 */
export async function runCli(ports: CliPorts): Promise<ExitCode> {
  const { argv, terminal, version } = ports;
  let typed = 'ola';
  try {
    const program = buildProgram({ commands, groups, version, epilogue }, (text) => terminal.out(text));
    const choice = program.choose(argv);
    if (choice === null) return exitCodes.ok;
    typed = ['ola', ...choice.command.path].join(' ');
    return await choice.command.run({ ports, help: program.help }, choice.options, choice.args);
  } catch (thrown) {
    return sayFailure(asFailure(thrown, typed), ports);
  }
}

/** For a failure that came before any command was chosen, too. */
export function sayFailure({ facts }: Failure, { argv, terminal }: Pick<CliPorts, 'argv' | 'terminal'>): ExitCode {
  terminal.err(renderFailure(facts, wantsJson(argv)));
  return facts.exitCode;
}

/** Asked before the arguments are understood, because that is what may fail. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}
