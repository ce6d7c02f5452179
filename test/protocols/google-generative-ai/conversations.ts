/** Conversations of the hub for tests. */
import { type Conversation, noSampling, type Part, type Tool, type Turn } from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import type { EncodedRequest, UpstreamModel } from '../../../src/core/protocol.ts';
import type { CatalogModel } from '../../../src/core/providers.ts';
import { encodeRequest } from '../../../src/protocols/google-generative-ai/encode-request.ts';
import { upstreamModel } from '../upstream-model.ts';
import { digest, type Fields } from './fixtures.ts';

export const text = (words: string): Part => ({ type: 'text', text: words });
export const user = (...parts: readonly (Part | string)[]): Turn => ({ role: 'user', parts: parts.map(asPart) });
export const assistant = (...parts: readonly (Part | string)[]): Turn => ({ role: 'assistant', parts: parts.map(asPart) });
export const system = (words: string): Turn => ({ role: 'system', parts: [text(words)] });
const asPart = (part: Part | string): Part => (typeof part === 'string' ? text(part) : part);

export const call = (id: string, args = '{}', name = 'f'): Part => ({
  type: 'toolCall',
  id,
  name,
  kind: 'function',
  arguments: args,
});
export const result = (callId: string, ...parts: readonly (Part | string)[]): Part => ({
  type: 'toolResult',
  callId,
  parts: parts.map(asPart),
  isError: false,
});
export const failed = (callId: string, ...parts: readonly (Part | string)[]): Part => ({
  type: 'toolResult',
  callId,
  parts: parts.map(asPart),
  isError: true,
});
export const image: Part = {
  type: 'media',
  kind: 'image',
  source: { mime: 'image/png', detail: null, data: 'iVBORw0KGgo=' },
  name: null,
};
export const thought = (signature?: string): Part => ({
  type: 'reasoning',
  text: 'I think.',
  ...(signature === undefined ? {} : { signature }),
});
export const tool = (name: string, rest: Partial<Tool> = {}): Tool => ({
  kind: 'function',
  name,
  description: null,
  parameters: { type: 'object', properties: {} },
  strict: null,
  ...rest,
});

export function conversation(rest: Partial<Conversation>): Conversation {
  return {
    system: [],
    turns: [user('Hello')],
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

export interface Sent extends Omit<EncodedRequest, 'body'> {
  readonly text: string;
  readonly body: Fields;
  readonly contents: readonly { readonly role: string; readonly parts: readonly Fields[] }[];
  /** `generationConfig`; empty when there is none. */
  readonly config: Fields;
}

/** The request as the upstream reads it. */
export function sent(rest: Partial<Conversation>, facts: Partial<CatalogModel> = {}, to: Partial<UpstreamModel> = {}): Sent {
  const model = upstreamModel('m', { facts: { id: 'm', ...facts }, ...to });
  const { body, ...others } = encodeRequest(conversation(rest), model, digest);
  const fields = JSON.parse(body) as Fields;
  const config = (fields['generationConfig'] ?? {}) as Fields;
  return { ...others, text: body, body: fields, contents: fields['contents'] as Sent['contents'], config };
}

/** @returns the error that is thrown; fails where none is */
export function refusalOf(action: () => unknown): OlaError {
  try {
    action();
  } catch (error) {
    if (error instanceof OlaError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
