/** A conversation of the hub as a chat, towards an upstream. */
import type { AnswerFormat, Conversation, Part, Tool, ToolChoice } from '../../core/conversation.ts';
import { OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { Digest } from '../../core/ports.ts';
import type { EncodedRequest, UpstreamModel } from '../../core/protocol.ts';
import { fitToolId, type ToolIdForm } from '../../core/tool-ids.ts';
import { cacheOf, type Writing } from './encode-content.ts';
import { messagesOf } from './encode-messages.ts';
import { reasoningFields } from './encode-reasoning.ts';
import { type Fields, keptIn, ownIn } from './members.ts';

/** Characters of an id of a tool call, and of the name of a user. OpenAI refuses longer ones. */
const longestName = 64;
const toolIdForm: ToolIdForm = { pattern: /^[\x20-\x7e]+$/, longest: longestName };
/** Anthropic's API takes four cache hints at most. */
const mostHints = 4;

/** @throws OlaError `invalid_request`, with the field as `param`, for what a chat cannot hold */
export function encodeRequest(conversation: Conversation, to: UpstreamModel, digest: Digest): EncodedRequest {
  const own = ownIn(conversation.extras);
  const dropped = new Set<string>();
  const hints = hintsIn(conversation);
  if (to.quirks.cacheControl !== true && hints.length > 0) dropped.add('cacheHint');
  const cached = new Set(to.quirks.cacheControl === true ? hints.slice(-mostHints) : []);
  const writing: Writing = { to, cached, dropped, idOf: (id) => fitToolId(id, toolIdForm, digest) };
  const messages = [...messagesOf(conversation, writing)];
  if (messages.length === 0)
    throw new OlaError('invalid_request', 'Nothing is left to ask: no message has any content.', { param: 'messages' });
  const stream = streamFields(conversation, to, own, dropped);
  // The messages come first: the beginning of the body stays the same from turn to turn, as prompt caches need it.
  const body = {
    model: to.id,
    messages,
    ...toolFields(conversation, writing),
    ...limits(conversation, to, own, dropped),
    ...formatOf(conversation.format, own),
    ...wishOf(conversation, to, own, dropped),
    ...membersOf(conversation, to, own, dropped),
    ...userOf(conversation, own, digest),
    ...stream.fields,
  };
  const { added } = stream;
  return { path: '/chat/completions', body: wellFormed(body), dropped: [...dropped], added, headers: null, reasoningLost: false };
}

/** Half of a surrogate pair is refused by many servers. `JSON.stringify` escapes exactly these, so they are rare to look for. */
function wellFormed(body: Fields): string {
  const text = JSON.stringify(body);
  if (!/\\ud[89a-f]/.test(text)) return text;
  return JSON.stringify(body, (_, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value));
}

type Hinted = Pick<Part, 'cache'>;

/** The kinds of parts that a chat can mark. */
const markable: readonly Part['type'][] = ['text', 'media', 'toolResult'];

/** Parts and tools with a cache hint, in the order of the prompt. */
function hintsIn({ system, turns, tools }: Conversation): readonly Hinted[] {
  const parts = turns.flatMap(({ parts: own }) =>
    own.flatMap((part) => (part.type === 'toolResult' ? [...part.parts, part] : [part])),
  );
  const marked = [...system, ...parts].filter(({ type }) => markable.includes(type));
  const all: readonly Hinted[] = [...tools, ...marked];
  return all.filter(({ cache }) => cache !== undefined);
}

function toolFields({ tools, toolChoice, parallelTools }: Conversation, writing: Writing): Fields {
  if (tools.length === 0) return {};
  const isLegacy = tools.every(({ extras }) => ownIn(extras)['legacy'] === true);
  if (isLegacy)
    return {
      functions: tools.map((tool) => functionOf(tool, writing)),
      ...(toolChoice === null ? {} : { function_call: toolChoice }),
    };
  return {
    tools: tools.map((tool) => toolOf(tool, writing)),
    ...(toolChoice === null ? {} : { tool_choice: choiceOf(toolChoice, tools) }),
    ...(parallelTools === null ? {} : { parallel_tool_calls: parallelTools }),
  };
}

function toolOf(tool: Tool, writing: Writing): Fields {
  const own = ownIn(tool.extras);
  const beside = { ...keptIn(own, 'members'), ...cacheOf(tool, writing) };
  if (tool.kind === 'function') return { type: 'function', function: functionOf(tool, writing), ...beside };
  const described = tool.description === null ? {} : { description: tool.description };
  return { type: 'custom', custom: { name: tool.name, ...described, ...keptIn(own, 'inner') }, ...beside };
}

/** `strict` is sent to models that are known to take it, and for clients of this protocol. */
function functionOf({ name, description, parameters, strict, extras }: Tool, { to, dropped }: Writing): Fields {
  const own = ownIn(extras);
  const takesStrict = to.facts?.strictTools === true || own['strict'] !== undefined;
  if (strict === true && !takesStrict) dropped.add('strictTool');
  return {
    name,
    ...(description === null ? {} : { description }),
    ...(parameters === null ? {} : { parameters }),
    ...(strict !== null && takesStrict ? { strict } : {}),
    ...keptIn(own, 'inner'),
  };
}

function choiceOf(choice: ToolChoice, tools: readonly Tool[]): unknown {
  if (typeof choice === 'string') return choice;
  const kinds = new Map(tools.map(({ name, kind }) => [name, kind]));
  const named = (name: string): Fields => {
    const kind = kinds.get(name) ?? 'function';
    return { type: kind, [kind]: { name } };
  };
  if ('name' in choice) return named(choice.name);
  return { type: 'allowed_tools', allowed_tools: { mode: choice.mode, tools: choice.allowed.map(named) } };
}

function limits({ maxTokens, sampling, stop }: Conversation, to: UpstreamModel, own: Fields, dropped: Set<string>): Fields {
  const isOld = to.quirks.maxTokensOnly === true;
  const limit = isOld || own['maxTokens'] === 'max_tokens' ? 'max_tokens' : 'max_completion_tokens';
  const old = isOld ? undefined : own['oldMaxTokens'];
  if (sampling.topK !== null) dropped.add('topK');
  return withoutNull({
    [limit]: maxTokens,
    ...(old === undefined ? {} : { max_tokens: old }),
    ...heat(sampling, to, dropped),
    seed: sampling.seed,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    stop: stop.length === 0 ? null : own['stop'] === 'text' ? (stop[0] ?? null) : stop,
  });
}

/** Some models refuse to be told how freely to choose. */
function heat({ temperature, topP }: Conversation['sampling'], { facts }: UpstreamModel, dropped: Set<string>): Fields {
  if (facts?.noSampling !== true) return { temperature, top_p: topP };
  if (temperature !== null) dropped.add('temperature');
  if (topP !== null) dropped.add('topP');
  return {};
}

function withoutNull(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

function formatOf(format: AnswerFormat | null, own: Fields): Fields {
  if (format === null || (format.kind === 'text' && own['format'] !== 'text')) return {};
  if (format.kind === 'text') return { response_format: { type: 'text' } };
  if (format.kind === 'json') return { response_format: { type: 'json_object' } };
  const { name, description, schema, strict } = format;
  return {
    response_format: {
      type: 'json_schema',
      json_schema: { name: name ?? 'answer', ...withoutNull({ description }), schema, ...withoutNull({ strict }) },
    },
  };
}

/** The wish in the words of the client where it spoke this protocol. */
function wishOf({ reasoning }: Conversation, to: UpstreamModel, own: Fields, dropped: Set<string>): Fields {
  if (reasoning === null) return {};
  const spelled = keptIn(own, 'reasoning');
  return Object.keys(spelled).length > 0 && to.quirks.thinkingSwitch === undefined
    ? spelled
    : reasoningFields(reasoning, to, dropped);
}

/** Members that only this protocol knows: those of its own clients are written back, those of others are left out. */
function membersOf({ unknown }: Conversation, { quirks }: UpstreamModel, own: Fields, dropped: Set<string>): Fields {
  const members = { ...keptIn(own, 'members') };
  for (const name of unknown) if (!(name in members)) dropped.add(name);
  if (quirks.noStore === true && 'store' in members) {
    delete members['store'];
    dropped.add('store');
  }
  return members;
}

function userOf({ user, cacheKey }: Conversation, own: Fields, digest: Digest): Fields {
  const short = user === null || user.length <= longestName ? user : digest(user).slice(0, longestName);
  const name = own['isSafetyIdentifier'] === true ? 'safety_identifier' : 'user';
  return withoutNull({
    [name]: short,
    safety_identifier: own['safetyIdentifier'] ?? (name === 'user' ? null : short),
    prompt_cache_key: cacheKey,
  });
}

const streamOptions: readonly string[] = ['stream_options'];

/** Ola asks for the usage of a stream itself: without it no cost is known. */
function streamFields({ stream }: Conversation, { quirks }: UpstreamModel, own: Fields, dropped: Set<string>) {
  const options = isObject(own['streamOptions']) ? own['streamOptions'] : null;
  if (!stream) return { fields: own['stream'] === false ? { stream: false } : {}, added: [] };
  if (quirks.noStreamUsage === true) {
    if (options !== null) dropped.add('stream_options');
    return { fields: { stream: true }, added: [] };
  }
  const isAsked = options?.['include_usage'] === true;
  return {
    fields: { stream: true, stream_options: { ...options, include_usage: true } },
    added: isAsked ? [] : streamOptions,
  };
}
