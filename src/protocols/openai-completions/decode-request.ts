/** A chat from a client, as a conversation of the hub. */
import type { AnswerFormat, Conversation, ReasoningWish, Sampling } from '../../core/conversation.ts';
import { messagesIn } from './decode-messages.ts';
import { toolsIn } from './decode-tools.ts';
import {
  booleanIn,
  extrasOf,
  type Fields,
  membersBeside,
  neededObject,
  neededString,
  numberIn,
  objectIn,
  refuse,
  refuseType,
  stringIn,
} from './members.ts';

/** Members that the hub has a place for, or that the gateway reads itself. */
const heldMembers = [
  ...['model', 'messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call'],
  ...['max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'top_k', 'seed', 'frequency_penalty', 'presence_penalty'],
  ...['stop', 'response_format', 'reasoning_effort', 'reasoning', 'thinking', 'enable_thinking'],
  ...['prompt_cache_key', 'user', 'safety_identifier', 'stream', 'stream_options'],
];

interface Refusal {
  readonly field: string;
  /** The value asks for nothing that other protocols do not give. */
  readonly isHarmless: (value: unknown) => boolean;
  readonly message: string;
}

const isFalse = (value: unknown) => value === false;
const noProbabilities = 'Other protocols give no probabilities of tokens; leave it out, or use a provider of OpenAI chats.';
const textAlone = 'Other protocols answer with text alone; leave it out, or use a provider of OpenAI chats.';

/** Fields that change the meaning of an answer: dropping them would answer another question. */
const refusals: readonly Refusal[] = [
  {
    field: 'n',
    isHarmless: (value) => value === 1,
    message: '`n` must be 1: other protocols give one answer. Send the request several times.',
  },
  { field: 'logprobs', isHarmless: isFalse, message: `\`logprobs\` cannot be served. ${noProbabilities}` },
  { field: 'top_logprobs', isHarmless: (value) => value === 0, message: `\`top_logprobs\` cannot be served. ${noProbabilities}` },
  { field: 'modalities', isHarmless: isTextAlone, message: `\`modalities\` cannot be served. ${textAlone}` },
  { field: 'audio', isHarmless: isFalse, message: `\`audio\` cannot be served. ${textAlone}` },
  {
    field: 'web_search_options',
    isHarmless: isFalse,
    message: 'A search by the provider cannot be asked for in other protocols; leave `web_search_options` out.',
  },
];

function isTextAlone(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => each === 'text');
}

/** @throws OlaError `invalid_request`, with the field as `param` */
export function decodeRequest(request: Fields): Conversation {
  for (const { field, isHarmless, message } of refusals) {
    const value = request[field];
    if (value !== undefined && value !== null && !isHarmless(value)) refuse(field, message);
  }
  const asked = refusals.map(({ field }) => field);
  return {
    ...messagesIn(request),
    ...toolsIn(request),
    maxTokens: numberIn(request, 'max_completion_tokens') ?? numberIn(request, 'max_tokens'),
    sampling: samplingIn(request),
    stop: stopIn(request),
    format: formatIn(request),
    reasoning: reasoningIn(request),
    cacheKey: stringIn(request, 'prompt_cache_key'),
    user: stringIn(request, 'user') ?? stringIn(request, 'safety_identifier'),
    stream: booleanIn(request, 'stream') ?? false,
    unknown: Object.keys(membersBeside(request, [...heldMembers, ...asked])),
    ...{ extras: {}, ...ownOf(request) },
  };
}

/** Members that are written back as they are, and the spellings of those that the hub holds. */
function ownOf(request: Fields) {
  const spelled = membersBeside(request, heldMembers);
  const options = objectIn(request, 'stream_options');
  const hasNewName = numberIn(request, 'max_completion_tokens') !== null;
  const hasUser = stringIn(request, 'user') !== null;
  return extrasOf({
    members: spelled,
    streamOptions: options ?? undefined,
    // Both names are there where a client speaks to old and new servers.
    maxTokens: numberIn(request, 'max_tokens') !== null && !hasNewName ? 'max_tokens' : undefined,
    oldMaxTokens: hasNewName ? (request['max_tokens'] ?? undefined) : undefined,
    stop: typeof request['stop'] === 'string' ? 'text' : undefined,
    stream: request['stream'] === false ? false : undefined,
    format: isTextFormat(request) ? 'text' : undefined,
    reasoning: spelledReasoning(request),
    safetyIdentifier: hasUser ? (request['safety_identifier'] ?? undefined) : undefined,
    isSafetyIdentifier: !hasUser && stringIn(request, 'safety_identifier') !== null ? true : undefined,
  });
}

