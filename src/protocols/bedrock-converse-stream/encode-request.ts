/** Conversations as requests to Bedrock's Converse (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html). */
import type { AnswerFormat, Conversation, Part } from '../../core/conversation.ts';
import type { RequestField } from '../../core/hub-fields.ts';
import { isObject } from '../../core/json.ts';
import type { Digest } from '../../core/ports.ts';
import type { EncodedRequest, UpstreamModel } from '../../core/protocol.ts';
import type { CatalogModel } from '../../core/providers.ts';
import { formatSchema } from '../claude-schema.ts';
import { encodeSampling } from '../claude-thinking.ts';
import { wellFormedJson } from '../well-formed-json.ts';
import { writeObject } from '../write-object.ts';
import { type Block, CachePoints } from './cache-points.ts';
import { protocolId } from './decode-blocks.ts';
import { encodePart } from './encode-blocks.ts';
import { type EncodedReasoning, encodeReasoning } from './encode-reasoning.ts';
import { type EncodedTools, encodeTools, forcesCall } from './encode-tools.ts';
import { encodeTurns, type Message } from './encode-turns.ts';
import { refuse } from './refuse.ts';
import { withToldCalls } from './told-calls.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Tokens of an answer of a model that thinks, where neither the client nor the catalog says a number. */
const usualMaxTokens = 32_000;

const streamHeaders = { accept: 'application/vnd.amazon.eventstream' };
const wholeHeaders = { accept: 'application/json' };

/** @throws OlaError `invalid_request`, with the field as `param`, for a part or a field that Converse does not take */
export function encodeRequest(asked: Conversation, to: UpstreamModel, digest: Digest): EncodedRequest {
  refuseForeign(asked);
  // The model must not call a tool, and Converse has no choice that says so.
  const isForbidden = asked.toolChoice === 'none';
  const conversation = isForbidden ? { ...asked, tools: [], turns: withToldCalls(asked.turns) } : asked;
  const { facts } = to;
  const turns = encodeTurns(conversation.turns, digest);
  if (turns.messages.length === 0) refuse("'messages' must hold at least one message with something in it.", 'messages');
  const tools = encodeTools(conversation, turns.called, facts?.strictTools === true);
  const maxTokens = conversation.maxTokens ?? facts?.maxTokens ?? usualMaxTokens;
  const reasoning = encodeReasoning(conversation.reasoning, facts, {
    maxTokens,
    forced: forcesCall(tools.choice),
    prefilled: turns.messages.at(-1)?.role === 'assistant',
    lacksReasoning: turns.lacksReasoning,
  });
  const sampling = samplingOf(conversation, facts, reasoning.thinks);
  const inference = inferenceConfig(conversation, sampling.fields, reasoning.thinks ? maxTokens : null);
  const more = additionalFields(conversation, { facts, reasoning, sampling: sampling.fields });
  const takesPoints = facts?.cachePoints === true;
  const { stream } = conversation;
  return {
    path: `/model/${encodeURIComponent(to.id)}/converse${stream ? '-stream' : ''}`,
    body: write({ inference, more, tools, system: systemBlocks(conversation, facts), messages: turns.messages, takesPoints }),
    dropped: [...new Set([...reasoning.dropped, ...sampling.dropped, ...otherDropped(asked, takesPoints)])],
    added: [],
    headers: stream ? streamHeaders : wholeHeaders,
    reasoningLost: reasoning.lost,
  };
}

/** Another protocol's tools and fields change the answer, and Converse has none of them. */
function refuseForeign({ opaque }: Conversation): void {
  const foreign = opaque?.find(({ protocol }) => protocol !== protocolId);
  if (foreign === undefined) return;
  refuse(
    `'${foreign.field}' is '${foreign.name}' of ${foreign.protocol}, which Amazon Bedrock's Converse does not have. Remove it, or ask a model of a provider that speaks ${foreign.protocol}.`,
    foreign.field,
  );
}

interface EncodedSampling {
  /** `temperature`, `top_p`, `top_k`. */
  readonly fields: Fields;
  readonly dropped: readonly RequestField[];
}

/** Claude takes fewer fields than others, and fewer still while it thinks. Every model but OpenAI's ends its temperature at 1. */
function samplingOf(conversation: Conversation, facts: CatalogModel | null, thinks: boolean): EncodedSampling {
  const { temperature, topP, topK } = conversation.sampling;
  const claude = encodeSampling(conversation, thinks, facts?.noSampling === true);
  if (facts?.thinking !== undefined) return claude;
  const highest = facts?.effortField === undefined ? 1 : Number.POSITIVE_INFINITY;
  const others = claude.dropped.filter((name) => name !== 'temperature' && name !== 'topP' && name !== 'topK');
  return {
    fields: {
      ...(temperature === null ? {} : { temperature: Math.min(highest, temperature) }),
      ...(topP === null ? {} : { top_p: topP }),
    },
    // Each vendor has its own name for it.
    dropped: [...others, ...(topK === null ? [] : (['topK'] as const))],
  };
}

