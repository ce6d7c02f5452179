/** Messages for the contract of the hub. Forms: https://docs.claude.com/en/api/messages and https://docs.claude.com/en/docs/build-with-claude/streaming. */
import type { HubSample, NativeClient } from '../../contract/hub/sample.ts';

type Fields = Readonly<Record<string, unknown>>;
interface Block {
  readonly type: string;
  readonly id?: string;
}
interface Event {
  readonly type: string;
  readonly index?: number;
  readonly content_block?: Record<string, unknown>;
  readonly delta?: Readonly<Record<string, string>>;
}

const weather = {
  name: 'weather',
  description: 'The weather of a city.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } } },
};

/** The content of a message, as the SDK accumulates it. */
function foldStream(stream: string): string {
  const content: Record<string, unknown>[] = [];
  const inputs: string[] = [];
  for (const line of stream.split('\n')) {
    if (!line.startsWith('data: {')) continue;
    const { type, index = 0, content_block: block, delta = {} } = JSON.parse(line.slice('data: '.length)) as Event;
    if (type === 'content_block_start') content[index] = { ...block };
    const open = content[index];
    if (type === 'content_block_stop' && open?.['type'] === 'tool_use') open['input'] = JSON.parse(inputs[index] || '{}');
    if (type !== 'content_block_delta' || open === undefined) continue;
    if (delta['type'] === 'input_json_delta') inputs[index] = (inputs[index] ?? '') + (delta['partial_json'] ?? '');
    for (const name of ['text', 'thinking', 'signature'])
      if (delta[name] !== undefined) open[name] = String(open[name] ?? '') + delta[name];
  }
  return JSON.stringify({ role: 'assistant', content, stop_reason: 'tool_use' });
}

const client: NativeClient = {
  ask: (question, more = {}) => ({
    model: 'MODEL',
    max_tokens: 1024,
    messages: [{ role: 'user', content: question }],
    tools: [weather],
    ...more,
  }),
  reply(request, answer, { keeps, results: order }) {
    const { content } = JSON.parse(answer) as { content: readonly Block[] };
    const said = content.filter(({ type }) => keeps === 'all' || !type.endsWith('thinking'));
    const results = content
      .filter(({ type }) => type === 'tool_use')
      .map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: `of ${id}` }));
    const more = [
      { role: 'assistant', content: said },
      { role: 'user', content: order === 'reversed' ? results.reverse() : results },
    ];
    return { ...request, messages: [...(request['messages'] as Fields[]), ...more] };
  },
  fold: foldStream,
};

const withBlock = (block: Fields): Fields => ({ messages: [{ role: 'user', content: [block] }] });
const withTool = (more: Fields): Fields => ({ tools: [{ ...weather, ...more }] });
const plain = { type: 'text', media_type: 'text/plain', data: 'Words' };
const document = { type: 'document', source: plain };

const eventOf = (event: Fields) => `event: ${event['type']}\ndata: ${JSON.stringify(event)}\n\n`;
const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', stop_sequence: null };

export const anthropicHubSample: HubSample = {
  model: {
    facts: {
      id: 'up',
      reasoning: true,
      thinking: 'adaptive',
      midSystem: true,
      strictTools: true,
      input: ['text', 'image'],
      maxTokens: 64_000,
    },
  },
  strictModel: { facts: { id: 'up', reasoning: true, thinking: 'budget', maxTokens: 64_000 } },
  streaming: { stream: true },
  thinking: { thinking: { type: 'enabled', budget_tokens: 2048 }, max_tokens: 32_000 },
  keepsOrder: true,
  tooLong: {
    status: 400,
    body: '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}',
  },
  unknownEvent: eventOf({ type: 'mood', mood: 'sunny' }),
  unknownEnd: {
    word: 'tired',
    answer: JSON.stringify({
      ...message,
      content: [{ type: 'text', text: 'Hi' }],
      stop_reason: 'tired',
      usage: { input_tokens: 3, output_tokens: 1 },
    }),
    stream: [
      {
        type: 'message_start',
        message: { ...message, content: [], stop_reason: null, usage: { input_tokens: 3, output_tokens: 0 } },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'tired', stop_sequence: null }, usage: { output_tokens: 1 } },
      { type: 'message_stop' },
    ]
      .map(eventOf)
      .join(''),
  },
  said: {
    'attribution block of system': {
      system: [{ type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1; cch=abc;' }],
    },
    'output_config.task_budget': { output_config: { task_budget: { type: 'tokens', total: 50_000 } } },
    cache_control: { cache_control: { type: 'ephemeral' } },
    service_tier: { service_tier: 'auto' },
    inference_geo: { inference_geo: 'eu' },
    speed: { speed: 'fast' },
    context_management: { context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } },
    betas: { betas: ['a-beta'] },
    diagnostics: { diagnostics: {} },
    fallbacks: { fallbacks: [{ model: 'm2' }] },
    fallback_credit_token: { fallback_credit_token: 'token' },
    user_profile_id: { user_profile_id: 'profile' },
    container: { container: 'container-1' },
    mcp_servers: { mcp_servers: [{ type: 'url', url: 'https://example.com', name: 'example' }] },
    'tools.eager_input_streaming': withTool({ eager_input_streaming: true }),
    'tools.defer_loading': withTool({ defer_loading: true }),
    'tools.allowed_callers': withTool({ allowed_callers: ['direct'] }),
    'tools.input_examples': withTool({ input_examples: [{ city: 'Rome' }] }),
    'tools with a type of their own': { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    'text.citations': withBlock({ type: 'text', text: 'Hi', citations: [{ type: 'char_location', cited_text: 'Hi' }] }),
    'image file': withBlock({ type: 'image', source: { type: 'file', file_id: 'file_1' } }),
    'document content with images': withBlock({
      type: 'document',
      source: {
        type: 'content',
        content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }],
      },
    }),
    'document file': withBlock({ type: 'document', source: { type: 'file', file_id: 'file_1' } }),
    'document.context': withBlock({ ...document, context: 'of a letter' }),
    'document.citations': withBlock({ ...document, citations: { enabled: true } }),
  },
  client,
};
