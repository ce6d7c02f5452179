/** Owns what is played with an agent: each step has a model that is a script, and says what did not hold in the end. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Asked, Script } from '../../test/e2e/doubles/script.ts';
import type { Outcome } from './claude-code.ts';

/** The stage of one step. */
export interface World {
  /** The directory that the agent works in. */
  readonly work: string;
  /** The requests that its model got. */
  readonly asked: readonly Asked[];
  /** Bodies of these requests, as they came. */
  readonly bodies: readonly string[];
  /** Whether reasoning reached the upstream again as it was. */
  readonly signs: boolean;
  prompt(text: string, resume?: string): Promise<Outcome>;
}

export interface Step {
  readonly id: string;
  /** For people: what is done. */
  readonly what: string;
  readonly script: Script;
  /** The model's id, where the agent knows models of that name; else the step's. */
  readonly model?: string;
  /** Variables of the agent's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Only an upstream of Anthropic's protocol has the case. */
  readonly anthropicAlone?: boolean;
  /** @returns what did not hold; empty: all did */
  play(world: World): Promise<string[]>;
}

const done = 'The work is done.';

/** Answers in turn, by the number of answers that the conversation has. */
const inTurn =
  (...replies: readonly Script[]): Script =>
  (asked) =>
    (replies[Math.min(asked.answers, replies.length - 1)] as Script)(asked);

/** @returns the words for each that does not hold */
const faults = (...checks: readonly (readonly [holds: boolean, words: string])[]): string[] =>
  checks.filter(([holds]) => !holds).map(([, words]) => words);

const ended = ({ code, isError, output }: Outcome): readonly [boolean, string] => [
  code === 0 && !isError,
  `it ended with ${code}: ${output}`,
];
const said = ({ result }: Outcome, words: string): readonly [boolean, string] => [
  result.includes(words),
  `it says '${result.slice(0, 300)}', not '${words}'`,
];

const fileIn = (world: Pick<World, 'work'>, name: string): string => join(world.work, name);
function contentOf(world: World, name: string): string | null {
  try {
    return readFileSync(fileIn(world, name), 'utf8');
  } catch {
    return null;
  }
}

