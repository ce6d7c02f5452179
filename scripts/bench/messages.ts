/** Owns the traffic of Anthropic's protocol, with the same words and tokens as that of OpenAI's: a request, and answers. */

/** The tokens and words that both protocols' answers have. */
export interface Words {
  readonly model: string;
  /** Of a whole answer. */
  readonly text: string;
  /** Of a stream, a chunk each. */
  readonly chunks: readonly string[];
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export const messagesPath = '/v1/messages';
const id = 'msg_bench0123456789';

/** @see https://docs.anthropic.com/en/api/messages */
export function messageOf({ model, text, promptTokens, completionTokens }: Words): string {
  const usage = {
    input_tokens: promptTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: completionTokens,
    service_tier: 'standard',
  };
  const content = [{ type: 'text', text }];
  return JSON.stringify({
    id,
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage,
  });
}

/** The events of a stream: those that begin it, one for each chunk, those that end it. */
export function messageEvents(words: Words): {
  readonly begin: string;
  readonly content: readonly string[];
  readonly end: string;
} {
  const { model, chunks, promptTokens, completionTokens } = words;
  const event = (type: string, fields: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const message = {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: promptTokens, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
  };
  const begin =
    event('message_start', { message }) + event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
  const content = chunks.map((text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }));
  const end =
    event('content_block_stop', { index: 0 }) +
    event('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: completionTokens },
    }) +
    event('message_stop', {});
  return { begin, content, end };
}

/** @returns what is wrong with a whole answer, null when it is right */
export function messageProblem(body: string, { text, completionTokens }: Words): string | null {
  try {
    const parsed = JSON.parse(body) as { content?: [{ text?: unknown }]; usage?: { output_tokens?: unknown } } | null;
    if (parsed?.content?.[0]?.text !== text) return 'another text than the upstream’s';
    return parsed.usage?.output_tokens === completionTokens ? null : 'another usage than the upstream’s';
  } catch {
    return 'not JSON';
  }
}
