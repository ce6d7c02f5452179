/** Requests, answers and streams in the form of any protocol, made and read by its own codec. */
import { createHash } from 'node:crypto';
import { unfold } from '../../../src/core/answers.ts';
import {
  type Answer,
  type AnswerEnd,
  type Conversation,
  noSampling,
  type Part,
  type Step,
  type ToolCallPart,
  type ToolResultPart,
} from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import type { ChatCodec, ClientCall, Making, Protocol, StreamFault, UpstreamModel } from '../../../src/core/protocol.ts';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { upstreamModel } from '../../protocols/upstream-model.ts';
import type { HubSample } from './sample.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** A protocol whose chats are translated, with its sample. */
export interface Speaker {
  readonly protocol: Protocol;
  readonly chat: ChatCodec;
  readonly sample: HubSample;
}

const encoder = new TextEncoder();

export const digest = (text: string) => createHash('sha256').update(text).digest('hex');
export const textPart = (text: string): Part => ({ type: 'text', text });
export const stop: AnswerEnd = { reason: 'stop', sequence: null, unknown: null };

export function toolCall(id: string, args = '{"city":"Rome"}', name = 'weather'): ToolCallPart {
  return { type: 'toolCall', id, name, kind: 'function', arguments: args };
}

export function toolResult(callId: string, ...parts: readonly Part[]): ToolResultPart {
  return { type: 'toolResult', callId, parts, isError: false };
}

export const weather = {
  kind: 'function',
  name: 'weather',
  description: 'The weather of a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, additionalProperties: false },
  strict: null,
} as const;

/** A conversation of one question, with a longest answer: some protocols need one. */
export function conversation(rest: Partial<Conversation> = {}): Conversation {
  return {
    system: [],
    turns: [{ role: 'user', parts: [textPart('Hello')] }],
    tools: [],
    toolChoice: null,
    parallelTools: null,
    maxTokens: 1024,
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

export function answerOf(parts: readonly Part[], rest: Partial<Answer> = {}): Answer {
  const reason = parts.some(({ type }) => type === 'toolCall') ? 'toolCalls' : 'stop';
  return { id: 'id-1', model: 'm', parts, tokens: noTokenCounts, end: { ...stop, reason }, ...rest };
}

export function modelOf({ protocol, sample }: Speaker, rest: Partial<UpstreamModel> = {}): UpstreamModel {
  return upstreamModel('up', { protocol: protocol.id, ...sample.model, ...rest });
}

/** The body in which the protocol tells a conversation. */
export function bodyOf(speaker: Speaker, told: Conversation): Fields {
  return JSON.parse(speaker.chat.encodeRequest(told, modelOf(speaker), digest).body) as Fields;
}

export function makingFor({ sample }: Speaker): Making {
  return { id: 'request-1', createdAt: 1, model: 'MODEL', request: { model: 'MODEL', ...sample.streaming } };
}

export const wholeOf = (speaker: Speaker, answer: Answer): string => speaker.chat.encodeAnswer(answer, makingFor(speaker));

/** UTF-16 units of a delta: so few that a pair of surrogates is parted. */
const piece = 3;

/** The steps of an answer whose texts come in pieces. */
export function stepsOf(answer: Answer): Step[] {
  return [...unfold(answer)].flatMap((step): readonly Step[] => {
    if (step.type === 'partEnd') {
      const part = answer.parts[step.index];
      return [part?.type === 'reasoning' && part.signature !== undefined ? { ...step, signature: part.signature } : step];
    }
    if (step.type !== 'partBegin') return [step];
    const { part, index } = step;
    if (part.type === 'toolCall') return [{ ...step, part: { ...part, arguments: '' } }, ...deltas(index, part.arguments)];
    if (part.type !== 'text' && part.type !== 'reasoning' && part.type !== 'refusal') return [step];
    const { signature: _, ...rest } = { signature: undefined, ...part };
    return [{ ...step, part: { ...rest, text: '' } as Part }, ...deltas(index, part.text)];
  });
}

function deltas(index: number, text: string): Step[] {
  const pieces = text.match(new RegExp(`[\\s\\S]{1,${piece}}`, 'g')) ?? [];
  return pieces.map((each) => ({ type: 'partDelta', index, text: each }));
}

/** @returns the events of a stream, each with its end: blank lines part them, else lines do */
export function eventsOf(speaker: Speaker, steps: readonly Step[]): string[] {
  const client = speaker.chat.streamEncoder(makingFor(speaker));
  const text = steps.map((step) => client.encode(step)).join('');
  return text.match(text.includes('\n\n') ? /[\s\S]*?\n\n/g : /[\s\S]*?\n/g) ?? [];
}

export interface ReadStream {
  readonly steps: readonly Step[];
  readonly fault: StreamFault | null;
  readonly failure: string | null;
  readonly ended: boolean;
}

/** @param end `orderly`: the upstream has closed the stream as it should. `broken`: the connection is gone */
export function readStream(
  { chat }: Speaker,
  chunks: readonly (string | Uint8Array)[],
  end: 'orderly' | 'broken' = 'orderly',
): ReadStream {
  const decoder = chat.streamDecoder();
  const steps: Step[] = [];
  const take = (step: Step) => void steps.push(step);
  for (const chunk of chunks) decoder.push(typeof chunk === 'string' ? encoder.encode(chunk) : chunk.slice(), take);
  if (end === 'orderly' && decoder.fault === null && steps.at(-1)?.type !== 'end') decoder.finish(take);
  const { fault, failure } = decoder;
  decoder.close();
  return { steps, fault, failure: failure?.kind ?? null, ended: steps.at(-1)?.type === 'end' };
}

export function clientCall({ protocol }: Speaker, fields: Fields, text = JSON.stringify(fields)): ClientCall {
  const route = protocol.clientRoutes.find(({ operation }) => operation === 'chat');
  if (route === undefined) throw new Error(`${protocol.id} has no route of chats`);
  const body = { text, fields };
  return { route, body, params: {}, peek: route.peek(body, {}), query: '', headers: null };
}

/** The error with which something is refused. */
export function thrownBy(act: () => unknown): OlaError {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof OlaError) return thrown;
    throw thrown;
  }
  throw new Error('Nothing was refused.');
}
