/** The samples of Anthropic's API, and what tests do with them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Step } from '../../../src/core/conversation.ts';
import type { Digest } from '../../../src/core/ports.ts';
import type { Making, StreamDecoder } from '../../../src/core/protocol.ts';
import { streamDecoder } from '../../../src/protocols/anthropic-messages/decode-stream.ts';
import { streamEncoder } from '../../../src/protocols/anthropic-messages/encode-stream.ts';

export type Fields = Record<string, unknown>;

const folder = join(import.meta.dir, '../fixtures/anthropic-messages');

/** @param kind `request`, `answer` or `stream`. @returns names and texts */
export function samples(kind: string): [string, string][] {
  const names = readdirSync(folder).filter((name) => name.startsWith(`${kind}-`));
  return names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
}

/** Not SHA-256, which belongs to the platform, but as long, and as good at telling texts apart here. */
export const digest: Digest = (text) =>
  Array.from({ length: 8 }, (_, salt) =>
    [...text].reduce((sum, each) => Math.imul(sum ^ (each.codePointAt(0) ?? 0), 16_777_619) >>> 0, 2_166_136_261 + salt),
  )
    .map((word) => word.toString(36).padStart(7, '0'))
    .join('')
    .slice(0, 43);

export const making: Making = { id: 'req-1', createdAt: 1_700_000_000, model: 'asked/model', request: {} };

const encoder = new TextEncoder();

export interface Decoded {
  readonly steps: readonly Step[];
  readonly fault: StreamDecoder['fault'];
  readonly failure: StreamDecoder['failure'];
}

/** @param pieces bytes or texts as they come; the end is in order */
export function decoded(...pieces: readonly (string | Uint8Array)[]): Decoded {
  const decoder = streamDecoder();
  const steps: Step[] = [];
  const take = (step: Step): void => {
    steps.push(step);
  };
  for (const piece of pieces) decoder.push(typeof piece === 'string' ? encoder.encode(piece) : piece.slice(), take);
  decoder.finish(take);
  decoder.close();
  return { steps, fault: decoder.fault, failure: decoder.failure };
}

export function encoded(steps: Iterable<Step>): string {
  const encoding = streamEncoder(making);
  return [...steps].map((step) => encoding.encode(step)).join('');
}

/** The JSON of each event, whose name must be its type. */
export function eventsOf(stream: string): Fields[] {
  const blocks = stream.split('\n\n');
  if (blocks.pop() !== '') throw new Error('the stream does not end with a blank line');
  return blocks.map((block) => {
    const [name, data] = block.split('\n');
    const event = JSON.parse(data!.slice('data: '.length)) as Fields;
    if (name !== `event: ${String(event['type'])}`) throw new Error(`${name} is not the type of ${data}`);
    return event;
  });
}

/** An event as Anthropic sends it. */
export function event(fields: Fields): string {
  return `event: ${String(fields['type'])}\ndata: ${JSON.stringify(fields)}\n\n`;
}
export const begin = event({
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    usage: { input_tokens: 5, output_tokens: 1 },
  },
});
export const blockStart = (index: number, block: Fields) => event({ type: 'content_block_start', index, content_block: block });
export const delta = (index: number, fields: Fields) => event({ type: 'content_block_delta', index, delta: fields });
export const blockStop = (index: number) => event({ type: 'content_block_stop', index });
export const ending = (reason: string) =>
  event({ type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: 9 } }) +
  event({ type: 'message_stop' });
