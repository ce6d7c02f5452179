/** What the reference says of chat completions and the older completions. */
import { Type } from '@sinclair/typebox';
import {
  answerHeaders,
  eventStream,
  flag,
  inferenceErrors,
  integer,
  model,
  number,
  oneOf,
  open,
  optional,
  profileParameter,
  text,
  usage,
  user,
} from './inference-shapes.ts';
import type { Operations } from './operations.ts';
import { json } from './shapes.ts';

const groqModel = 'groq/llama-3.3-70b-versatile';

const streamFields = {
  stream: optional(flag('the answer comes event by event, and ends with `data: [DONE]`')),
  stream_options: optional(open({ include_usage: optional(flag('a last event has the usage of the whole call')) })),
};

const samplingFields = {
  temperature: optional(number('how freely it chooses; 0 nearly always takes the likeliest', 0, 2)),
  top_p: optional(number('chooses among the likeliest tokens that make up this share', 0, 1)),
  frequency_penalty: optional(number('disfavours what was said often', -2, 2)),
  presence_penalty: optional(number('disfavours what was said at all', -2, 2)),
  logit_bias: optional(Type.Record(Type.String(), Type.Number({ minimum: -100, maximum: 100 }), { description: 'by token id' })),
  n: optional(integer('so many answers to the same question', 1, 128)),
  seed: optional(Type.Integer({ description: 'the same seed asks for the same answer, without a promise' })),
  stop: optional(
    Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 4 })], {
      description: 'the answer ends before any of these',
    }),
  ),
  user,
};

const imagePart = open({
  type: Type.Literal('image_url'),
  image_url: open({
    url: text('an address that the provider can reach, or `data:image/png;base64,...`'),
    detail: Type.Optional(oneOf(['auto', 'low', 'high'], 'how closely it looks')),
  }),
});
const contentPart = Type.Union([
  open({ type: Type.Literal('text'), text: Type.String() }),
  imagePart,
  open({
    type: Type.Literal('input_audio'),
    input_audio: open({ data: text('base64'), format: oneOf(['wav', 'mp3'], 'of the data') }),
  }),
  open({
    type: Type.Literal('file'),
    file: open({
      file_data: Type.Optional(text('base64, as a data URL')),
      file_id: Type.Optional(text('of a file that the provider keeps')),
      filename: Type.Optional(Type.String()),
    }),
  }),
]);

const toolCall = open({
  id: text('to which the tool’s answer refers'),
  type: Type.Literal('function'),
  function: open({ name: Type.String(), arguments: text('JSON as text') }),
});

const message = open(
  {
    role: oneOf(['system', 'developer', 'user', 'assistant', 'tool'], 'who speaks'),
    content: optional(Type.Union([Type.String(), Type.Array(contentPart)], { description: 'text, or parts of several kinds' })),
    name: Type.Optional(text('tells speakers of one role apart')),
    tool_calls: Type.Optional(Type.Array(toolCall, { description: 'of an assistant: what it wants to be called' })),
    tool_call_id: Type.Optional(text('of a tool: the call that this answers')),
    refusal: optional(text('of an assistant: why it would not')),
  },
  { $id: 'ChatMessage' },
);

const tool = open(
  {
    type: Type.Literal('function'),
    function: open({
      name: Type.String({ pattern: '^[a-zA-Z0-9_-]{1,64}$' }),
      description: Type.Optional(text('when and how to use it')),
      parameters: Type.Optional(open({}, { description: 'a JSON Schema of the arguments' })),
      strict: optional(flag('the arguments must fit the schema')),
    }),
  },
  { $id: 'ChatTool' },
);

const responseFormat = Type.Union([
  open({ type: Type.Literal('text') }),
  open({ type: Type.Literal('json_object') }),
  open({
    type: Type.Literal('json_schema'),
    json_schema: open({
      name: Type.String(),
      description: Type.Optional(Type.String()),
      schema: Type.Optional(open({})),
      strict: optional(Type.Boolean()),
    }),
  }),
]);

const chatRequest = open(
  {
    model,
    messages: Type.Array(message, { minItems: 1, description: 'the conversation so far' }),
    ...streamFields,
    ...samplingFields,
    max_completion_tokens: optional(integer('the longest answer, thinking included', 1)),
    max_tokens: optional(integer('the older name of the same', 1)),
    reasoning_effort: optional(oneOf(['none', 'minimal', 'low', 'medium', 'high', 'xhigh'], 'how long it thinks')),
    tools: Type.Optional(Type.Array(tool, { description: 'what it may ask to be called' })),
    tool_choice: Type.Optional(
      Type.Union(
        [
          oneOf(['none', 'auto', 'required'], 'whether it may, or must, call a tool'),
          open({ type: Type.Literal('function'), function: open({ name: Type.String() }) }),
        ],
        { description: 'whether and which' },
      ),
    ),
    parallel_tool_calls: Type.Optional(flag('it may ask for several at once')),
    response_format: Type.Optional(responseFormat),
    logprobs: optional(flag('the answer says how likely its tokens were')),
    top_logprobs: optional(integer('how many other tokens are named at each place', 0, 20)),
    store: optional(flag('the provider may keep the answer')),
    metadata: optional(Type.Record(Type.String(), Type.String(), { description: 'kept with a stored answer' })),
    service_tier: optional(text('how the provider serves it')),
  },
  { $id: 'ChatCompletionRequest', description: 'OpenAI’s request; fields that stand not here go to the provider as they are' },
);

