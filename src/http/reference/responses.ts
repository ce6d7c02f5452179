/** What the reference says of OpenAI's responses. */
import { eventStream, json, passedOn, vendorOperation } from './inference.ts';
import type { Content, DescribedRequest, Operations } from './operations.ts';

/** @param page below OpenAI's API reference */
const responses = (page: string, id: string, description: string, request: DescribedRequest, ...content: readonly Content[]) =>
  vendorOperation(`https://platform.openai.com/docs/api-reference/responses/${page}`, id, description, request, content);

const hello = { model: 'openai/gpt-6-sol', input: 'Hello' };
const message = {
  id: 'msg_1',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
};
const head = { id: 'resp_1', object: 'response', created_at: 1_795_000_000, model: 'gpt-6-sol' };
const usage = {
  input_tokens: 8,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 4,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 12,
};
const response = { ...head, status: 'completed', output: [message], usage };
const place = { item_id: message.id, output_index: 0, content_index: 0 };
const events: readonly object[] = [
  { type: 'response.created', sequence_number: 0, response: { ...head, status: 'in_progress', output: [] } },
  { type: 'response.output_item.added', sequence_number: 1, output_index: 0, item: { ...message, content: [] } },
  { type: 'response.output_text.delta', sequence_number: 2, ...place, delta: 'Hi' },
  { type: 'response.output_item.done', sequence_number: 3, output_index: 0, item: message },
  { type: 'response.completed', sequence_number: 4, response },
];
const stream: Content = {
  ...eventStream('OpenAI’s events, from `response.created` to `response.completed`'),
  example: events.map((event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
};

const files = [
  { role: 'user', content: [{ type: 'input_text', text: 'What is in the file?' }] },
  { type: 'function_call', call_id: 'call_1', name: 'read', arguments: '{"path":"a.txt"}' },
  { type: 'function_call_output', call_id: 'call_1', output: 'A list of names.' },
];

export const responsesOperations: Operations = {
  'POST /v1/responses': responses(
    'create',
    'createResponse',
    `OpenAI’s responses, for the models of every provider. ${passedOn} For a provider of another protocol ola translates: nothing is stored there, so the answer says \`store: false\`, and \`previous_response_id\`, \`conversation\` and \`background\` are refused. Send the whole conversation in \`input\`.\n\nA stream is passed on event by event. A stream that breaks off ends with an event \`response.failed\`, which has \`error\` at its top, too, and without \`response.completed\`.`,
    { examples: { 'A response': hello, 'As a stream': { ...hello, stream: true } } },
    json('OpenAI’s response', response),
    stream,
  ),
  'POST /v1/responses/input_tokens': responses(
    'input-tokens',
    'countResponseTokens',
    `Counts the tokens that a response would be asked with, without an answer. ${passedOn} For a provider without such a call ola estimates the count, and says so in \`X-Ola-Estimated\`.`,
    { examples: { 'A text': hello, 'A conversation': { model: hello.model, input: files } } },
    json('OpenAI’s count', { object: 'response.input_tokens', input_tokens: 8 }),
  ),
  'POST /v1/responses/compact': responses(
    'compact',
    'compactResponse',
    `Makes a conversation shorter, for a later response. ${passedOn} Only providers of this protocol have it.`,
    { examples: { 'A conversation': { model: hello.model, input: files }, 'A text': hello } },
    json('OpenAI’s compacted conversation', {
      id: 'resp_2',
      object: 'response.compaction',
      created_at: 1_795_000_000,
      output: [{ id: 'cmp_1', type: 'compaction', encrypted_content: 'gAAAAAB...' }],
      usage,
    }),
  ),
};
