/** Requests on a route of another protocol, known by clear signs: a body that the upstream might take is never refused. */
import { OlaError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A form of request, and the route that it belongs to. */
interface Form {
  readonly of: string;
  readonly route: string;
}

const chat: Form = { of: 'OpenAI’s chat completions', route: '/v1/chat/completions' };
const messages: Form = { of: 'Anthropic’s messages', route: '/v1/messages' };
const responses: Form = { of: 'OpenAI’s responses', route: '/v1/responses' };
const gemini: Form = { of: 'Google’s generateContent', route: '/v1beta/models/{model}:generateContent' };

/** @throws OlaError `invalid_request` naming the right route. @param asked the form that the route takes */
export function refuseForeign(asked: 'chat' | 'messages', fields: Fields): void {
  const found = Object.hasOwn(fields, 'messages')
    ? asked === 'chat'
      ? asMessages(fields)
      : asChat(fields)
    : withoutMessages(fields);
  if (found === null) return;
  const [form, sign, param] = found;
  const message = `This is a request of ${form.of} (${sign}), whose route is ${form.route}. Set your client to that API, or send messages in the form of this route.`;
  throw new OlaError('invalid_request', message, { param });
}

type Found = readonly [form: Form, sign: string, param: string] | null;

function withoutMessages(fields: Fields): Found {
  if (Object.hasOwn(fields, 'contents')) return [gemini, "it has 'contents' and no 'messages'", 'contents'];
  return Object.hasOwn(fields, 'input') ? [responses, "it has 'input' and no 'messages'", 'input'] : null;
}

function asMessages({ tools }: Fields): Found {
  const tool: unknown = Array.isArray(tools) ? tools[0] : null;
  if (!isObject(tool) || !isObject(tool['input_schema']) || tool['function'] !== undefined) return null;
  return [messages, "its tools have 'input_schema'", 'tools'];
}

/** Roles that Anthropic's API does not know. */
const chatRoles: readonly unknown[] = ['tool', 'developer', 'function'];
/** Names that stand for `max_tokens`, which Anthropic's API wants, or that it does not know. */
const chatNames = ['max_completion_tokens', 'response_format', 'stream_options'] as const;

function asChat(fields: Fields): Found {
  const { tools, messages: turns } = fields;
  const tool: unknown = Array.isArray(tools) ? tools[0] : null;
  if (isObject(tool) && isObject(tool['function'])) return [chat, "its tools have 'function'", 'tools'];
  const name = fields['max_tokens'] === undefined ? chatNames.find((each) => Object.hasOwn(fields, each)) : undefined;
  if (name !== undefined) return [chat, `it has '${name}' and no 'max_tokens'`, name];
  if (!Array.isArray(turns)) return null;
  const turn: unknown = turns.find(
    (each) => isObject(each) && (chatRoles.includes(each['role']) || Array.isArray(each['tool_calls'])),
  );
  return turn === undefined ? null : [chat, "a message has a role or 'tool_calls' of chats", 'messages'];
}