/** @param thinkingTokens a model that is given a number of tokens to think must be told the length of its answer; null: it is not */
function inferenceConfig({ maxTokens, stop }: Conversation, sampling: Fields, thinkingTokens: number | null): Fields {
  const sequences = stop.filter(isSequence);
  const most = maxTokens ?? thinkingTokens;
  return {
    ...(most === null ? {} : { maxTokens: most }),
    ...(sampling['temperature'] === undefined ? {} : { temperature: sampling['temperature'] }),
    ...(sampling['top_p'] === undefined ? {} : { topP: sampling['top_p'] }),
    ...(sequences.length === 0 ? {} : { stopSequences: sequences }),
  };
}

/** Claude refuses a stop sequence of white space. */
const isSequence = (sequence: string) => sequence.trim() !== '';

interface ModelFacts {
  readonly facts: CatalogModel | null;
  readonly reasoning: EncodedReasoning;
  readonly sampling: Fields;
}

/** Fields that Converse hands to the model unread. */
function additionalFields({ format }: Conversation, { facts, reasoning, sampling }: ModelFacts): Fields {
  const config = {
    ...(reasoning.effort === null ? {} : { effort: reasoning.effort }),
    ...(format?.kind === 'schema' && takesSchema(facts)
      ? { format: { type: 'json_schema', schema: described(format, formatSchema(format.schema)) } }
      : {}),
  };
  return {
    ...reasoning.fields,
    ...(Object.keys(config).length === 0 ? {} : { output_config: config }),
    ...(sampling['top_k'] === undefined ? {} : { top_k: sampling['top_k'] }),
  };
}

/** The models of Claude that take `strict` on tools have structured answers too. */
function takesSchema(facts: CatalogModel | null): boolean {
  return facts?.thinking !== undefined && facts.strictTools === true;
}

function described({ description }: Extract<AnswerFormat, { kind: 'schema' }>, schema: unknown): unknown {
  if (description === null || !isObject(schema) || schema['description'] !== undefined) return schema;
  return { description, ...schema };
}

const jsonInstruction = 'Answer with one JSON object and nothing else: no code fence, no text around it.';

function systemBlocks({ system, format }: Conversation, facts: CatalogModel | null): readonly Block[] {
  const said = system.map((part: Part) => encodePart(part, 'system', new Set())).filter((each) => each !== null);
  const text = instructionOf(format, facts);
  return text === null ? said : [...said, { json: JSON.stringify({ text }) }];
}

/** @returns null where the form of the answer needs no words */
function instructionOf(format: AnswerFormat | null, facts: CatalogModel | null): string | null {
  if (format === null || format.kind === 'text') return null;
  if (format.kind === 'json') return jsonInstruction;
  if (takesSchema(facts)) return null;
  return `${jsonInstruction} It must be valid under this JSON Schema:\n${JSON.stringify(described(format, format.schema))}`;
}

interface Written {
  readonly inference: Fields;
  readonly more: Fields;
  readonly tools: EncodedTools;
  readonly system: readonly Block[];
  readonly messages: readonly Message[];
  readonly takesPoints: boolean;
}

function write({ inference, more, tools, system, messages, takesPoints }: Written): string {
  const blocks = [...tools.tools, ...system, ...messages.flatMap((message) => message.blocks)];
  const points = new CachePoints(blocks, takesPoints);
  const members: (readonly [string, string])[] = [];
  if (tools.tools.length > 0) members.push(['toolConfig', writeTools(tools, points)]);
  if (system.length > 0) members.push(['system', points.writeList(system)]);
  members.push(['messages', `[${messages.map((message) => writeMessage(message, points)).join(',')}]`]);
  if (Object.keys(inference).length > 0) members.push(['inferenceConfig', JSON.stringify(inference)]);
  if (Object.keys(more).length > 0) members.push(['additionalModelRequestFields', JSON.stringify(more)]);
  return wellFormedJson(writeObject(members));
}

function writeTools({ tools, choice }: EncodedTools, points: CachePoints): string {
  const list: readonly [string, string] = ['tools', points.writeList(tools)];
  return writeObject(choice === null ? [list] : [list, ['toolChoice', JSON.stringify(choice)]]);
}

function writeMessage({ role, blocks }: Message, points: CachePoints): string {
  return writeObject([
    ['role', JSON.stringify(role)],
    ['content', points.writeList(blocks)],
  ]);
}

function otherDropped(conversation: Conversation, takesPoints: boolean): RequestField[] {
  const { stop, cacheKey, user, parallelTools, system, tools, turns } = conversation;
  const parts = [...system, ...turns.flatMap((turn) => turn.parts)];
  const isUnsigned = (part: Part) =>
    part.type === 'reasoning' && part.redacted === undefined && (part.signature ?? '') === '' && part.text !== '';
  const isMarked = [...parts, ...tools].some(({ cache }) => cache !== undefined);
  const left: readonly (readonly [RequestField, boolean])[] = [
    ['stop', !stop.every(isSequence)],
    ['cacheKey', cacheKey !== null],
    ['cacheHint', isMarked && !takesPoints],
    ['user', user !== null && user !== ''],
    ['parallelTools', parallelTools === false && tools.length > 0],
    ['reasoning', parts.some(isUnsigned)],
  ];
  return left.flatMap(([name, isLeft]) => (isLeft ? [name] : []));
}
