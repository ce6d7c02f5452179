/** The samples of Google's API, and what tests do with them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Step } from '../../../src/core/conversation.ts';
import type { Digest } from '../../../src/core/ports.ts';
import type { Making, StreamDecoder } from '../../../src/core/protocol.ts';
import { streamDecoder } from '../../../src/protocols/google-generative-ai/decode-stream.ts';
import { streamEncoder } from '../../../src/protocols/google-generative-ai/encode-stream.ts';

export type Fields = Record<string, unknown>;

const folder = join(import.meta.dir, '../fixtures/google-generative-ai');

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

/** The JSON of each event. */
export function eventsOf(stream: string): Fields[] {
  const blocks = stream.split('\n\n');
  if (blocks.pop() !== '') throw new Error('the stream does not end with a blank line');
  return blocks.map((block) => JSON.parse(block.slice('data: '.length)) as Fields);
}

/** An event as Google sends it. */
export const chunk = (fields: Fields): string => `data: ${JSON.stringify(fields)}\n\n`;

/** A chunk with these parts of the first candidate. @param rest members of the candidate */
export function parts(list: readonly Fields[], rest: Fields = {}, more: Fields = {}): string {
  return chunk({ candidates: [{ content: { role: 'model', parts: list }, index: 0, ...rest }], responseId: 'r1', ...more });
}

export const stop = parts([{ text: '' }], { finishReason: 'STOP' });