/** The agent tells its working directory in the request; scripts name files in it by paths that are whole. */
export function stepsFor(work: string): readonly Step[] {
  const path = (name: string) => join(work, name);
  const call = (name: string, input: Readonly<Record<string, unknown>>) => ({ name, input });
  const read = (name: string) => call('Read', { file_path: path(name) });
  const write = (name: string, content: string) => call('Write', { file_path: path(name), content });
  const edit = call('Edit', { file_path: path('notes.txt'), old_string: 'old words', new_string: 'new “words” ü' });
  const reasoning = 'The file has to be read before it is edited.';

  const thinking: Pick<Step, 'script' | 'play'> = {
    script: inTurn(
      () => ({ reasoning, calls: [read('notes.txt')] }),
      () => ({ reasoning: `${reasoning} Now.`, calls: [edit] }),
      () => ({ reasoning: `${reasoning} Again.`, calls: [write('more.txt', 'more')] }),
      () => ({ text: done }),
    ),
    async play(world) {
      writeFileSync(fileIn(world, 'notes.txt'), 'old words\n');
      const outcome = await world.prompt('Change the notes, and think.');
      const last = world.bodies.at(-1) ?? '';
      return faults(
        ended(outcome),
        said(outcome, done),
        [contentOf(world, 'more.txt') === 'more', 'the last file was not written'],
        [!world.signs || last.includes(`${reasoning} Again.`), 'the reasoning did not come back to its maker'],
        [!last.includes('ola-r1.'), 'a wrapper reached the upstream'],
      );
    },
  };

  return [
    {
      id: 'text',
      what: 'a text turn',
      script: () => ({ text: 'Good morning from the model.' }),
      async play(world) {
        const outcome = await world.prompt('Say good morning.');
        return faults(ended(outcome), said(outcome, 'Good morning from the model.'));
      },
    },
    {
      id: 'edit',
      what: 'a file is read and edited',
      script: inTurn(
        () => ({ text: 'I look first.', calls: [read('notes.txt')] }),
        () => ({ calls: [edit] }),
        () => ({ text: done }),
      ),
      async play(world) {
        writeFileSync(fileIn(world, 'notes.txt'), 'first\nold words\nlast\n');
        const outcome = await world.prompt('Change the notes.');
        const content = contentOf(world, 'notes.txt');
        const seen = world.asked[1]?.results[0]?.text ?? '';
        return faults(
          ended(outcome),
          said(outcome, done),
          [content === 'first\nnew “words” ü\nlast\n', `the file has: ${content}`],
          [seen.includes('old words'), `the model did not get what was read: ${seen}`],
        );
      },
    },
    {
      id: 'parallel',
      what: 'three calls in one answer',
      script: inTurn(
        () => ({ calls: [write('one.txt', 'one'), write('two.txt', 'two'), write('three.txt', 'three')] }),
        () => ({ text: done }),
      ),
      async play(world) {
        const outcome = await world.prompt('Write three files.');
        const contents = ['one', 'two', 'three'].map((name) => contentOf(world, `${name}.txt`));
        const results = world.asked[1]?.results ?? [];
        return faults(
          ended(outcome),
          [contents.join() === 'one,two,three', `the files have: ${contents.join()}`],
          [results.length === 3, `the model got ${results.length} results`],
          [new Set(results.map(({ callId }) => callId)).size === 3, 'ids of calls are not distinct'],
        );
      },
    },
    {
      id: 'image',
      what: 'an image is read by a tool',
      script: inTurn(
        () => ({ calls: [read('dot.png')] }),
        () => ({ text: done }),
      ),
      async play(world) {
        writeFileSync(fileIn(world, 'dot.png'), Buffer.from(dot, 'base64'));
        const outcome = await world.prompt('Look at the picture.');
        const [image = ''] = world.asked[1]?.images ?? [];
        const body = world.bodies[1] ?? '';
        return faults(
          ended(outcome),
          said(outcome, done),
          [image.length > 20, 'the model got no image'],
          [body.split(image).length === 2, 'the image is not in the request exactly once'],
        );
      },
    },
    { id: 'thinking', what: 'reasoning before tool calls, over four requests', ...thinking },
    {
      id: 'budget',
      what: 'the same with a model that refuses calls without their reasoning',
      model: 'claude-sonnet-4-5-20250929',
      environment: { MAX_THINKING_TOKENS: '4096' },
      ...thinking,
    },
    {
      id: 'resume',
      what: 'a session that is resumed',
      script: ({ answers }) => ({ text: answers === 0 ? 'The word is heron.' : 'It was heron.' }),
      async play(world) {
        const first = await world.prompt('Think of a word.');
        const second = await world.prompt('Which word was it?', first.session);
        const history = world.bodies.at(-1) ?? '';
        return faults(ended(first), ended(second), said(second, 'It was heron.'), [
          history.includes('The word is heron.'),
          'the model did not get the first answer again',
        ]);
      },
    },
    {
      id: 'interrupted',
      what: 'the upstream breaks off in its answer',
      script: () => ({ text: 'This answer is cut before its', breaksOff: true }),
      async play(world) {
        const outcome = await world.prompt('Answer at length.');
        return faults(
          [outcome.isError && outcome.code !== 0, `it took it for an answer: ${outcome.output}`],
          [/API Error|error/i.test(outcome.result), `it says '${outcome.result}'`],
        );
      },
    },
    {
      id: 'overflow',
      what: 'a context that is too long',
      script: () => overflow,
      async play(world) {
        const outcome = await world.prompt('Read all of it.');
        return faults([outcome.isError, `no error: ${outcome.output}`], said(outcome, 'Prompt is too long'));
      },
    },
    {
      id: 'capability',
      what: 'a beta that the upstream refuses',
      anthropicAlone: true,
      script: ({ roles }) => (roles.includes('system') ? noSystemTurns : { text: done }),
      async play(world) {
        const outcome = await world.prompt('Say good morning.');
        return faults(ended(outcome), said(outcome, done), [
          world.asked.length === 2,
          `the model was asked ${world.asked.length} times, not once more`,
        ]);
      },
    },
    {
      id: 'count',
      what: 'the size of the context, by a count of tokens',
      script: () => ({ text: done }),
      async play(world) {
        const outcome = await world.prompt('/context');
        return faults(ended(outcome), said(outcome, 'Context Usage'), [
          world.asked.length === 0,
          'the tokens were counted by answers of the model',
        ]);
      },
    },
    {
      id: 'limited',
      what: 'a rate limit without an end',
      script: () => ({
        status: 429,
        type: 'rate_limit_error',
        message: 'Number of requests has exceeded your rate limit.',
        headers: { 'retry-after': '1' },
      }),
      async play(world) {
        const outcome = await world.prompt('Say good morning.');
        return faults(
          [outcome.isError, `no error: ${outcome.output}`],
          [/rate limit|429/i.test(outcome.result), `it says '${outcome.result}'`],
        );
      },
    },
  ];
}

/** In the words of both vendors: each one's clients know theirs alone. */
const overflow = {
  status: 400,
  type: 'invalid_request_error',
  code: 'context_length_exceeded',
  message: 'prompt is too long: 250000 tokens > 200000 maximum',
};

/** The words by which the client knows that it must do without system turns in the conversation. */
const noSystemTurns = {
  status: 400,
  type: 'invalid_request_error',
  message:
    'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" as an input message role.',
};

/** A picture of 1 x 1. */
const dot = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
