/** What OpenAI's chat completions refuse, in their own words: the rules that translations break. */
import { type Fields, fieldsOf, listOf, textOf } from './script.ts';

/** Fields of a request. A member that is no field is refused. */
const known: readonly string[] = [
  'model',
  'messages',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'stop',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'response_format',
  'reasoning_effort',
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'store',
  'metadata',
];

/**
 * @returns the message of the refusal, null for a request that is taken
 * @see https://platform.openai.com/docs/api-reference/chat/create and /docs/guides/function-calling
 */
export function ruleBroken(body: Fields): string | null {
  const odd = Object.keys(body).find((name) => !known.includes(name));
  if (odd !== undefined) return `Unrecognized request argument supplied: ${odd}`;
  if (JSON.stringify(body).includes('ola-r1.')) return 'a wrapper of the gateway was sent';
  if (textOf(body['user']).length > 64) return "Invalid 'user': string too long. Expected a string with maximum length 64.";
  const messages = listOf(body['messages']);
  if (messages.length === 0) return "Invalid 'messages': empty array. Expected an array with minimum length 1.";
  return brokenTools(body) ?? brokenMessages(messages) ?? brokenPairs(messages);
}

function brokenTools(body: Fields): string | null {
  const { tools } = body;
  if (tools !== undefined && listOf(tools).length === 0)
    return "Invalid 'tools': empty array. Expected an array with minimum length 1.";
  if (tools === undefined && body['tool_choice'] !== undefined)
    return "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.";
  if (tools === undefined && body['parallel_tool_calls'] !== undefined)
    return "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.";
  const odd = listOf(tools).find((tool) => !/^[a-zA-Z0-9_-]{1,64}$/.test(textOf(fieldsOf(tool['function'])['name'])));
  return odd === undefined ? null : "Invalid 'tools[0].function.name': string does not match pattern.";
}

const partsOf: Readonly<Record<string, readonly string[]>> = {
  system: ['text'],
  developer: ['text'],
  user: ['text', 'image_url', 'input_audio', 'file'],
  assistant: ['text', 'refusal'],
  tool: ['text'],
};

function brokenMessages(messages: readonly Fields[]): string | null {
  for (const [at, { role, content, tool_calls: calls }] of messages.entries()) {
    const allowed = partsOf[textOf(role)];
    if (allowed === undefined)
      return `Invalid value: '${textOf(role)}'. Supported values are: 'system', 'assistant', 'user', 'tool'.`;
    const odd = listOf(content).find(({ type }) => !allowed.includes(textOf(type)));
    if (odd !== undefined)
      return `Invalid 'messages[${at}]'. '${textOf(odd['type'])}' is not a part of a ${textOf(role)} message.`;
    const empty = content === undefined || content === null || (Array.isArray(content) && content.length === 0);
    if (empty && (role !== 'assistant' || listOf(calls).length === 0))
      return `Invalid value for 'content': expected a string, got null. (messages[${at}])`;
    const long = listOf(calls).find(({ id }) => textOf(id).length > 64 || textOf(id) === '');
    if (long !== undefined) return `Invalid 'messages[${at}].tool_calls[0].id': string too long.`;
  }
  return null;
}

/** Each call is answered by a tool message behind its own message, and a tool message stands nowhere else. */
function brokenPairs(messages: readonly Fields[]): string | null {
  let open: string[] = [];
  for (const { role, tool_calls: calls, tool_call_id: answered } of messages) {
    if (role === 'tool') {
      if (!open.includes(textOf(answered)))
        return "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
      open = open.filter((id) => id !== answered);
      continue;
    }
    if (open.length > 0) return unanswered(open);
    open = listOf(calls).map(({ id }) => textOf(id));
  }
  return open.length > 0 ? unanswered(open) : null;
}

const unanswered = (ids: readonly string[]): string =>
  `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids.join(', ')}`;