/** The wish to reason in a vendor's own fields. */
function spelledReasoning({ reasoning, thinking, enable_thinking, reasoning_effort }: Fields): Fields {
  const own = membersBeside({ reasoning, thinking, enable_thinking }, []);
  return Object.keys(own).length === 0 ? own : membersBeside({ ...own, reasoning_effort }, []);
}

const isTextFormat = ({ response_format: format }: Fields): boolean =>
  typeof format === 'object' && format !== null && 'type' in format && format.type === 'text';

function samplingIn(request: Fields): Sampling {
  return {
    temperature: numberIn(request, 'temperature'),
    topP: numberIn(request, 'top_p'),
    topK: numberIn(request, 'top_k'),
    seed: numberIn(request, 'seed'),
    frequencyPenalty: numberIn(request, 'frequency_penalty'),
    presencePenalty: numberIn(request, 'presence_penalty'),
  };
}

function stopIn({ stop }: Fields): readonly string[] {
  if (stop === undefined || stop === null) return [];
  if (typeof stop === 'string') return [stop];
  if (!Array.isArray(stop)) return refuseType('stop', 'a text or a list of texts');
  return stop.map((each: unknown, at) => (typeof each === 'string' ? each : refuseType(`stop.${at}`, 'a text')));
}

function formatIn(request: Fields): AnswerFormat | null {
  const format = objectIn(request, 'response_format');
  if (format === null) return null;
  const type = neededString(format, 'type', 'response_format');
  if (type === 'text') return { kind: 'text' };
  if (type === 'json_object') return { kind: 'json' };
  if (type !== 'json_schema')
    return refuse('response_format.type', '`response_format.type` must be text, json_object or json_schema.');
  const place = 'response_format.json_schema';
  const made = neededObject(format, 'json_schema', 'response_format');
  return {
    kind: 'schema',
    name: stringIn(made, 'name', place),
    description: stringIn(made, 'description', place),
    schema: objectIn(made, 'schema', place) ?? {},
    strict: booleanIn(made, 'strict', place),
  };
}

/** The levels of effort that vendors have. */
const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

function effortIn(fields: Fields, name: string, place = ''): string | null {
  const effort = stringIn(fields, name, place);
  if (effort === null || efforts.includes(effort)) return effort;
  const param = place === '' ? name : `${place}.${name}`;
  return refuse(param, `\`${param}\` must be one of ${efforts.join(', ')}.`);
}

/** OpenAI's `reasoning_effort`, OpenRouter's `reasoning`, the `thinking` of DeepSeek and Anthropic, Qwen's `enable_thinking`. */
function reasoningIn(request: Fields): ReasoningWish | null {
  const wish = objectIn(request, 'reasoning');
  const thinking = objectIn(request, 'thinking');
  const enabled = booleanIn(request, 'enable_thinking');
  const effort = effortIn(request, 'reasoning_effort');
  if (wish === null && thinking === null && enabled === null && effort === null) return null;
  const isOn = enabled ?? switchIn(wish, thinking);
  const budget =
    (wish === null ? null : numberIn(wish, 'max_tokens', 'reasoning')) ??
    (thinking === null ? null : numberIn(thinking, 'budget_tokens', 'thinking'));
  const named = effort ?? (wish === null ? null : effortIn(wish, 'effort', 'reasoning'));
  const isHidden = wish !== null && booleanIn(wish, 'exclude', 'reasoning') === true;
  // Turned on without a level: OpenRouter documents `medium`.
  const level = isOn === false ? 'none' : (named ?? (isOn === true && budget === null ? 'medium' : null));
  return { effort: level, budget, summary: isHidden ? 'none' : summaryIn(wish) };
}

/** @returns null: neither says whether to reason */
function switchIn(wish: Fields | null, thinking: Fields | null): boolean | null {
  const type = thinking?.['type'];
  if (type === 'disabled') return false;
  if (type !== undefined && type !== null) return true;
  return wish === null ? null : booleanIn(wish, 'enabled', 'reasoning');
}

function summaryIn(wish: Fields | null): string | null {
  return wish === null ? null : stringIn(wish, 'summary', 'reasoning');
}
