/** Requests of Anthropic's clients as conversations (https://docs.claude.com/en/api/messages). */
import {
  type AnswerFormat,
  type Conversation,
  noSampling,
  type OpaqueField,
  type Part,
  type ReasoningWish,
  type Sampling,
  type Turn,
} from '../../core/conversation.ts';
import { hasLongNumbers, parseExact } from '../../core/exact-json.ts';
import { isObject } from '../../core/json.ts';
import { decodeContent, extrasOf, protocolId, refuse } from './decode-blocks.ts';
import { decodeToolChoice, decodeTools, type ServerTool } from './decode-tools.ts';
import { unknownInside } from './unknown-fields.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The extras of a conversation: members of the request as they came, for an upstream of the same protocol. */
export interface RequestExtras {
  readonly fields?: Fields;
  /** The system prompt came as a text, not as a list of blocks. */
  readonly systemText?: true;
  readonly serverTools?: readonly ServerTool[];
  /** Claude Code's attribution block, the first of the system prompt. */
  readonly attribution?: Fields;
}

/**
 * The text that Claude Code's attribution block begins with (https://code.claude.com/docs/en/llm-gateway-protocol). It differs
 * in each request: in front of another vendor's prompt it would void the prompt cache every time.
 */
const attributionStart = 'x-anthropic-billing-header:';

/** Members that the hub holds as a whole. All others are kept as they came. */
const carried = new Set([
  'model',
  'messages',
  'system',
  'tools',
  'max_tokens',
  'stop_sequences',
  'temperature',
  'top_p',
  'top_k',
  'stream',
]);
/** Members that the hub holds in part; they are not among the unknown ones. */
const held = new Set(['tool_choice', 'metadata', 'thinking', 'output_config', 'output_format']);

/**
 * @param text of the request: inputs of tools keep the digits of their numbers
 * @throws OlaError `invalid_request`, with the field as `param`
 */
export function decodeRequest(request: Fields, text?: string): Conversation {
  const read = text === undefined || !hasLongNumbers(text) ? request : { ...request, messages: messagesIn(text) };
  const body: Fields = Object.fromEntries(Object.entries(read).filter(([, value]) => value !== null && value !== undefined));
  const { tools, serverTools } = decodeTools(body['tools']);
  const fields = Object.fromEntries(Object.entries(body).filter(([name]) => !carried.has(name)));
  const opaque = [...serverTools.map(opaqueTool), ...opaqueFields(body)];
  const refused = new Set(opaque.map(({ field }) => field));
  const system = body['system'] === undefined ? [] : textsOnly(decodeContent(body['system'], 'system'));
  const turns = decodeTurns(body['messages']);
  const attribution = attributionIn(body['system']);
  const own: RequestExtras = {
    ...(Object.keys(fields).length === 0 ? {} : { fields }),
    ...(typeof body['system'] === 'string' ? { systemText: true } : {}),
    ...(serverTools.length === 0 ? {} : { serverTools }),
    ...(attribution === null ? {} : { attribution }),
  };
  return {
    system: attribution === null ? system : system.slice(1),
    turns,
    tools,
    ...decodeToolChoice(body['tool_choice'], tools.length + serverTools.length > 0),
    maxTokens: numberIn(body, 'max_tokens'),
    sampling: decodeSampling(body),
    stop: decodeStop(body['stop_sequences']),
    format: decodeFormat(body),
    reasoning: decodeReasoning(body),
    cacheKey: null,
    user: isObject(body['metadata']) && typeof body['metadata']['user_id'] === 'string' ? body['metadata']['user_id'] : null,
    stream: body['stream'] === true,
    extras: Object.keys(own).length === 0 ? {} : { [protocolId]: { ...own } },
    unknown: [
      ...Object.keys(fields).filter((name) => !held.has(name) && !refused.has(name)),
      ...unknownInside(body, tools, turns),
      ...(attribution === null ? [] : ['system.0']),
    ],
    ...(opaque.length === 0 ? {} : { opaque }),
  };
}

