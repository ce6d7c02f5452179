/** Chat completions for the contract of the hub. Forms: https://platform.openai.com/docs/api-reference/chat, and OpenRouter's `reasoning_details`. */
import type { HubSample, NativeClient } from '../../contract/hub/sample.ts';

type Fields = Readonly<Record<string, unknown>>;
interface Message {
  readonly tool_calls?: readonly { readonly id: string }[];
  readonly reasoning_details?: unknown;
  readonly reasoning_content?: unknown;
}
interface Delta {
  readonly content?: string | null;
  readonly reasoning_content?: string;
  readonly reasoning_details?: readonly unknown[];
  readonly tool_calls?: readonly {
    index: number;
    id?: string;
    type?: string;
    function?: { name?: string; arguments?: string };
  }[];
}

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
};

/** Keeps entries of `reasoning_details` in their order, as OpenRouter's documentation asks of clients. */
function foldStream(stream: string): string {
  const message = { role: 'assistant', content: '', reasoning_content: '', reasoning_details: [] as unknown[] };
  const calls: { id: string; type: string; function: { name: string; arguments: string } }[] = [];
  for (const line of stream.split('\n')) {
    if (!line.startsWith('data: {')) continue;
    const { choices } = JSON.parse(line.slice('data: '.length)) as { choices: readonly { readonly delta: Delta }[] };
    for (const { delta } of choices) {
      message.content += delta.content ?? '';
      message.reasoning_content += delta.reasoning_content ?? '';
      message.reasoning_details.push(...(delta.reasoning_details ?? []));
      for (const { index, id = '', type = 'function', function: made } of delta.tool_calls ?? []) {
        calls[index] ??= { id, type, function: { name: made?.name ?? '', arguments: '' } };
        calls[index].function.arguments += made?.arguments ?? '';
      }
    }
  }
  const content = message.content === '' ? null : message.content;
  return JSON.stringify({
    choices: [{ index: 0, message: { ...message, content, tool_calls: calls }, finish_reason: 'tool_calls' }],
  });
}

const client: NativeClient = {
  ask: (question, more = {}) => ({ model: 'MODEL', messages: [{ role: 'user', content: question }], tools: [weather], ...more }),
  reply(request, answer, { keeps, results: order }) {
    const { message } = (JSON.parse(answer) as { choices: [{ message: Message }] }).choices[0];
    const { reasoning_details: _details, reasoning_content: _content, ...bare } = message;
    const results = (message.tool_calls ?? []).map(({ id }) => ({ role: 'tool', tool_call_id: id, content: `of ${id}` }));
    const said = keeps === 'all' ? message : bare;
    return {
      ...request,
      messages: [...(request['messages'] as Fields[]), said, ...(order === 'reversed' ? results.reverse() : results)],
    };
  },
  fold: foldStream,
};

const head = { id: 'chatcmpl-1', created: 1, model: 'm' };
const hi = { role: 'assistant', content: 'Hi' };

export const openaiHubSample: HubSample = {
  model: {
    quirks: { cacheControl: true, wantsReasoning: true },
    facts: { id: 'up', reasoning: true, strictTools: true, input: ['text', 'image'], maxTokens: 64_000 },
  },
  streaming: { stream: true, stream_options: { include_usage: true } },
  thinking: { reasoning_effort: 'high', max_completion_tokens: 32_000 },
  keepsOrder: false,
  tooLong: {
    status: 400,
    body: '{"error":{"message":"This model\'s maximum context length is 8192 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}',
  },
  unknownEvent: 'event: mood\ndata: {"mood":"sunny"}\n\n',
  unknownEnd: {
    word: 'tired',
    answer: JSON.stringify({ ...head, object: 'chat.completion', choices: [{ index: 0, message: hi, finish_reason: 'tired' }] }),
    stream: [
      { ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta: hi, finish_reason: null }] },
      { ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, finish_reason: 'tired' }] },
    ]
      .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
      .concat('data: [DONE]\n\n')
      .join(''),
  },
  said: {
    logit_bias: { logit_bias: { 50256: -100 } },
    metadata: { metadata: { team: 'a' } },
    prediction: { prediction: { type: 'content', content: 'Hello' } },
    prompt_cache_retention: { prompt_cache_retention: '24h' },
    service_tier: { service_tier: 'flex' },
    store: { store: true },
    verbosity: { verbosity: 'low' },
    n: { n: 2 },
    logprobs: { logprobs: true },
    top_logprobs: { top_logprobs: 3 },
    modalities: { modalities: ['text', 'audio'] },
    audio: { audio: { voice: 'alloy', format: 'wav' } },
    web_search_options: { web_search_options: {} },
    file_id: { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] },
  },
  client,
};
