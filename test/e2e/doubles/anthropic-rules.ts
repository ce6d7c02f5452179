/** What Anthropic's Messages API refuses, in its own words: the rules that translations break. */
import { type Fields, fieldsOf, listOf, textOf } from './script.ts';

/** In messages alone: system turns in mid-conversation are a beta. */
const systemBeta = 'mid-conversation-system';

/**
 * @param counts the request is for a count of tokens, and has no limit of the answer
 * @param sign the proof that a text of reasoning must have
 * @returns the message of the refusal, null for a request that is taken
 * @see https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking and /en/docs/agents-and-tools/tool-use
 */
export function ruleBroken(
  body: Fields,
  headers: ReadonlyMap<string, string>,
  counts: boolean,
  sign: (thinking: string) => string,
): string | null {
  const messages = listOf(body['messages']);
  return (
    brokenHead(body, headers, counts) ??
    brokenRoles(messages, headers) ??
    first(messages, (message, at) => brokenBlocks(message, at, sign)) ??
    first(messages, (message, at) => brokenPair(message, messages[at + 1], messages[at - 1], at)) ??
    brokenThinking(body, messages)
  );
}

function first<T>(all: readonly T[], rule: (one: T, at: number) => string | null): string | null {
  for (const [at, one] of all.entries()) {
    const broken = rule(one, at);
    if (broken !== null) return broken;
  }
  return null;
}

function brokenHead(body: Fields, headers: ReadonlyMap<string, string>, counts: boolean): string | null {
  if (!headers.has('anthropic-version')) return 'anthropic-version: header is required';
  if (!counts && !Number.isInteger(body['max_tokens'])) return 'max_tokens: Field required';
  const text = JSON.stringify(body);
  if (text.includes('ola-r1.')) return 'a wrapper of the gateway was sent';
  const marks = text.match(/"cache_control":\{/g)?.length ?? 0;
  if (marks > 4) return `A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`;
  const odd = listOf(body['tools']).find(({ type, input_schema: schema }) => {
    return (type === undefined || type === 'custom') && fieldsOf(schema)['type'] !== 'object';
  });
  return odd === undefined ? null : `tools.0.custom.input_schema.type: Field required (${textOf(odd['name'])})`;
}

function brokenRoles(messages: readonly Fields[], headers: ReadonlyMap<string, string>): string | null {
  if (messages.length === 0) return 'messages: at least one message is required';
  if (messages[0]?.['role'] !== 'user') return 'messages: first message must use the "user" role';
  const known = ['user', 'assistant', ...(headers.get('anthropic-beta')?.includes(systemBeta) === true ? ['system'] : [])];
  const odd = messages.find(({ role }) => !known.includes(textOf(role)));
  if (odd === undefined) return null;
  return `messages: Unexpected role "${textOf(odd['role'])}". The Messages API accepts a top-level \`system\` parameter, not "system" as an input message role.`;
}

const blocksOf = (message: Fields | undefined): readonly Fields[] => listOf(message?.['content']);

function brokenBlocks(message: Fields, at: number, sign: (thinking: string) => string): string | null {
  if (message['content'] === '') return `messages.${at}: user messages must have non-empty content`;
  return first(blocksOf(message), (block, index) => {
    const place = `messages.${at}.content.${index}`;
    const { type } = block;
    if (type === 'text' && textOf(block['text']) === '') return 'messages: text content blocks must be non-empty';
    if (type === 'tool_use' && !/^[a-zA-Z0-9_-]{1,64}$/.test(textOf(block['id'])))
      return `${place}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`;
    if (type === 'tool_use' && (typeof block['input'] !== 'object' || block['input'] === null))
      return `${place}.tool_use.input: Input should be a valid dictionary`;
    if (type === 'thinking' && block['signature'] !== sign(textOf(block['thinking'])))
      return `${place}: Invalid \`signature\` in \`thinking\` block`;
    return null;
  });
}

/** Calls are answered by the next message, which begins with the results; a result stands behind its call alone. */
function brokenPair(message: Fields, next: Fields | undefined, before: Fields | undefined, at: number): string | null {
  const calls = blocksOf(message)
    .filter(({ type }) => type === 'tool_use')
    .map(({ id }) => textOf(id));
  const follows = blocksOf(next);
  const head = follows.slice(0, follows.findIndex(({ type }) => type !== 'tool_result') >>> 0);
  const answered = head.map(({ tool_use_id: id }) => textOf(id));
  const open = calls.filter((id) => !answered.includes(id));
  if (open.length > 0)
    return `messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}.`;
  const results = blocksOf(message).filter(({ type }) => type === 'tool_result');
  const called = blocksOf(before).map(({ id }) => textOf(id));
  const stray = results.find(({ tool_use_id: id }) => !called.includes(textOf(id)));
  if (stray === undefined) return null;
  return `messages.${at}.content.0: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${textOf(stray['tool_use_id'])}.`;
}

function brokenThinking(body: Fields, messages: readonly Fields[]): string | null {
  const { type, budget_tokens: budget } = fieldsOf(body['thinking']);
  if (type !== 'enabled' && type !== 'adaptive') return null;
  if (type === 'enabled' && (Number(budget) < 1024 || Number(budget) >= Number(body['max_tokens'])))
    return '`max_tokens` must be greater than `thinking.budget_tokens`';
  const { temperature } = body;
  if (temperature !== undefined && temperature !== 1) return '`temperature` may only be set to 1 when thinking is enabled.';
  if (['any', 'tool'].includes(textOf(fieldsOf(body['tool_choice'])['type'])))
    return 'Thinking may not be enabled when tool_choice forces tool use.';
  // The turn that waits for the results of its calls must begin with its reasoning.
  const last = messages.findLastIndex(({ role }) => role === 'assistant');
  const [begin] = blocksOf(messages[last]);
  const calls = blocksOf(messages[last]).some((block) => block['type'] === 'tool_use');
  if (type === 'adaptive' || !calls || ['thinking', 'redacted_thinking'].includes(textOf(begin?.['type']))) return null;
  return `messages.${last}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${textOf(begin?.['type'])}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block.`;
}
