/** Conversations as requests to Anthropic's API (https://docs.claude.com/en/api/messages). */
import type { Conversation, Part } from '../../core/conversation.ts';
import type { RequestField } from '../../core/hub-fields.ts';
import { isObject } from '../../core/json.ts';
import type { Digest } from '../../core/ports.ts';
import type { EncodedRequest, UpstreamModel } from '../../core/protocol.ts';
import { formatSchema } from '../claude-schema.ts';
import { encodeSampling, encodeThinking, type Thinking } from '../claude-thinking.ts';
import { wellFormedJson } from '../well-formed-json.ts';
import { protocolId, refuse } from './decode-blocks.ts';
import type { RequestExtras } from './decode-request.ts';
import { type Block, encodePart } from './encode-blocks.ts';
import { type EncodedTools, encodeTools, forcesCall } from './encode-tools.ts';
import { type EncodedTurns, encodeTurns, type Message } from './encode-turns.ts';
import { CacheMarks, countMarks, writeBlock, writeBlocks } from './write-json.ts';

type Fields = Readonly<Record<string, unknown>>;

const versionHeader = { 'anthropic-version': '2023-06-01' };

/** Tokens of an answer, where neither the client nor the catalog says a number: Anthropic must be told one. */
const usualMaxTokens = 32_000;
/** Characters of a user's name that goes up as it is. */
const longestUser = 64;

const jsonInstruction = 'Answer with one JSON object and nothing else: no code fence, no text around it.';

/** @throws OlaError `invalid_request`, with the field as `param`, for a part or a field that Anthropic's API does not take */
export function encodeRequest(conversation: Conversation, to: UpstreamModel, digest: Digest): EncodedRequest {
  refuseForeign(conversation);
  const own = (conversation.extras[protocolId] ?? {}) as RequestExtras;
  const { facts } = to;
  const turns = encodeTurns(conversation.turns, { midSystem: facts?.midSystem === true, digest });
  if (turns.messages.length === 0)
    refuse("'messages' must hold at least one message of the user with something in it.", 'messages');
  const tools = encodeTools(conversation, own.serverTools ?? [], facts?.strictTools === true);
  const maxTokens = conversation.maxTokens ?? facts?.maxTokens ?? usualMaxTokens;
  const thinking = encodeThinking(conversation.reasoning, facts, {
    maxTokens,
    forced: forcesCall(tools.choice),
    prefilled: turns.messages.at(-1)?.role === 'assistant',
    lacksReasoning: turns.lacksReasoning,
  });
  const isAsked = thinking.thinking !== null && thinking.thinking['type'] !== 'disabled';
  const sampling = encodeSampling(conversation, isAsked, facts?.noSampling === true);
  const fields: Fields = {
    model: to.id,
    max_tokens: maxTokens,
    ...sampling.fields,
    ...plainFields(conversation, digest),
    // A client of the same protocol has its own members for this.
    ...(own.fields === undefined ? thinkingFields(thinking, conversation) : {}),
    ...(tools.choice === null ? {} : { tool_choice: tools.choice }),
    ...keptFields(own.fields ?? {}, thinking),
  };
  return {
    path: '/v1/messages',
    body: write(fields, tools, systemBlocks(conversation, own), own.systemText === true, turns),
    dropped: [...new Set([...thinking.dropped, ...sampling.dropped, ...otherDropped(conversation)])],
    added: [],
    headers: versionHeader,
    reasoningLost: thinking.lost,
  };
}

/** Another protocol's tools and fields change the answer, and Anthropic has none of them. */
function refuseForeign({ opaque }: Conversation): void {
  const foreign = opaque?.find(({ protocol }) => protocol !== protocolId);
  if (foreign === undefined) return;
  refuse(
    `'${foreign.field}' is '${foreign.name}' of ${foreign.protocol}, which Anthropic's API does not have. Remove it, or ask a model of a provider that speaks ${foreign.protocol}.`,
    foreign.field,
  );
}

