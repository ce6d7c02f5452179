/** The official packages of OpenAI and Anthropic behind one shape, so that a test asks both alike. Their own types do the reading. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

export interface ToolOf {
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface Result {
  readonly id: string;
  readonly text: string;
  /** Base64 of a PNG; Anthropic's clients alone can send one with a result. */
  readonly image?: string;
}

export type Turn =
  | { readonly user: string; readonly image?: string }
  | { readonly heard: Heard }
  | { readonly results: readonly Result[]; readonly user?: string };

export interface Question {
  readonly model: string;
  readonly turns: readonly Turn[];
  readonly system?: string;
  readonly tools?: readonly ToolOf[];
  /** JSON Schema of the answer. */
  readonly schema?: Readonly<Record<string, unknown>>;
  readonly stream: boolean;
  /** The model is asked to reason. */
  readonly thinks?: boolean;
  /** Fields that the package does not know, for the body. */
  readonly more?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Told each piece of text of a stream. */
  readonly onText?: (text: string) => void;
}

export interface Heard {
  readonly model: string;
  readonly text: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly input: unknown }[];
  /** In OpenAI's words. */
  readonly end: string | null;
  readonly tokens: { readonly prompt: number; readonly completion: number; readonly cacheRead: number };
  readonly headers: Headers;
  /** The message as the package has it: Anthropic's clients send it back whole. */
  readonly raw: unknown;
}

export interface Sdk {
  readonly name: 'openai' | 'anthropic' | 'responses';
  ask(question: Question): Promise<Heard>;
}

export function sdksOf(address: string, apiKey: string): readonly Sdk[] {
  const options = { apiKey, maxRetries: 0, logLevel: 'off' } as const;
  const openai = new OpenAI({ ...options, baseURL: `${address}/v1` });
  const anthropic = new Anthropic({ ...options, baseURL: address });
  return [
    { name: 'openai', ask: (question) => askOpenai(openai, question) },
    { name: 'anthropic', ask: (question) => askAnthropic(anthropic, question) },
  ];
}

function optionsOf({ signal, headers }: Question): { signal?: AbortSignal; headers?: Record<string, string> } {
  return { ...(signal === undefined ? {} : { signal }), ...(headers === undefined ? {} : { headers: { ...headers } }) };
}

type ChatBody = OpenAI.ChatCompletionCreateParamsNonStreaming;
const dataUrl = (image: string): string => `data:image/png;base64,${image}`;

function chatBody({ model, turns, system, tools, schema, thinks, more }: Question): ChatBody {
  const messages = turns.flatMap((turn): OpenAI.ChatCompletionMessageParam[] => {
    if ('heard' in turn) return [replayed(turn.heard)];
    if ('results' in turn) {
      const results = turn.results.map(({ id, text }) => ({ role: 'tool' as const, tool_call_id: id, content: text }));
      return turn.user === undefined ? results : [...results, { role: 'user', content: turn.user }];
    }
    if (turn.image === undefined) return [{ role: 'user', content: turn.user }];
    const picture = { type: 'image_url' as const, image_url: { url: dataUrl(turn.image) } };
    return [{ role: 'user', content: [{ type: 'text', text: turn.user }, picture] }];
  });
  return {
    model,
    messages: system === undefined ? messages : [{ role: 'system', content: system }, ...messages],
    ...(tools === undefined ? {} : { tools: tools.map((each) => ({ type: 'function', function: { ...each } })) }),
    ...(schema === undefined
      ? {}
      : { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { ...schema }, strict: true } } }),
    ...(thinks === true ? { reasoning_effort: 'low' } : {}),
    ...more,
  };
}

/** What the package's users send back: text and calls, and nothing that the package does not know. */
function replayed({ text, calls }: Heard): OpenAI.ChatCompletionAssistantMessageParam {
  const called = calls.map(({ id, name, input }) => ({
    id,
    type: 'function' as const,
    function: { name, arguments: JSON.stringify(input) },
  }));
  return { role: 'assistant', content: text === '' ? null : text, ...(called.length === 0 ? {} : { tool_calls: called }) };
}

async function askOpenai(client: OpenAI, question: Question): Promise<Heard> {
  const body = chatBody(question);
  const options = optionsOf(question);
  if (!question.stream) {
    const { data, response } = await client.chat.completions.create(body, options).withResponse();
    return heardOfChat(data, response.headers);
  }
  const streamed = { ...body, stream: true as const, stream_options: { include_usage: true } };
  const { data, response } = await client.chat.completions.create(streamed, options).withResponse();
  return heardOfChat(await gathered(data, question.onText), response.headers);
}

type ChatAnswer = Pick<OpenAI.ChatCompletion, 'choices' | 'model'> & { readonly usage?: OpenAI.CompletionUsage | undefined };

