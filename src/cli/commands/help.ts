/** `ola help`: the help of a command, or of a topic that belongs to no single command. */
import { command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { exitCodes } from '../ports.ts';
import { rest } from '../values.ts';

const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'success',
  failure: 'failure; stderr says why',
  usage: 'usage error; nothing was done',
  configInvalid: 'the configuration or the environment is not valid',
  authNeeded: 'a token is missing, expired or lacks a scope',
  unreachable: 'no server is running, or it does not answer',
  cancelled: 'cancelled with Ctrl-C',
};

/** The texts that `ola help NAME` prints, by name of the topic. */
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
  arguments: { topic: rest('a command, such as token create, or a topic') },
  examples: [
    { command: 'ola help token create', note: 'the same as ola token create --help' },
    { command: 'ola help exit-codes', note: 'what scripts can rely on' },
  ],
  async run({ ports, help: helpOf }, _options, { topic }) {
    const text = topics.get(topic.join(' ')) ?? (await helpOf(topic));
    if (text === null) {
      const known = `Topics: ${[...topics.keys()].join(', ')}; every command has help as well.`;
      throw usageFailure(`no help for '${topic.join(' ')}'`, known, 'ola help');
    }
    ports.terminal.out(text);
    return exitCodes.ok;
  },
});
