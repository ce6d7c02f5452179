/** Ollama's chats for the contract of the hub. Forms: https://docs.ollama.com/api/chat and https://docs.ollama.com/capabilities/tool-calling. */
import type { HubSample, NativeClient } from '../../contract/hub/sample.ts';
import { line } from './samples.ts';

type Fields = Readonly<Record<string, unknown>>;
interface Message {
  readonly content?: string;
  readonly thinking?: string;
  readonly tool_calls?: readonly { readonly id?: string; readonly function: { readonly name: string } }[];
}

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
};

/** Ollama's packages fold no streams: its page on tools shows this loop. */
function foldStream(stream: string): string {
  const message = { role: 'assistant', content: '', thinking: '', tool_calls: [] as unknown[] };
  for (const text of stream.split('\n').filter((each) => each !== '')) {
    const { message: said } = JSON.parse(text) as { readonly message: Message };
    message.content += said.content ?? '';
    message.thinking += said.thinking ?? '';
    message.tool_calls.push(...(said.tool_calls ?? []));
  }
  return JSON.stringify({ message, done: true });
}

const client: NativeClient = {
  ask: (question, more = {}) => ({
    model: 'MODEL',
    messages: [{ role: 'user', content: question }],
    tools: [weather],
    stream: false,
    ...more,
  }),
  reply(request, answer, { keeps, results: order = 'in order' }) {
    const { message } = JSON.parse(answer) as { readonly message: Message };
    const { thinking: _, ...bare } = message;
    const results = (message.tool_calls ?? []).map(({ id, function: { name } }) => ({
      role: 'tool',
      tool_name: name,
      tool_call_id: id,
      content: `of ${id}`,
    }));
    const ordered = order === 'reversed' ? results.toReversed() : results;
    return { ...request, messages: [...(request['messages'] as Fields[]), keeps === 'all' ? message : bare, ...ordered] };
  },
  fold: foldStream,
};

const said = { role: 'assistant', content: 'Hi' };
const end = { done: true, done_reason: 'tired', prompt_eval_count: 3, eval_count: 1 };
const option = (name: string, value: unknown): Fields => ({ options: { [name]: value } });

export const ollamaHubSample: HubSample = {
  model: { facts: { id: 'up', reasoning: true, input: ['text', 'image'] } },
  streaming: { stream: true },
  thinking: { think: 'high' },
  keepsOrder: false,
  wholeCalls: true,
  tooLong: { status: 400, body: '{"error":"the input length exceeds the context length"}' },
  unknownEvent: '{"mood":"sunny"}\n',
  unknownEnd: {
    word: 'tired',
    answer: line({ message: said, ...end }),
    stream: line({ message: said, done: false }) + line({ message: { role: 'assistant', content: '' }, ...end }),
  },
  said: {
    keep_alive: { keep_alive: '10m' },
    truncate: { truncate: true },
    shift: { shift: true },
    logprobs: { logprobs: true },
    top_logprobs: { top_logprobs: 3 },
    'options.num_ctx': option('num_ctx', 8192),
    'options.num_keep': option('num_keep', 5),
    'options.num_batch': option('num_batch', 2),
    'options.num_gpu': option('num_gpu', 1),
    'options.main_gpu': option('main_gpu', 0),
    'options.num_thread': option('num_thread', 8),
    'options.use_mmap': option('use_mmap', true),
    'options.min_p': option('min_p', 0.1),
    'options.typical_p': option('typical_p', 0.7),
    'options.repeat_last_n': option('repeat_last_n', 33),
    'options.repeat_penalty': option('repeat_penalty', 1.2),
    'options.mirostat': option('mirostat', 1),
    suffix: { suffix: 'return result' },
    template: { template: '{{ .Prompt }}' },
    context: { context: [1, 2, 3] },
    raw: { raw: true },
  },
  client,
};