function plainFields({ stream, stop, user }: Conversation, digest: Digest): Fields {
  const sequences = stop.filter(isSequence);
  return {
    ...(stream ? { stream: true } : {}),
    ...(sequences.length === 0 ? {} : { stop_sequences: sequences }),
    ...(user === null || user === '' ? {} : { metadata: { user_id: opaqueUser(user, digest) } }),
  };
}

/** Anthropic refuses a stop sequence of white space. */
const isSequence = (sequence: string) => sequence.trim() !== '';

/** Anthropic asks for an opaque id: no name, no address. */
function opaqueUser(user: string, digest: Digest): string {
  return user.length > longestUser || user.includes('@') ? digest(user) : user;
}

function thinkingFields({ thinking, effort }: Thinking, { format }: Conversation): Fields {
  const config = {
    ...(effort === null ? {} : { effort }),
    ...(format?.kind === 'schema' ? { format: { type: 'json_schema', schema: described(format) } } : {}),
  };
  return {
    ...(thinking === null ? {} : { thinking }),
    ...(Object.keys(config).length === 0 ? {} : { output_config: config }),
  };
}

function described({ schema, description }: Extract<Conversation['format'], { kind: 'schema' }>): unknown {
  const formed = formatSchema(schema);
  return description === null || !isObject(formed) || formed['description'] !== undefined ? formed : { description, ...formed };
}

/** Members of a client of the same protocol go up as they came. `thinking` is left out where the upstream would refuse it. */
function keptFields(fields: Fields, { lost }: Thinking): Fields {
  if (!lost) return fields;
  const { thinking: _, ...others } = fields;
  return others;
}

function systemBlocks({ system, format }: Conversation, { attribution }: RequestExtras): readonly Block[] {
  const said = system.map((part: Part) => encodePart(part, 'system')).filter((each) => each !== null);
  const blocks = attribution === undefined ? said : [{ fields: attribution }, ...said];
  return format?.kind === 'json' ? [...blocks, { fields: { type: 'text', text: jsonInstruction } }] : blocks;
}

/** The messages come last, so that the body of the next turn begins with the bytes of this one. */
function write(
  fields: Fields,
  { tools }: EncodedTools,
  system: readonly Block[],
  systemText: boolean,
  turns: EncodedTurns,
): string {
  const { messages } = turns;
  const blocks = [...tools, ...system, ...messages.flatMap((message) => message.blocks)];
  const marks = new CacheMarks(countMarks(blocks));
  const head = JSON.stringify(fields).slice(0, -1);
  const offered = tools.length === 0 ? '' : `,"tools":${writeBlocks(tools, marks)}`;
  const told = system.length === 0 ? '' : `,"system":${writeContent({ blocks: system, plain: systemText }, marks)}`;
  const said = messages.map((message) => writeMessage(message, marks)).join(',');
  return wellFormedJson(`${head}${offered}${told},"messages":[${said}]}`);
}

function writeMessage(message: Message, marks: CacheMarks): string {
  const others = message.fields === undefined ? '' : JSON.stringify(message.fields).slice(1, -1);
  return `{"role":"${message.role}","content":${writeContent(message, marks)}${others === '' ? '' : `,${others}`}}`;
}

function writeContent({ blocks, plain }: Pick<Message, 'blocks' | 'plain'>, marks: CacheMarks): string {
  const [first] = blocks;
  const isText = plain === true && blocks.length === 1 && first?.mark === undefined && first?.fields['type'] === 'text';
  return isText ? JSON.stringify(first.fields['text']) : `[${blocks.map((each) => writeBlock(each, marks)).join(',')}]`;
}

function otherDropped({ stop, cacheKey, turns }: Conversation): RequestField[] {
  const isUnsigned = (part: Part) => part.type === 'reasoning' && encodePart(part, 'assistant') === null;
  return [
    ...(stop.every(isSequence) ? [] : (['stop'] as const)),
    ...(cacheKey === null ? [] : (['cacheKey'] as const)),
    ...(turns.some(({ parts }) => parts.some(isUnsigned)) ? (['reasoning'] as const) : []),
  ];
}
