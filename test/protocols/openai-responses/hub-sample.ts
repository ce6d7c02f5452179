/** Responses for the contract of the hub. Forms: https://platform.openai.com/docs/api-reference/responses and its page of streaming events. */
import type { HubSample, NativeClient } from '../../contract/hub/sample.ts';
import { event, tooLong } from './samples.ts';

type Fields = Readonly<Record<string, unknown>>;
interface Item {
  readonly type: string;
  readonly call_id?: string;
}

const weather = {
  type: 'function',
  name: 'weather',
  description: 'The weather of a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: false,
};

/** The response of the last event, as Codex keeps it: the items that were done. */
function foldStream(stream: string): string {
  const output: unknown[] = [];
  for (const line of stream.split('\n')) {
    if (!line.startsWith('data: {')) continue;
    const { type, item } = JSON.parse(line.slice('data: '.length)) as { readonly type: string; readonly item?: unknown };
    if (type === 'response.output_item.done') output.push(item);
  }
  return JSON.stringify({ output });
}

const client: NativeClient = {
  ask: (question, more = {}) => ({
    model: 'MODEL',
    input: [{ role: 'user', content: question }],
    tools: [weather],
    store: false,
    ...more,
  }),
  reply(request, answer, { keeps, results: order }) {
    const { output } = JSON.parse(answer) as { output: readonly Item[] };
    const said = output.filter(({ type }) => keeps === 'all' || type !== 'reasoning');
    const results = output
      .filter(({ type }) => type === 'function_call')
      .map(({ call_id: id }) => ({ type: 'function_call_output', call_id: id, output: `of ${id}` }));
    const input = [...(request['input'] as Fields[]), ...said, ...(order === 'reversed' ? results.reverse() : results)];
    return { ...request, input };
  },
  fold: foldStream,
};

const withPart = (part: Fields): Fields => ({ input: [{ role: 'user', content: [part] }] });
const uploaded = { file_id: 'file-1' };
const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', error: null, usage: null };
const hi = {
  id: 'msg_1',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
};
const tired = { ...response, status: 'incomplete', incomplete_details: { reason: 'tired' }, output: [hi] };

export const responsesHubSample: HubSample = {
  model: { facts: { id: 'up', reasoning: true, strictTools: true, input: ['text', 'image'], maxTokens: 64_000 } },
  streaming: { stream: true },
  thinking: { reasoning: { effort: 'high', summary: 'auto' }, max_output_tokens: 32_000 },
  keepsOrder: true,
  tooLong,
  unknownEvent: event('response.mood', { mood: 'sunny' }),
  unknownEnd: {
    word: 'tired',
    answer: JSON.stringify(tired),
    stream: [
      event('response.created', { response: { ...response, status: 'in_progress', output: [] } }),
      event('response.output_item.added', { output_index: 0, item: { ...hi, content: [] } }),
      event('response.output_text.delta', { item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'Hi' }),
      event('response.output_item.done', { output_index: 0, item: hi }),
      event('response.incomplete', { response: tired }),
    ].join(''),
  },
  said: {
    'output_text.annotations': {
      input: [
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: [{ type: 'output_text', text: 'Hi', annotations: [{ type: 'url_citation' }] }] },
        { role: 'user', content: 'More' },
      ],
    },
    'input_image.file_id': withPart({ type: 'input_image', ...uploaded }),
    'input_file.file_id': withPart({ type: 'input_file', ...uploaded }),
    item_reference: { input: [{ type: 'item_reference', id: 'msg_1' }] },
    'tools with a type of their own': { tools: [{ type: 'web_search' }] },
    'tool_choice of a tool with a type of its own': { tool_choice: { type: 'web_search' } },
    'text.verbosity': { text: { verbosity: 'low' } },
    include: { include: ['web_search_call.action.sources'] },
    store: { store: true },
    metadata: { metadata: { team: 'a' } },
    service_tier: { service_tier: 'flex' },
    truncation: { truncation: 'auto' },
    max_tool_calls: { max_tool_calls: 3 },
    context_management: { context_management: [{ type: 'compaction' }] },
    prompt_cache_retention: { prompt_cache_retention: '24h' },
    prompt_cache_options: { prompt_cache_options: { mode: 'explicit' } },
    moderation: { moderation: { model: 'omni-moderation-latest' } },
    previous_response_id: { previous_response_id: 'resp_0' },
    conversation: { conversation: 'conv_1' },
    prompt: { prompt: { id: 'pmpt_1' } },
    background: { background: true },
    top_logprobs: { top_logprobs: 3 },
  },
  client,
};
