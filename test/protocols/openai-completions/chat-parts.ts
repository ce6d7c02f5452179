/** Parts of tests of the chat codec. */
import { expect } from 'bun:test';
import { createHash } from 'node:crypto';
import { fold } from '../../../src/core/answers.ts';
import type { Answer, Conversation, Part, Step, Turn } from '../../../src/core/conversation.ts';
import { noSampling } from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import type { EncodedRequest, Making, StreamFault, UpstreamFailure, UpstreamModel } from '../../../src/core/protocol.ts';
import { chat } from '../../../src/protocols/openai-completions/chat.ts';
import { upstreamModel } from '../upstream-model.ts';

export type Fields = Record<string, unknown>;

export const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

export const making: Making = { id: 'ola-1', createdAt: 1_760_000_000, model: 'asked', request: {} };

/** A conversation as the codec of another protocol makes it. */
export function conversation(turns: readonly Turn[], rest: Partial<Conversation> = {}): Conversation {
  return {
    system: [],
    turns,
    tools: [],
    toolChoice: null,
    parallelTools: null,
    maxTokens: null,
    sampling: noSampling,
    stop: [],
    format: null,
    reasoning: null,
    cacheKey: null,
    user: null,
    stream: false,
    extras: {},
    unknown: [],
    ...rest,
  };
}

export const user = (...parts: (Part | string)[]): Turn => ({ role: 'user', parts: parts.map(asPart) });
export const assistant = (...parts: (Part | string)[]): Turn => ({ role: 'assistant', parts: parts.map(asPart) });
export const system = (...parts: (Part | string)[]): Turn => ({ role: 'system', parts: parts.map(asPart) });
const asPart = (part: Part | string): Part => (typeof part === 'string' ? { type: 'text', text: part } : part);

export const call = (id: string, name = 'look', args = '{}'): Part => ({
  type: 'toolCall',
  id,
  name,
  kind: 'function',
  arguments: args,
});
export const result = (callId: string, ...parts: (Part | string)[]): Part => ({
  type: 'toolResult',
  callId,
  parts: parts.map(asPart),
  isError: false,
});
export const image = (data: string): Part => ({
  type: 'media',
  kind: 'image',
  source: { data, mime: 'image/png', detail: null },
  name: null,
  field: 'messages.1.content.0',
});

/** The body that an upstream gets, parsed. */
export function sent(asked: Conversation, to: Partial<UpstreamModel> = {}): { body: Fields; encoded: EncodedRequest } {
  const encoded = chat.encodeRequest(asked, upstreamModel('m', to), digest);
  return { body: JSON.parse(encoded.body) as Fields, encoded };
}

export function messagesSent(asked: Conversation, to: Partial<UpstreamModel> = {}): Fields[] {
  return sent(asked, to).body['messages'] as Fields[];
}

/** The field that a refusal names. */
export function refusedField(make: () => unknown): string | undefined {
  try {
    make();
  } catch (error) {
    if (error instanceof OlaError && error.code === 'invalid_request' && error.message.length > 20) return error.facts.param;
    throw error;
  }
  throw new Error('nothing was refused');
}

export interface Seen {
  readonly steps: readonly Step[];
  readonly answer: Answer;
  readonly ended: boolean;
  readonly fault: StreamFault | null;
  readonly failure: UpstreamFailure | null;
}

const encoder = new TextEncoder();

/** Decodes bytes in pieces, up to an orderly end. */
export function decodeBytes(pieces: readonly Uint8Array[]): Seen {
  const decoder = chat.streamDecoder();
  const steps: Step[] = [];
  const take = (step: Step) => steps.push(step);
  for (const piece of pieces) decoder.push(piece.slice(), take);
  decoder.finish(take);
  decoder.close();
  const { fault, failure } = decoder;
  return { steps, answer: fold(steps), ended: steps.at(-1)?.type === 'end', fault, failure };
}

export function decodeText(text: string): Seen {
  return decodeBytes([encoder.encode(text)]);
}

const chunkHead = { id: 'chatcmpl-7', object: 'chat.completion.chunk', created: 1, model: 'up' };

export function chunk(delta: object, finish: string | null = null, rest: object = {}): string {
  return `data: ${JSON.stringify({ ...chunkHead, choices: [{ index: 0, delta, finish_reason: finish }], ...rest })}\n\n`;
}

export const done = 'data: [DONE]\n\n';

/** A fragment of a tool call. */
export const fragment = (index: number, made: object, rest: object = {}): string =>
  chunk({ tool_calls: [{ index, ...rest, function: made }] });

export const stop = chunk({}, 'stop') + done;

/** Decodes a stream that is complete. */
export function answered(stream: string): Seen {
  const seen = decodeText(stream);
  expect([seen.fault, seen.ended]).toEqual([null, true]);
  return seen;
}

/** Begins and ends of parts with their indexes. */
export function outline(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => (step.type === 'partBegin' || step.type === 'partEnd' ? `${step.type} ${step.index}` : []));
}
