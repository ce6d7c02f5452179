/** What the reference says of Anthropic's wire formats. */
import { Type } from '@sinclair/typebox';
import { eventStream, json, passedOn, vendorOperation } from './inference.ts';
import type { Content, DescribedRequest, ErrorForm, Operation, Operations, Parameter } from './operations.ts';

const types = [
  'invalid_request_error',
  'authentication_error',
  'billing_error',
  'permission_error',
  'not_found_error',
  'conflict_error',
  'request_too_large',
  'rate_limit_error',
  'api_error',
  'timeout_error',
  'overloaded_error',
] as const;

export const anthropicErrors: ErrorForm = {
  name: 'messages',
  schema: Type.Object(
    {
      type: Type.Literal('error'),
      error: Type.Object({
        type: Type.Union(types.map((name) => Type.Literal(name))),
        message: Type.String({ description: 'what went wrong, and what to do next' }),
        code: Type.String({ description: 'ola’s own code, for programs: it does not change' }),
        param: Type.Optional(Type.String({ description: 'the field that is wrong, dotted' })),
        details: Type.Optional(
          Type.Object({}, { additionalProperties: true, description: 'more facts; they depend on the code' }),
        ),
      }),
    },
    {
      $id: 'AnthropicError',
      description: 'Errors in the form of Anthropic’s API; `code`, `param` and `details` are ola’s additions.',
    },
  ),
};

const parameters: readonly Parameter[] = [
  {
    name: 'anthropic-version',
    in: 'header',
    description:
      'Passed on, as each header that begins with `anthropic-` and holds no credential; a provider gets `2023-06-01` without it.',
    schema: Type.String(),
  },
];

/** @param page below Anthropic's API reference */
function anthropic(
  page: string,
  id: string,
  description: string,
  request: DescribedRequest,
  ...content: readonly Content[]
): Operation {
  const operation = vendorOperation(`https://docs.anthropic.com/en/api/${page}`, id, description, request, content);
  return { ...operation, parameters: [...(operation.parameters ?? []), ...parameters], errorForm: anthropicErrors };
}

const hello = { model: 'anthropic/claude-sonnet-5', max_tokens: 64, messages: [{ role: 'user', content: 'Hello' }] };
const begun = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-sonnet-5' };
const ends = { stop_reason: 'end_turn', stop_sequence: null };
const message = { ...begun, content: [{ type: 'text', text: 'Hi' }], ...ends, usage: { input_tokens: 8, output_tokens: 4 } };
const events: readonly object[] = [
  {
    type: 'message_start',
    message: { ...begun, content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: 8, output_tokens: 1 } },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: ends, usage: { output_tokens: 4 } },
  { type: 'message_stop' },
];
const stream: Content = {
  ...eventStream('Anthropic’s events, from `message_start` to `message_stop`'),
  example: events.map((event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
};

export const anthropicOperations: Operations = {
  'POST /v1/messages': anthropic(
    'messages',
    'createMessage',
    `Anthropic’s messages, for the models of every provider. The base URL of a client has no \`/v1\`. ${passedOn} Only its \`model\` is the name that the client asked for. Headers that begin with \`anthropic-\` go to the provider, except those that hold a credential, and \`anthropic-ratelimit-*\` of the answer go to the client. For a provider of another protocol ola translates.\n\nA stream is passed on event by event. A stream that breaks off ends with an event \`error\` and without \`message_stop\`.`,
    { examples: { 'A message': hello, 'As a stream': { ...hello, stream: true } } },
    json('Anthropic’s message', message),
    stream,
  ),
  'POST /v1/messages/count_tokens': anthropic(
    'messages-count-tokens',
    'countMessageTokens',
    `Counts the tokens that a message would have, without an answer. ${passedOn} For a provider without such a call ola estimates the count, and says so in \`X-Ola-Estimated\`.`,
    {
      examples: {
        'A message': { model: hello.model, messages: hello.messages },
        'With instructions': { model: hello.model, system: 'Answer in one word.', messages: hello.messages },
      },
    },
    json('Anthropic’s count', { input_tokens: 8 }),
  ),
};
