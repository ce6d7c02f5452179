/** The samples of OpenAI's responses, and what tests do with them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fold } from '../../../src/core/answers.ts';
import type { Answer, Step } from '../../../src/core/conversation.ts';
import type { Making, StreamDecoder } from '../../../src/core/protocol.ts';
import { streamDecoder } from '../../../src/protocols/openai-responses/decode-stream.ts';
import { streamEncoder } from '../../../src/protocols/openai-responses/encode-stream.ts';

export type Fields = Readonly<Record<string, unknown>>;

const folder = join(import.meta.dir, '../fixtures/openai-responses');

/** @param kind `request` or `stream`. @returns names and texts */
export function samples(kind: string): [string, string][] {
  const names = readdirSync(folder).filter((name) => name.startsWith(`${kind}-`));
  return names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
}

export const making: Making = { id: 'req-1', createdAt: 1_700_000_000, model: 'asked/model', request: {} };

const encoder = new TextEncoder();

export interface Decoded {
  readonly steps: readonly Step[];
  readonly answer: Answer;
  readonly ended: boolean;
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
  const ended = steps.at(-1)?.type === 'end';
  return { steps, answer: fold(steps), ended, fault: decoder.fault, failure: decoder.failure };
}

export function encoded(steps: Iterable<Step>, more: Partial<Making> = {}): string {
  const encoding = streamEncoder({ ...making, ...more });
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
