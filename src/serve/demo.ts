/**
 * The demo upstream: a small OpenAI-compatible server whose model repeats the user's message, so that ola can be tried
 * without an account. It is deterministic and keeps no state. `--demo` serves it on a loopback port of its own.
 */
import { errorEnvelope, OlaError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import type { Clock } from '../core/ports.ts';
import type { CatalogModel } from '../core/providers.ts';

/** The demo as a provider. Its base URL is known once it listens. */
export const demoProvider = {
  id: 'demo',
  name: 'Demo',
  protocol: 'openai-completions',
  models: [{ id: 'echo', contextWindow: 131_072, maxTokens: 131_072, price: { input: 0, output: 0 } }],
} as const satisfies { id: string; name: string; protocol: 'openai-completions'; models: readonly CatalogModel[] };

const [echo] = demoProvider.models;
const nothingSaid = 'Hello from the demo model. Say something, and I will repeat it.';

type FinishReason = 'stop' | 'length';

/** The fields of a chat request that change the answer. */
interface Question {
  readonly messages: readonly Readonly<Record<string, unknown>>[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Limit of the answer in tokens; one token is one word. */
  readonly maxTokens: number;
  readonly stop: readonly string[];
}

interface DemoAnswer {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** Words, each with the white space before it: joined they are the text. */
  readonly words: readonly string[];
  readonly finishReason: FinishReason;
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number };
}

/**
 * A handler of `GET /v1/models`, `POST /v1/chat/completions` (JSON and SSE) and `POST /v1/embeddings`. The answer is
 * `You said: ` and the last user message. One token is one word, in both directions; the answer's id is a hash of the
 * request's body. Equal texts have equal embeddings; meaning plays no part.
 * Errors use OpenAI's envelope: 401 without `Authorization: Bearer <key>`, 400, 404, 405.
 */
export function demoUpstream(key: string, clock: Clock): (request: Request) => Promise<Response> {
  const expected = new TextEncoder().encode(`Bearer ${key}`);
  return async (request) => {
    try {
      authenticate(request, expected);
      return await route(request, Math.floor(clock() / 1000));
    } catch (error) {
      if (!(error instanceof OlaError)) throw error;
      return Response.json(errorEnvelope(error), { status: error.status, headers: error.facts.headers ?? {} });
    }
  };
}

/** Compares all bytes in every case, so that the time of a refusal does not reveal how many bytes of a guess were right. */
function authenticate(request: Request, expected: Uint8Array): void {
  const given = new TextEncoder().encode(request.headers.get('authorization') ?? '');
  let difference = given.length ^ expected.length;
  for (let i = 0; i < expected.length; i++) difference |= (expected[i] ?? 0) ^ (given[i] ?? 0);
  if (difference !== 0) throw new OlaError('invalid_api_key', 'The demo upstream accepts only the key that it was started with.');
}

async function route(request: Request, created: number): Promise<Response> {
  const { pathname } = new URL(request.url);
  const method = { '/v1/models': 'GET', '/v1/chat/completions': 'POST', '/v1/embeddings': 'POST' }[pathname];
  if (method === undefined) throw new OlaError('route_not_found', `The demo upstream has no ${pathname}.`);
  if (request.method !== method) {
    throw new OlaError('method_not_allowed', `${pathname} answers ${method} only.`, { headers: { allow: method } });
  }
  if (method === 'GET') return listModels(created);
  const body = await request.text();
  if (pathname === '/v1/embeddings') return embed(parse(body));
  const question = readQuestion(body);
  const answer = think(question, body, created);
  return question.stream ? streamed(answer, question.includeUsage) : whole(answer);
}

function listModels(created: number): Response {
  return Response.json({
    object: 'list',
    data: demoProvider.models.map(({ id }) => ({ id, object: 'model', created, owned_by: demoProvider.id })),
  });
}

/** @throws OlaError 400 that names the field, 404 `model_not_found` */
function readQuestion(text: string): Question {
  const body = parse(text);
  const { messages, stream, stream_options: options, stop } = body;
  checkModel(body);
  if (!Array.isArray(messages) || messages.length === 0) throw invalid('messages', 'must be an array of at least one message');
  const bad = messages.findIndex((message) => !isObject(message) || typeof message['role'] !== 'string');
  if (bad >= 0) throw invalid(`messages.${bad}`, 'must be an object with a role');
  if (!isAbsent(stream) && typeof stream !== 'boolean') throw invalid('stream', 'must be true or false');
  if (!isAbsent(options) && stream !== true) throw invalid('stream_options', 'is allowed only when stream is true');
  const stops: readonly unknown[] = isAbsent(stop) ? [] : [stop].flat();
  if (!stops.every(isWord)) throw invalid('stop', 'must be a string or a list of strings');
  return {
    messages,
    stream: stream === true,
    includeUsage: isObject(options) && options['include_usage'] === true,
    maxTokens: Math.min(readLimit(body, 'max_completion_tokens'), readLimit(body, 'max_tokens')),
    stop: stops,
  };
}

function checkModel({ model }: Readonly<Record<string, unknown>>): void {
  if (typeof model !== 'string') throw invalid('model', 'must be a string');
  if (model !== echo.id) throw new OlaError('model_not_found', `The demo upstream serves ${echo.id} only.`, { param: 'model' });
}

/** Numbers in an embedding when the request names no `dimensions`. */
const defaultDimensions = 8;
/** Most numbers in an embedding that a request may ask for. */
const maxDimensions = 1024;

/** Answers for `input` in all its forms; each token of a token list counts as one. @throws OlaError 400 that names the field */
function embed(body: Readonly<Record<string, unknown>>): Response {
  checkModel(body);
  const { input, encoding_format: format, dimensions: wanted } = body;
  const list: readonly unknown[] = Array.isArray(input) && !input.every(Number.isInteger) ? input : [input];
  const isText = (value: unknown) => isWord(value) || (Array.isArray(value) && value.length > 0 && value.every(Number.isInteger));
  if (list.length === 0 || !list.every(isText)) throw invalid('input', 'must be text or tokens, or a list of either');
  const dimensions = isAbsent(wanted) ? defaultDimensions : wanted;
  if (typeof dimensions !== 'number' || !Number.isInteger(dimensions) || dimensions < 1 || dimensions > maxDimensions) {
    throw invalid('dimensions', `must be an integer from 1 to ${maxDimensions}`);
  }
  if (!isAbsent(format) && format !== 'float' && format !== 'base64') throw invalid('encoding_format', 'must be float or base64');
  const data = list.map((text, index) => {
    const numbers = vectorOf(typeof text === 'string' ? text : JSON.stringify(text), dimensions);
    return { object: 'embedding', index, embedding: format === 'base64' ? base64(numbers) : [...numbers] };
  });
  const tokens = list.reduce<number>(
    (sum, text) => sum + (typeof text === 'string' ? wordsOf(text).length : (text as readonly unknown[]).length),
    0,
  );
  return Response.json({ object: 'list', data, model: echo.id, usage: { prompt_tokens: tokens, total_tokens: tokens } });
}

/** A vector of length one, as OpenAI's embeddings are. */
function vectorOf(text: string, dimensions: number): Float32Array<ArrayBuffer> {
  const numbers = Float32Array.from(
    { length: dimensions },
    (_, index) => (Number.parseInt(hash(`${index} ${text}`), 16) + 1) / 2 ** 31 - 1,
  );
  const length = Math.hypot(...numbers) || 1;
  return numbers.map((each) => each / length);
}

/** Encodes the numbers as little-endian 32-bit floats, the form that the SDKs decode. */
function base64(numbers: Float32Array<ArrayBuffer>): string {
  const view = new DataView(new ArrayBuffer(numbers.length * 4));
  for (const [index, number] of numbers.entries()) view.setFloat32(index * 4, number, true);
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}

function parse(text: string): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new OlaError('invalid_json', 'The body is not JSON.');
  }
  if (!isObject(body)) throw new OlaError('invalid_request', 'The body must be a JSON object.');
  return body;
}

