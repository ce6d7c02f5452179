/**
 * Tries the fence of the programs that ola runs: the real Claude Code, installed from npm, run by ola's own code over a double
 * of Anthropic's API whose model asks for files and whose user names them. No byte of a planted file may reach the double.
 * Prints what was tried, and ends with 1 when something got through. Not part of the tests: the client is 235 MB.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Answer } from '../src/core/conversation.ts';
import type { UpstreamFailure } from '../src/core/protocol.ts';
import { noQuirks } from '../src/core/providers.ts';
import { createProgramCalls } from '../src/gateway/inference/program-calls.ts';
import { readAtMost } from '../src/gateway/inference/read-body.ts';
import { anthropicMessages } from '../src/protocols/anthropic-messages/protocol.ts';
import { claudeCliOver } from '../src/protocols/claude-cli/protocol.ts';
import { createPrograms } from '../src/runtime/programs.ts';
import { install } from './agents/claude-code.ts';

const help = `Usage: node scripts/bootstrap.mjs run scripts/clis.ts -- [options]

  --client DIRECTORY  keep the client there, and take it from there (default: a temporary directory)
`;

const planted = 'PLANTED-7d1f0c';
const model = 'claude-sonnet-4-5';
const say = (words: string): void => console.log(`clis: ${words}`);

type Fields = Readonly<Record<string, unknown>>;

const eventOf = (event: Fields): string => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`;

/** @param blocks of the answer. @param stop why it ends */
function streamOf(blocks: readonly Fields[], stop: string): Response {
  const usage = { input_tokens: 10, output_tokens: 1 };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model, content: [], stop_reason: null, usage };
  const parts = blocks.flatMap((block, index) => [
    {
      type: 'content_block_start',
      index,
      content_block: { ...block, ...(block['type'] === 'text' ? { text: '' } : { input: {} }) },
    },
    { type: 'content_block_delta', index, delta: deltaOf(block) },
    { type: 'content_block_stop', index },
  ]);
  const end = [
    { type: 'message_delta', delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 5 } },
    { type: 'message_stop' },
  ];
  const text = [{ type: 'message_start', message }, ...parts, ...end].map(eventOf).join('');
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
}

function deltaOf(block: Fields): Fields {
  if (block['type'] === 'text') return { type: 'text_delta', text: block['text'] };
  return { type: 'input_json_delta', partial_json: JSON.stringify(block['input']) };
}

/** The calls with which a model would get at a file. */
function callsFor(file: string): readonly Fields[] {
  const calls: readonly (readonly [string, Fields])[] = [
    ['Read', { file_path: file }],
    ['Bash', { command: `cat ${file}` }],
    ['Grep', { pattern: '.', path: file, output_mode: 'content' }],
    ['Glob', { pattern: '**' }],
    ['Task', { description: 'd', prompt: `cat ${file}`, subagent_type: 'general-purpose' }],
    ['WebFetch', { url: `file://${file}`, prompt: 'p' }],
  ];
  return calls.map(([name, input], index) => ({ type: 'tool_use', id: `toolu_${index}`, name, input }));
}

interface Place {
  readonly home: string;
  readonly bin: string;
  readonly file: string;
}

/** Files that must stay on the host: one that is named, and those that the program would read by itself. */
function plant(directory: string): Place {
  const place = { home: join(directory, 'home'), bin: join(directory, 'bin'), file: join(directory, 'planted.txt') };
  const settings = join(place.home, '.claude');
  for (const each of [settings, place.bin, join(settings, 'commands')]) mkdirSync(each, { recursive: true });
  writeFileSync(place.file, `${planted} of a file\n`);
  writeFileSync(join(settings, 'CLAUDE.md'), `${planted} of CLAUDE.md\n`);
  writeFileSync(join(settings, 'commands/leak.md'), `${planted} of a command\n`);
  const hook = [{ hooks: [{ type: 'command', command: `cat ${place.file}` }] }];
  writeFileSync(join(settings, 'settings.json'), JSON.stringify({ hooks: { UserPromptSubmit: hook, SessionStart: hook } }));
  return place;
}

