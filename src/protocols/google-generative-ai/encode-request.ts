/** Conversations as requests to Google's API (https://ai.google.dev/api/generate-content). */
import type { Conversation } from '../../core/conversation.ts';
import type { RequestField } from '../../core/hub-fields.ts';
import { isObject } from '../../core/json.ts';
import type { Digest } from '../../core/ports.ts';
import type { EncodedRequest, UpstreamModel } from '../../core/protocol.ts';
import { wellFormedJson } from '../well-formed-json.ts';
import { encodePart, writePart } from './encode-parts.ts';
import { encodeTools } from './encode-tools.ts';
import { encodeTurns, writeContent } from './encode-turns.ts';
import { type Fields, protocolId, refuse } from './names.ts';
import { asEvents, modelPath } from './paths.ts';
import { encodeThinking, type Thinking } from './thinking.ts';

/** The extras of a conversation: members of the request as they came, for an upstream of the same protocol. */
export interface RequestExtras {
  readonly fields?: Fields;
  /** Members of `generationConfig`. */
  readonly config?: Fields;
  /** Tools that run at Google. */
  readonly tools?: readonly Fields[];
}

/** Stop sequences that Google takes. */
const mostStops = 5;

/** @throws OlaError `invalid_request`, with the field as `param`, for a part or a field that Google's API does not take */
export function encodeRequest(conversation: Conversation, to: UpstreamModel, digest: Digest): EncodedRequest {
  refuseForeign(conversation);
  const own = (conversation.extras[protocolId] ?? {}) as RequestExtras;
  const turns = encodeTurns(conversation.turns, { plainCalls: to.facts?.plainCalls === true, digest });
  if (turns.contents.length === 0) {
    refuse("'messages' must hold at least one message of the user with something in it.", 'messages');
  }
  const thinking = encodeThinking(conversation.reasoning, to.facts);
  const config = { ...configOf(conversation, thinking), ...own.config };
  const fields: Fields = {
    ...encodeTools(conversation, own.tools ?? []),
    ...(Object.keys(config).length === 0 ? {} : { generationConfig: config }),
    ...own.fields,
  };
  const { stream } = conversation;
  return {
    path: modelPath(to, stream ? 'streamGenerateContent' : 'generateContent') + (stream ? asEvents : ''),
    body: write(conversation, fields, turns.contents.map(writeContent)),
    dropped: [
      ...new Set([...thinking.dropped, ...otherDropped(conversation), ...(turns.leftReasoning ? (['reasoning'] as const) : [])]),
    ],
    added: [],
    headers: null,
    reasoningLost: turns.lostSignature && asksReasoning(conversation),
  };
}

/** A model that was not asked to reason has nothing to lose that its client would miss. */
function asksReasoning({ reasoning }: Conversation): boolean {
  return reasoning !== null && reasoning.effort !== 'none';
}

/** Another protocol's tools and fields change the answer, and Google has none of them. */
function refuseForeign({ opaque }: Conversation): void {
  const foreign = opaque?.find(({ protocol }) => protocol !== protocolId);
  if (foreign === undefined) return;
  refuse(
    `'${foreign.field}' is '${foreign.name}' of ${foreign.protocol}, which Google's API does not have. Remove it, or ask a model of a provider that speaks ${foreign.protocol}.`,
    foreign.field,
  );
}

function configOf({ maxTokens, sampling, stop, format }: Conversation, { config: thinkingConfig }: Thinking): Fields {
  const stopSequences = stop.filter(isSequence).slice(0, mostStops);
  const told: Fields = {
    maxOutputTokens: maxTokens,
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    seed: sampling.seed,
    frequencyPenalty: sampling.frequencyPenalty,
    presencePenalty: sampling.presencePenalty,
    stopSequences: stopSequences.length === 0 ? null : stopSequences,
    thinkingConfig,
    ...formatOf(format),
  };
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== null));
}

const isSequence = (sequence: string) => sequence !== '';

/** `responseJsonSchema` takes a schema whole, where `responseSchema` knows a few words of OpenAPI alone. */
function formatOf(format: Conversation['format']): Fields {
  if (format === null || format.kind === 'text') return {};
  if (format.kind === 'json') return { responseMimeType: 'application/json' };
  const { schema, description } = format;
  const isDescribed = description === null || !isObject(schema) || schema['description'] !== undefined;
  return { responseMimeType: 'application/json', responseJsonSchema: isDescribed ? schema : { description, ...schema } };
}

/** The contents come last, so that the body of the next turn begins with the bytes of this one. */
function write({ system }: Conversation, fields: Fields, contents: readonly string[]): string {
  const said = system.map(encodePart).filter((part) => part !== null);
  const members = [
    ...(said.length === 0 ? [] : [`"systemInstruction":{"parts":[${said.map(writePart).join(',')}]}`]),
    ...Object.entries(fields).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`),
    `"contents":[${contents.join(',')}]`,
  ];
  return wellFormedJson(`{${members.join(',')}}`);
}

function otherDropped(conversation: Conversation): RequestField[] {
  const { stop, parallelTools, cacheKey, user, tools, system, turns } = conversation;
  const sequences = stop.filter(isSequence);
  const isMarked = [...system, ...turns.flatMap(({ parts }) => parts), ...tools].some(({ cache }) => cache !== undefined);
  return [
    ...(sequences.length > mostStops || sequences.length < stop.length ? (['stop'] as const) : []),
    ...(parallelTools === false && tools.length > 0 ? (['parallelTools'] as const) : []),
    ...(tools.some(({ strict }) => strict === true) ? (['strictTool'] as const) : []),
    ...(isMarked ? (['cacheHint'] as const) : []),
    ...(cacheKey === null ? [] : (['cacheKey'] as const)),
    ...(user === null || user === '' ? [] : (['user'] as const)),
  ];
}
