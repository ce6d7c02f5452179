/** The official `openai` package as a client: a call is played, and what it came to is a value that can be compared. */
import OpenAI, { APIError, toFile } from 'openai';

/** What a client has in the end. */
export interface Outcome {
  /** The text of the answer, or the result of a call that has none, as JSON. */
  readonly text: string;
  readonly reasoning: string;
  /** Of each choice; null while one has none. */
  readonly finish: string | null;
  /** Tool calls: name and arguments. */
  readonly calls: readonly string[];
  readonly usage: unknown;
  /** Chunks that a client cannot read: no list of choices, and no usage that was asked for. */
  readonly odd: number;
  readonly error: Failure | null;
}

export interface Failure {
  /** The class that the package throws; what it did not foresee has the name of that. */
  readonly class: string;
  /** Undefined for one that came behind the head, or without any answer. */
  readonly status: number | undefined;
  readonly code: unknown;
  readonly message: string;
  /** Whether the package foresaw it: a failure that a client can handle. */
  readonly told: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** What has come so far: a stream that fails has come that far. */
interface Come {
  text: string;
  reasoning: string;
  finish: string | null;
  calls: string[];
  usage: unknown;
  odd: number;
}

type Play = (client: OpenAI, model: string, come: Come) => Promise<void>;
const messages = [{ role: 'user' as const, content: 'hi' }];
const recording = () => toFile(Buffer.from('RIFF'), 'a.wav');
const asJson = (value: unknown) => JSON.stringify(value) ?? 'undefined';

async function chatStream(client: OpenAI, model: string, come: Come, more: object): Promise<void> {
  const calls = new Map<number, string>();
  const finishes = new Map<number, string | null>();
  const stream = await client.chat.completions.create({ model, messages, stream: true, ...more });
  for await (const chunk of stream as AsyncIterable<OpenAI.ChatCompletionChunk | null>) {
    if (chunk?.usage) come.usage = chunk.usage;
    if (!Array.isArray(chunk?.choices)) {
      come.odd += 1;
      continue;
    }
    for (const choice of chunk.choices) {
      const delta = choice?.delta as (OpenAI.ChatCompletionChunk.Choice.Delta & { reasoning_content?: string }) | undefined;
      come.text += delta?.content ?? '';
      come.reasoning += delta?.reasoning_content ?? '';
      finishes.set(choice?.index, choice?.finish_reason ?? finishes.get(choice?.index) ?? null);
      come.finish = [...finishes.values()].includes(null) ? null : [...finishes.values()].join();
      for (const call of delta?.tool_calls ?? [])
        calls.set(
          call.index,
          `${calls.get(call.index) ?? ''}${call.function?.name ? `${call.function.name} ` : ''}${call.function?.arguments ?? ''}`,
        );
      come.calls = [...calls.values()];
    }
  }
}

async function chat(client: OpenAI, model: string, come: Come): Promise<void> {
  const answer = (await client.chat.completions.create({ model, messages })) as Partial<OpenAI.ChatCompletion> | null;
  come.usage = answer?.usage ?? null;
  if (!Array.isArray(answer?.choices) || answer.choices.length === 0) {
    come.odd += 1;
    return;
  }
  const { message, finish_reason: finish } = answer.choices[0] ?? {};
  come.text = message?.content ?? '';
  come.finish = finish ?? null;
  come.calls = (message?.tool_calls ?? []).map((call) =>
    call.type === 'function' ? `${call.function.name} ${call.function.arguments}` : call.type,
  );
}

async function typed(stream: AsyncIterable<unknown>, come: Come): Promise<void> {
  for await (const event of stream) come.text += `${asJson(event)}\n`;
}

export const plays = {
  stream: (client, model, come) => chatStream(client, model, come, {}),
  'stream with usage': (client, model, come) => chatStream(client, model, come, { stream_options: { include_usage: true } }),
  'stream of two': (client, model, come) => chatStream(client, model, come, { n: 2 }),
  chat,
  async completion(client, model, come) {
    for await (const chunk of await client.completions.create({ model, prompt: 'a', stream: true })) {
      come.text += chunk.choices[0]?.text ?? '';
      come.finish = chunk.choices[0]?.finish_reason ?? come.finish;
    }
  },
  async embeddings(client, model, come) {
    come.text = asJson((await client.embeddings.create({ model, input: 'x' })).data.map(({ embedding }) => embedding));
  },
  async 'embeddings as numbers'(client, model, come) {
    const { data } = await client.embeddings.create({ model, input: 'x', encoding_format: 'float' });
    come.text = asJson(data.map(({ embedding }) => embedding));
  },
  async speech(client, model, come) {
    const response = await client.audio.speech.create({ model, voice: 'alloy', input: 'x' });
    come.text = Buffer.from(await response.arrayBuffer()).toString('base64');
  },
  async transcript(client, model, come) {
    come.text = asJson(await client.audio.transcriptions.create({ model, file: await recording() }));
  },
  async subtitles(client, model, come) {
    come.text = asJson(await client.audio.transcriptions.create({ model, file: await recording(), response_format: 'srt' }));
  },
  async 'transcript stream'(client, model, come) {
    await typed(await client.audio.transcriptions.create({ model, file: await recording(), stream: true }), come);
  },
  async image(client, model, come) {
    come.text = asJson((await client.images.generate({ model, prompt: 'x' })).data?.[0]);
  },
  async 'image stream'(client, model, come) {
    await typed(await client.images.generate({ model, prompt: 'x', stream: true }), come);
  },
} satisfies Readonly<Record<string, Play>>;

export type Call = keyof typeof plays;

export async function play(baseURL: string, apiKey: string, call: Call, model: string): Promise<Outcome> {
  return playWith(new OpenAI({ baseURL, apiKey, maxRetries: 0, logLevel: 'off' }), call, model);
}

/** What a call is answered with, as bytes. */
export interface Raw {
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Plays a call for the bytes of its answer alone. */
export async function playRaw(baseURL: string, apiKey: string, call: Call, model: string): Promise<Raw> {
  const answers: Raw[] = [];
  const record = async (...asked: Parameters<typeof fetch>) => {
    const response = await fetch(...asked);
    // The package tries out first what `fetch` can do.
    if (String(asked[0]).startsWith('data:')) return response;
    const body = new Uint8Array(await response.arrayBuffer());
    answers.push({ headers: response.headers, body });
    return new Response(body, response);
  };
  await playWith(new OpenAI({ baseURL, apiKey, maxRetries: 0, logLevel: 'off', fetch: record }), call, model);
  const [one, ...others] = answers;
  if (one === undefined || others.length > 0) throw new Error(`${answers.length} answers, not one`);
  return one;
}

async function playWith(client: OpenAI, call: Call, model: string): Promise<Outcome> {
  const come: Come = { text: '', reasoning: '', finish: null, calls: [], usage: null, odd: 0 };
  try {
    await plays[call](client, model, come);
    return { ...come, error: null };
  } catch (thrown) {
    return { ...come, error: failureOf(thrown) };
  }
}

function failureOf(thrown: unknown): Failure {
  if (!(thrown instanceof Error)) throw thrown;
  const api = thrown instanceof APIError ? thrown : null;
  return {
    class: thrown.constructor.name,
    status: api?.status,
    code: api?.code,
    message: thrown.message,
    told: api !== null,
    headers: Object.fromEntries((api?.headers as Headers | undefined) ?? []),
  };
}