/** The program under its name, with the double's address: ola hands it three variables and no others. */
function wrap(program: string, { bin }: Place, port: number): void {
  const variables = `ANTHROPIC_BASE_URL=http://127.0.0.1:${port} ANTHROPIC_API_KEY=key-of-the-double`;
  writeFileSync(join(bin, 'claude'), `#!/bin/sh\nexec env ${variables} '${program}' "$@"\n`, { mode: 0o755 });
}

interface Attempt {
  readonly what: string;
  readonly prompt: (file: string) => string;
  /** The model asks for files before it answers. */
  readonly asks: boolean;
}

const attempts: readonly Attempt[] = [
  { what: 'a plain question', prompt: () => 'Say hello.', asks: false },
  { what: 'a model that calls tools', prompt: (file) => `Read ${file}.`, asks: true },
  { what: 'a prompt that names the file', prompt: (file) => `See @${file} and @"${file}" and @${file}#L1-9`, asks: false },
  { what: 'a prompt that names the directory', prompt: (file) => `See @${join(file, '..')}/`, asks: false },
  { what: 'a command of the user', prompt: () => '/leak', asks: false },
  { what: 'a command of the program', prompt: () => '/memory', asks: false },
];

async function tryOne(attempt: Attempt, place: Place, program: string): Promise<readonly string[]> {
  const seen: string[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const text = await request.text();
      if (request.method !== 'POST') return new Response();
      seen.push(text);
      if (attempt.asks && seen.length === 1) return streamOf(callsFor(place.file), 'tool_use');
      return streamOf([{ type: 'text', text: 'the answer' }], 'end_turn');
    },
  });
  try {
    wrap(program, place, server.port ?? 0);
    const answer = await ask(attempt.prompt(place.file), place);
    return [
      ...(seen.length === 0 ? ['the double was not asked'] : []),
      ...(seen.some((text) => text.includes(planted)) ? ['a planted file reached the double'] : []),
      ...(textOf(answer) === 'the answer' ? [] : [`the answer was ${JSON.stringify(answer)}`]),
    ];
  } finally {
    await server.stop(true);
  }
}

const textOf = (answer: Answer | UpstreamFailure): string =>
  'kind' in answer ? '' : answer.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');

async function ask(prompt: string, { home, bin }: Place): Promise<Answer | UpstreamFailure> {
  const chat = claudeCliOver(anthropicMessages).chat;
  const conversation = anthropicMessages.chat.decodeRequest({
    model,
    max_tokens: 100,
    messages: [{ role: 'user', content: prompt }],
  });
  const to = { id: model, provider: 'claude-cli', protocol: 'claude-cli', quirks: noQuirks, facts: null, maker: 'script' };
  const { program } = chat.encodeRequest(conversation, to, (text) => text);
  if (program === undefined) throw new Error('no program is called');
  const programs = createPrograms({ PATH: `${bin}:${process.env['PATH']}`, HOME: home, LANG: 'C.UTF-8' });
  const caller = { provider: 'claude-cli', timeouts: undefined, signal: AbortSignal.timeout(120_000) };
  const reply = await createProgramCalls(programs).run(program, caller);
  return chat.decodeAnswer((await readAtMost(reply, { limit: 1 << 26, first: null })) ?? '');
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { client: { type: 'string' }, help: { type: 'boolean', default: false } } });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const directory = mkdtempSync(join(tmpdir(), 'ola-clis-'));
  try {
    const program = install(values.client ?? join(directory, 'client'));
    const place = plant(directory);
    let failed = false;
    for (const attempt of attempts) {
      const faults = await tryOne(attempt, place, program);
      failed ||= faults.length > 0;
      say(`${attempt.what}: ${faults.length === 0 ? 'ok' : faults.join('; ')}`);
    }
    return failed ? 1 : 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

process.exitCode = await main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  return 1;
});