/** Chunks put together by the rules of the API: calls by their index, the finish once. */
async function gathered(chunks: AsyncIterable<OpenAI.ChatCompletionChunk>, onText?: (text: string) => void): Promise<ChatAnswer> {
  let content = '';
  let reasoning = '';
  let finish: string | null = null;
  const models = new Set<string>();
  let usage: OpenAI.CompletionUsage | undefined;
  const calls: { id: string; type: 'function'; function: { name: string; arguments: string } }[] = [];
  for await (const chunk of chunks) {
    usage = chunk.usage ?? usage;
    models.add(chunk.model);
    for (const { delta, finish_reason: reason } of chunk.choices) {
      if (finish !== null) throw new Error('a chunk came behind the finish');
      if (delta.content) onText?.(delta.content);
      content += delta.content ?? '';
      reasoning += (delta as { readonly reasoning_content?: string | null }).reasoning_content ?? '';
      finish = reason ?? finish;
      for (const { index, id, function: called } of delta.tool_calls ?? []) {
        calls[index] ??= { id: id ?? '', type: 'function', function: { name: called?.name ?? '', arguments: '' } };
        calls[index].function.arguments += called?.arguments ?? '';
      }
    }
  }
  const message = { role: 'assistant' as const, content, refusal: null, tool_calls: calls, reasoning_content: reasoning };
  return { model: [...models].join(), choices: [{ index: 0, message, finish_reason: finish as 'stop', logprobs: null }], usage };
}

function heardOfChat({ model, choices, usage }: ChatAnswer, headers: Headers): Heard {
  const [choice] = choices;
  return {
    model,
    text: choice?.message.content ?? '',
    calls: (choice?.message.tool_calls ?? []).map((call) => {
      if (call.type !== 'function') throw new Error(`a call of the type ${call.type}`);
      return { id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments) as unknown };
    }),
    end: choice?.finish_reason ?? null,
    tokens: {
      prompt: usage?.prompt_tokens ?? 0,
      completion: usage?.completion_tokens ?? 0,
      cacheRead: usage?.prompt_tokens_details?.cached_tokens ?? 0,
    },
    headers,
    raw: choice?.message,
  };
}

const png = (data: string) => ({
  type: 'image' as const,
  source: { type: 'base64' as const, media_type: 'image/png' as const, data },
});

function messagesBody(question: Question): Anthropic.MessageCreateParamsNonStreaming {
  const { model, turns, system, tools, schema, thinks, more } = question;
  const messages = turns.map((turn): Anthropic.MessageParam => {
    if ('heard' in turn) return { role: 'assistant', content: turn.heard.raw as Anthropic.ContentBlockParam[] };
    if (!('results' in turn)) {
      const text = { type: 'text' as const, text: turn.user };
      return { role: 'user', content: turn.image === undefined ? turn.user : [text, png(turn.image)] };
    }
    const results = turn.results.map(({ id, text, image }) => ({
      type: 'tool_result' as const,
      tool_use_id: id,
      content: image === undefined ? text : [{ type: 'text' as const, text }, png(image)],
    }));
    return { role: 'user', content: turn.user === undefined ? results : [...results, { type: 'text', text: turn.user }] };
  });
  const thinking = { thinking: { type: 'enabled' as const, budget_tokens: 2048 } };
  return {
    model,
    messages,
    max_tokens: 4096,
    ...(system === undefined ? {} : { system }),
    ...(tools === undefined
      ? {}
      : { tools: tools.map(({ name, parameters }) => ({ name, input_schema: { type: 'object' as const, ...parameters } })) }),
    ...(schema === undefined ? {} : { output_config: { format: { type: 'json_schema' as const, schema: { ...schema } } } }),
    ...(thinks === true ? thinking : {}),
    ...more,
  };
}

async function askAnthropic(client: Anthropic, question: Question): Promise<Heard> {
  const body = messagesBody(question);
  const options = optionsOf(question);
  if (!question.stream) {
    const { data, response } = await client.messages.create(body, options).withResponse();
    return heardOfMessage(data, response.headers);
  }
  const stream = client.messages.stream(body, options);
  if (question.onText !== undefined) stream.on('text', question.onText);
  const { response } = await stream.withResponse();
  return heardOfMessage(await stream.finalMessage(), response.headers);
}

const ends: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

function heardOfMessage({ model, content, stop_reason: reason, usage }: Anthropic.Message, headers: Headers): Heard {
  const cached = usage.cache_read_input_tokens ?? 0;
  return {
    model,
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    calls: content.flatMap((block) =>
      block.type === 'tool_use' ? [{ id: block.id, name: block.name, input: block.input }] : [],
    ),
    end: reason === null ? null : (ends[reason] ?? reason),
    tokens: {
      prompt: usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0),
      completion: usage.output_tokens,
      cacheRead: cached,
    },
    headers,
    raw: content,
  };
}
