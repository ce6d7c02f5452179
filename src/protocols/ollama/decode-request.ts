/** Requests of Ollama's clients as conversations: a chat, or the one prompt of `/api/generate`. */
import type { AnswerFormat, Conversation, OpaqueField, Part, ReasoningWish, Tool } from '../../core/conversation.ts';
import { hasLongNumbers, parseExact } from '../../core/exact-json.ts';
import { isObject } from '../../core/json.ts';
import { imagesIn, type Messages, messagesIn } from './decode-messages.ts';
import type { RequestExtras } from './encode-request.ts';
import {
  booleanIn,
  extrasOf,
  type Fields,
  listIn,
  membersBeside,
  numberIn,
  objectIn,
  objectsIn,
  placeOf,
  protocolId,
  refuse,
  stringIn,
} from './members.ts';

/** Members that the hub holds, or that the gateway reads itself. */
const held = new Set(['model', 'messages', 'tools', 'stream', 'format', 'think', 'options', 'prompt', 'system', 'images']);
const heldOptions = new Set([
  ...['num_predict', 'temperature', 'top_p', 'top_k', 'seed', 'frequency_penalty', 'presence_penalty', 'stop'],
]);
/** Members that change the answer, and that no other protocol has. */
const ownMembers = ['logprobs', 'top_logprobs', 'suffix', 'template', 'context', 'raw', 'width', 'height', 'steps'] as const;

/** The request is one of `/api/generate`: it has a prompt in the place of messages. */
export function isGenerate({ prompt, messages }: Fields): boolean {
  return typeof prompt === 'string' && messages === undefined;
}

/**
 * @param text of the request: arguments of tools keep the digits of their numbers
 * @throws OlaError `invalid_request`, with the field as `param`
 */
export function decodeRequest(request: Fields, text?: string): Conversation {
  const options = objectIn(request, 'options') ?? {};
  const opaque = ownMembers.filter((name) => isAsked(request[name])).map(opaqueField);
  const fields = fieldsBeside(request);
  const others = membersBeside(options, heldOptions);
  const own: RequestExtras = {
    ...(Object.keys(fields).length === 0 ? {} : { fields }),
    ...(Object.keys(others).length === 0 ? {} : { options: others }),
  };
  return {
    ...(isGenerate(request) ? promptIn(request) : messagesIn(exactly(request, text))),
    tools: objectsIn(request, 'tools').map((tool, at) => toolIn(tool, placeOf('tools', at))),
    toolChoice: null,
    parallelTools: null,
    ...limitsIn(options),
    stop: stopIn(options),
    format: formatIn(request['format']),
    reasoning: reasoningIn(request['think']),
    cacheKey: null,
    user: null,
    stream: booleanIn(request, 'stream') ?? true,
    extras: extrasOf({ ...own }).extras ?? {},
    unknown: [...Object.keys(fields), ...Object.keys(others).map((name) => `options.${name}`)],
    ...(opaque.length === 0 ? {} : { opaque }),
  };
}

/** A prompt that is not to be cut asks nothing of other vendors: they refuse one that is too long. */
function fieldsBeside(request: Fields): Fields {
  const isHeld = ([name, value]: readonly [string, unknown]) =>
    (ownMembers as readonly string[]).includes(name) || ((name === 'truncate' || name === 'shift') && value === false);
  return Object.fromEntries(Object.entries(membersBeside(request, held)).filter((entry) => !isHeld(entry)));
}

/** Numbers of messages are never read, only written again. */
function exactly(request: Fields, text: string | undefined): Fields {
  const exact = text === undefined || !hasLongNumbers(text) ? null : parseExact(text);
  return isObject(exact) ? { messages: exact['messages'] } : request;
}

/** What a client leaves empty asks for nothing. */
function isAsked(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return false;
  return !(Array.isArray(value) && value.length === 0);
}

function opaqueField(name: string): OpaqueField {
  return { protocol: protocolId, name, field: name };
}

/** A prompt is the first words of a conversation. */
function promptIn(request: Fields): Messages {
  const [system, prompt] = [textIn(request, 'system'), textIn(request, 'prompt')];
  return { system, turns: [{ role: 'user', parts: [...imagesIn(request, ''), ...prompt] }] };
}

function textIn(request: Fields, name: string): Part[] {
  const text = stringIn(request, name) ?? '';
  return text === '' ? [] : [{ type: 'text', text, field: name }];
}

function toolIn(tool: Fields, place: string): Tool {
  const made = objectIn(tool, 'function', place) ?? refuse(placeOf(place, 'function'), `\`${place}.function\` is missing.`);
  const where = placeOf(place, 'function');
  const name = stringIn(made, 'name', where) ?? refuse(placeOf(where, 'name'), `\`${where}.name\` is missing; give a text.`);
  return {
    kind: 'function',
    name,
    description: stringIn(made, 'description', where),
    parameters: objectIn(made, 'parameters', where),
    strict: null,
  };
}

/** A negative `num_predict` sets no limit. A top-k, a seed or a penalty is a number of the same meaning elsewhere. */
function limitsIn(options: Fields): Pick<Conversation, 'maxTokens' | 'sampling'> {
  const number = (name: string) => numberIn(options, name, 'options');
  const most = number('num_predict');
  return {
    maxTokens: most !== null && most > 0 ? most : null,
    sampling: {
      temperature: number('temperature'),
      topP: number('top_p'),
      topK: number('top_k'),
      seed: number('seed'),
      frequencyPenalty: number('frequency_penalty'),
      presencePenalty: number('presence_penalty'),
    },
  };
}

function stopIn(options: Fields): readonly string[] {
  if (typeof options['stop'] === 'string') return [options['stop']];
  return listIn(options, 'stop', 'options').map((each, at) =>
    typeof each === 'string' ? each : refuse(`options.stop.${at}`, `\`options.stop.${at}\` must be a text.`),
  );
}

function formatIn(format: unknown): AnswerFormat | null {
  if (format === undefined || format === null || format === '') return null;
  if (format === 'json') return { kind: 'json' };
  if (!isObject(format)) return refuse('format', '`format` must be json or a JSON Schema.');
  return { kind: 'schema', name: null, description: null, schema: format, strict: null };
}

const levels: readonly unknown[] = ['low', 'medium', 'high', 'max'];

/** `true` names no level: the vendors' usual one is meant. */
function reasoningIn(think: unknown): ReasoningWish | null {
  if (think === undefined || think === null || think === '') return null;
  if (typeof think === 'boolean') return { effort: think ? 'medium' : 'none', budget: null, summary: null };
  if (!levels.includes(think)) return refuse('think', '`think` must be true, false, low, medium, high or max.');
  return { effort: String(think), budget: null, summary: null };
}
