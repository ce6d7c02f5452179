/** `ola version`. */
import { command } from '../command.ts';
import { exitCodes } from '../ports.ts';
import { jsonText } from '../text.ts';
import { json } from '../values.ts';

export const version = command({
  path: ['version'],
  summary: 'Show the version',
  options: { json },
  arguments: {},
  examples: [
    { command: 'ola version', note: 'the line that --version prints' },
    { command: 'ola version --json', note: 'number, commit, runtime and platform as fields' },
  ],
  async run({ ports }, { json: asJson }) {
    ports.terminal.out(asJson ? jsonText(parts(ports.version)) : `${ports.version}\n`);
    return exitCodes.ok;
  },
});

/** The parts of `ola 0.1.0 (abc1234) bun 1.4.5 linux-x64`; a missing part is null. */
function parts(line: string) {
  const [, number, commit, runtime, platform] = /^ola (\S+)(?: \((\S+)\))?(?: (bun \S+))?(?: (\S+))?$/.exec(line) ?? [];
  return { version: number ?? line, commit: commit ?? null, runtime: runtime ?? null, platform: platform ?? null };
}