function readLimit(body: Readonly<Record<string, unknown>>, field: string): number {
  const value = body[field];
  if (isAbsent(value)) return echo.maxTokens;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) throw invalid(field, 'must be a positive integer');
  return value;
}

const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

const isWord = (value: unknown): value is string => typeof value === 'string' && value !== '';

const invalid = (param: string, what: string) => new OlaError('invalid_request', `${param} ${what}.`, { param });

function think(question: Question, body: string, created: number): DemoAnswer {
  const last = question.messages.findLast((message) => message['role'] === 'user');
  const said = textOf(last?.['content']).trim();
  const words = wordsOf(cutAtStop(said === '' ? nothingSaid : `You said: ${said}`, question.stop));
  const kept = words.slice(0, question.maxTokens);
  const prompt = question.messages.reduce((sum, message) => sum + wordsOf(textOf(message['content'])).length, 0);
  return {
    id: `chatcmpl-demo-${hash(body)}`,
    created,
    words: kept,
    finishReason: kept.length < words.length ? 'length' : 'stop',
    usage: { prompt_tokens: prompt, completion_tokens: kept.length, total_tokens: prompt + kept.length },
  };
}

/** The text of a message's content: the string itself, or its parts of type `text` joined. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => (isObject(part) && part['type'] === 'text' && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('');
}

const wordsOf = (text: string): readonly string[] => text.match(/\s*\S+/g) ?? [];

function cutAtStop(text: string, stops: readonly string[]): string {
  const ends = stops.map((stop) => text.indexOf(stop)).filter((end) => end >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}

/** FNV-1a with 32 bits, in hex. It makes ids and protects nothing. */
function hash(text: string): string {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(16).padStart(8, '0');
}

function whole({ id, created, words, finishReason, usage }: DemoAnswer): Response {
  const message = { role: 'assistant', content: words.join(''), refusal: null };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: finishReason }];
  return Response.json({ id, object: 'chat.completion', created, model: echo.id, choices, usage });
}

/** Sends one event per pull: the events leave as several chunks, and stop when the client leaves. */
function streamed(answer: DemoAnswer, includeUsage: boolean): Response {
  const encoder = new TextEncoder();
  const events = eventsOf(answer, includeUsage);
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = events.next();
      if (next.done) controller.close();
      else controller.enqueue(encoder.encode(`data: ${next.value}\n\n`));
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' } });
}

/** The events: role, words, finish reason, usage if requested (then `usage` is null in the events before it), `[DONE]`. */
function* eventsOf({ id, created, words, finishReason, usage }: DemoAnswer, includeUsage: boolean): Generator<string, void> {
  const event = (choices: readonly object[], counts: DemoAnswer['usage'] | null) =>
    JSON.stringify({
      id,
      object: 'chat.completion.chunk',
      created,
      model: echo.id,
      choices,
      ...(includeUsage ? { usage: counts } : {}),
    });
  const chunk = (delta: object, reason: FinishReason | null) =>
    event([{ index: 0, delta, logprobs: null, finish_reason: reason }], null);
  yield chunk({ role: 'assistant', content: '' }, null);
  for (const word of words) yield chunk({ content: word }, null);
  yield chunk({}, finishReason);
  if (includeUsage) yield event([], usage);
  yield '[DONE]';
}
