/**
 * The home that a command works on while the demo runs. Reads and tokens are about the demo when it is the only server, because
 * its user has nothing else; a change is about it only with --demo, because it could be meant for the home.
 */
import type { Choice } from './command.ts';
import type { CliPorts } from './ports.ts';
import { printable } from './text.ts';
import { flag } from './values.ts';

/** `--demo` of the commands that change something besides tokens. */
export const demoOption = flag('work on the data of the demo (ola serve --demo)');

export interface ChosenHome {
  /** The ports over that home. */
  readonly ports: CliPorts;
  /** A line for stderr before the command runs; null when there is nothing to say. */
  readonly before: string | null;
  /** The same for after its success. */
  readonly after: string | null;
}

export async function homeOf(ports: CliPorts, { command, options }: Choice): Promise<ChosenHome> {
  const { demo } = ports;
  const own = { ports, before: null, after: null };
  // A configuration file that is typed is that of a server, and the demo has none.
  if (demo === null || command.onDemo === undefined || typeof options['config'] === 'string') return own;
  if (options['demo'] === true) return { ...own, ports: demo };
  if ((await ports.running()) !== null || (await demo.running()) === null) return own;
  const [home, demoHome] = [ports.home, demo.home].map(printable);
  if (command.onDemo === 'asked') {
    return { ...own, after: `This was about ${home}. With --demo it is about the demo that runs, in ${demoHome}.\n` };
  }
  return { ...own, ports: demo, before: `No server runs on ${home}. This is about the demo that runs, in ${demoHome}.\n` };
}