const chatCompletion = open(
  {
    id: Type.String(),
    object: Type.Literal('chat.completion'),
    created: Type.Integer({ description: 'seconds since 1970' }),
    model: Type.String(),
    choices: Type.Array(
      open({
        index: Type.Integer({ minimum: 0 }),
        message: open({
          role: Type.Literal('assistant'),
          content: Type.Union([Type.String(), Type.Null()]),
          refusal: optional(Type.String()),
          tool_calls: Type.Optional(Type.Array(toolCall)),
        }),
        finish_reason: Type.Union([
          oneOf(['stop', 'length', 'tool_calls', 'content_filter', 'function_call'], 'why it ended'),
          Type.Null(),
        ]),
      }),
    ),
    usage: Type.Optional(usage),
  },
  { $id: 'ChatCompletion', description: 'the provider’s answer, as it came' },
);

const prompt = Type.Union([
  Type.String(),
  Type.Array(Type.String()),
  Type.Array(Type.Integer({ minimum: 0 })),
  Type.Array(Type.Array(Type.Integer({ minimum: 0 }))),
  Type.Null(),
]);

const completionRequest = open(
  {
    model,
    prompt: Type.Optional(prompt),
    ...streamFields,
    ...samplingFields,
    max_tokens: optional(integer('the longest answer', 0)),
    best_of: optional(integer('so many are made and the best given', 0, 20)),
    echo: optional(flag('the answer begins with the prompt')),
    logprobs: optional(integer('how many likely tokens are named at each place', 0, 5)),
    suffix: optional(text('what comes behind the answer')),
  },
  { $id: 'CompletionRequest' },
);

const completion = open(
  {
    id: Type.String(),
    object: Type.Literal('text_completion'),
    created: Type.Integer({ description: 'seconds since 1970' }),
    model: Type.String(),
    choices: Type.Array(
      open({ index: Type.Integer({ minimum: 0 }), text: Type.String(), finish_reason: Type.Union([Type.String(), Type.Null()]) }),
    ),
    usage: Type.Optional(usage),
  },
  { $id: 'Completion' },
);

const answered = {
  id: 'chatcmpl-demo-3b2a1c4d',
  object: 'chat.completion',
  created: 1_795_000_000,
  model: 'echo',
  choices: [{ index: 0, message: { role: 'assistant', content: 'You said: Hello', refusal: null }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 },
};

export const chatOperations: Operations = {
  'POST /v1/chat/completions': {
    id: 'createChatCompletion',
    tag: 'Inference',
    description:
      'OpenAI’s API, for every provider. The body goes to the provider as it came, only the model replaced; the answer comes back as it is.\n\n' +
      'A stream is passed on event by event. One that breaks off ends with an event `{"error": {...}}` and without `[DONE]`.',
    parameters: [profileParameter],
    request: json(chatRequest, {
      demo: {
        summary: 'The demo model (npm start, ola serve --demo)',
        value: { model: 'demo/echo', messages: [{ role: 'user', content: 'Hello' }] },
      },
      question: {
        summary: 'A question',
        value: {
          model: groqModel,
          messages: [
            { role: 'system', content: 'Answer in one sentence.' },
            { role: 'user', content: 'Why is the sky blue?' },
          ],
          max_completion_tokens: 200,
        },
      },
      stream: {
        summary: 'As a stream, with usage',
        value: {
          model: groqModel,
          messages: [{ role: 'user', content: 'Count to ten.' }],
          stream: true,
          stream_options: { include_usage: true },
        },
      },
      tool: {
        summary: 'With a tool',
        value: {
          model: groqModel,
          messages: [{ role: 'user', content: 'How warm is it in Oslo?' }],
          tools: [
            {
              type: 'function',
              function: {
                name: 'temperature',
                description: 'The temperature of a city, in degrees Celsius',
                parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
              },
            },
          ],
        },
      },
    }),
    answers: [
      {
        status: 200,
        description: 'The answer, or the stream of it.',
        headers: answerHeaders,
        content: [
          ...json(chatCompletion, { demo: { summary: 'What the demo says', value: answered } }),
          eventStream('`chat.completion.chunk` objects; the last line is `data: [DONE]`'),
        ],
      },
    ],
    errors: inferenceErrors,
  },
  'POST /v1/completions': {
    id: 'createCompletion',
    tag: 'Inference',
    description: 'The older API, for models that go on with a text instead of answering it. Streams as chat completions do.',
    parameters: [profileParameter],
    request: json(completionRequest, {
      text: {
        summary: 'Goes on with a text',
        value: { model: 'deepseek/deepseek-v4-pro', prompt: 'def fibonacci(n):', max_tokens: 64, temperature: 0 },
      },
    }),
    answers: [
      {
        status: 200,
        description: 'The answer, or the stream of it.',
        headers: answerHeaders,
        content: [...json(completion), eventStream('`text_completion` objects; the last line is `data: [DONE]`')],
      },
    ],
    errors: inferenceErrors,
  },
};