function attributionIn(system: unknown): Fields | null {
  const first: unknown = Array.isArray(system) ? system[0] : null;
  const text = isObject(first) ? first['text'] : null;
  return isObject(first) && typeof text === 'string' && text.startsWith(attributionStart) ? first : null;
}

function opaqueTool({ at, value }: ServerTool): OpaqueField {
  return { protocol: protocolId, name: String(value['type']), field: `tools.${at}` };
}

/** MCP servers, a container and uploaded skills give the model things that no other protocol's upstream has. */
function opaqueFields(body: Fields): OpaqueField[] {
  const servers = body['mcp_servers'];
  const names = [
    ...(Array.isArray(servers) && servers.length === 0 ? [] : ['mcp_servers']),
    ...(body['container'] === '' ? [] : ['container']),
  ].filter((name) => body[name] !== undefined);
  return names.map((name) => ({ protocol: protocolId, name, field: name }));
}

/** Numbers of messages are never read, only written again. */
function messagesIn(text: string): unknown {
  const request = parseExact(text);
  return isObject(request) ? request['messages'] : undefined;
}

function decodeTurns(messages: unknown): Turn[] {
  if (!Array.isArray(messages)) refuse("'messages' must be a list of messages.", 'messages');
  return messages.map((message: unknown, index) => decodeTurn(message, `messages.${index}`));
}

function decodeTurn(message: unknown, field: string): Turn {
  if (!isObject(message)) refuse(`'${field}' must be a message: an object with 'role' and 'content'.`, field);
  const { role, content, ...fields } = message;
  if (role !== 'user' && role !== 'assistant' && role !== 'system') {
    refuse(`'${field}.role' must be 'user', 'assistant' or 'system'.`, `${field}.role`);
  }
  const own = extrasOf({ fields, ...(typeof content === 'string' ? { form: 'text' } : {}) });
  return { role, parts: decodeContent(content, `${field}.content`), ...own };
}

function textsOnly(parts: readonly Part[]): readonly Part[] {
  for (const { type, field } of parts) {
    if (type !== 'text') refuse(`'${field}' must be a text block: the system prompt has no others.`, field ?? 'system');
  }
  return parts;
}

function numberIn(body: Fields, name: string): number | null {
  const value = body[name] ?? null;
  if (value !== null && typeof value !== 'number') refuse(`'${name}' must be a number.`, name);
  return value;
}

function decodeSampling(body: Fields): Sampling {
  return {
    ...noSampling,
    temperature: numberIn(body, 'temperature'),
    topP: numberIn(body, 'top_p'),
    topK: numberIn(body, 'top_k'),
  };
}

function decodeStop(stop: unknown): readonly string[] {
  if (stop === undefined) return [];
  if (!Array.isArray(stop) || !stop.every((each) => typeof each === 'string')) {
    refuse("'stop_sequences' must be a list of texts.", 'stop_sequences');
  }
  return stop;
}

/** `output_format` is the older place of `output_config.format`. */
function decodeFormat(body: Fields): AnswerFormat | null {
  const config = body['output_config'];
  const format = (isObject(config) ? config['format'] : null) ?? body['output_format'];
  if (!isObject(format)) return null;
  const name = isObject(config) && isObject(config['format']) ? 'output_config.format' : 'output_format';
  if (format['type'] !== 'json_schema') refuse(`'${name}.type' must be 'json_schema'.`, `${name}.type`);
  return { kind: 'schema', name: null, description: null, schema: format['schema'], strict: true };
}

function decodeReasoning(body: Fields): ReasoningWish | null {
  const config = body['output_config'];
  const effort = isObject(config) && typeof config['effort'] === 'string' ? config['effort'] : null;
  const thinking = body['thinking'];
  if (!isObject(thinking)) return effort === null ? null : { effort, budget: null, summary: null };
  if (thinking['type'] === 'disabled') return { effort: 'none', budget: null, summary: null };
  const budget = thinking['budget_tokens'];
  const display = thinking['display'];
  return {
    effort,
    budget: thinking['type'] === 'enabled' && typeof budget === 'number' ? budget : null,
    summary: display === 'omitted' ? 'none' : display === 'summarized' ? 'auto' : null,
  };
}
