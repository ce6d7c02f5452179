/** `ola help`: of a command, or of a topic that belongs to none. */
import { command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { exitCodes } from '../ports.ts';
import { rest } from '../values.ts';

const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'it is done, or all is well',
  failure: 'it failed; stderr says why',
  usage: 'what was typed cannot be meant; nothing was done',
  configInvalid: 'the configuration or the environment is not valid',
  authNeeded: 'a credential is missing, expired or not enough',
  unreachable: 'no gateway runs, or it does not answer',
  cancelled: 'stopped by Ctrl-C',
};

/** Topics by name; each is the text that `ola help NAME` prints. */
export const topics: ReadonlyMap<string, string> = new Map([
  [
    'exit-codes',
    `Exit codes\n\n${Object.entries(exitCodeMeanings)
      .map(([name, meaning]) => `${String(exitCodes[name as keyof typeof exitCodes]).padStart(5)}  ${meaning}\n`)
      .join('')}`,
  ],
]);

export const help = command({
  path: ['help'],
  summary: 'Show help for a command or a topic',
  description: `Topics: ${[...topics.keys()].join(', ')}.`,
  options: {},
  arguments: { topic: rest('a command (token create) or a topic') },
  examples: [
    { command: 'ola help token create', note: 'the same as ola token create --help' },
    { command: 'ola help exit-codes', note: 'what scripts can rely on' },
  ],
  async run({ ports, help: helpOf }, _options, { topic }) {
    const text = topics.get(topic.join(' ')) ?? helpOf(topic);
    if (text === null) {
      const known = `Topics: ${[...topics.keys()].join(', ')}; every command has help too.`;
      throw usageFailure(`no help for '${topic.join(' ')}'`, known, 'ola help');
    }
    ports.terminal.out(text);
    return exitCodes.ok;
  },
});
