/** Owns what is sent and what comes back: the requests, the upstream's canned answers, and when an answer is right. */
import { encodeRequest, type Message } from './http1.ts';
import { messageEvents, messageOf, messageProblem, messagesPath, type Words } from './messages.ts';

/**
 * `json`: one answer of some 500 bytes. `stream`: 64 chunks at once. `apart`: 64 chunks, a few at a time, each time in a turn of
 * its own. `slow`: 30 chunks, one a second.
 */
export type Kind = 'json' | 'stream' | 'apart' | 'slow';

/** The protocol that the client speaks. */
export type Form = 'chat' | 'messages';

export const contentChunks = { stream: 64, apart: 64, slow: 30 } as const;
/** Chunks in one piece of an `apart` stream. */
export const chunksTogether = 8;
export const chunkIntervalMs = 1000;
/** The models that the upstream knows; two of them do not answer at once. */
export const models = { json: 'bench', stream: 'bench', apart: 'apart', slow: 'slow' } as const satisfies Record<Kind, string>;

const answerText = 'A gateway adds a little to every call; this answer is here so that the little can be weighed.';
const identity = { id: 'chatcmpl-bench0123456789', created: 1_700_000_000, model: 'bench' };
const usage = { prompt_tokens: 29, completion_tokens: 64, total_tokens: 93 };

const completion = JSON.stringify({
  ...identity,
  object: 'chat.completion',
  choices: [
    { index: 0, message: { role: 'assistant', content: answerText, refusal: null }, logprobs: null, finish_reason: 'stop' },
  ],
  usage: { ...usage, prompt_tokens_details: { cached_tokens: 0 }, completion_tokens_details: { reasoning_tokens: 0 } },
  service_tier: 'default',
  system_fingerprint: 'fp_0123456789',
});

const event = (data: string): string => `data: ${data}\n\n`;
const chunk = (choices: readonly unknown[], more = {}): string =>
  event(JSON.stringify({ ...identity, object: 'chat.completion.chunk', choices, ...more }));

/** The events of a stream: one for each content chunk, then finish, usage and `[DONE]` in one piece. */
export function streamEvents(count: number): { readonly content: readonly string[]; readonly end: string } {
  const content = Array.from({ length: count }, (_, n) =>
    chunk([{ index: 0, delta: { content: contentOf(n) }, finish_reason: null }]),
  );
  return { content, end: chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]) + chunk([], { usage }) + event('[DONE]') };
}

const contentOf = (n: number): string => `token ${n} `;
const words: Words = {
  model: identity.model,
  text: answerText,
  chunks: Array.from({ length: contentChunks.stream }, (_, n) => contentOf(n)),
  promptTokens: usage.prompt_tokens,
  completionTokens: usage.completion_tokens,
};
const framed = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

/** The answers as they stand on the wire; a content event of a stream is a chunk of its own, as vendors send them. */
export const cannedAnswers = {
  json: jsonAnswer(completion),
  stream: Buffer.from(wholeStream(contentChunks.stream)),
  message: jsonAnswer(messageOf(words)),
  messageStream: Buffer.from(wholeMessageStream()),
  refused: Buffer.from('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n'),
  misread: Buffer.from('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'),
} as const;

function jsonAnswer(body: string): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
}

/** A stream as buffers, each written on its own: the first goes out with the head, the last one closes it. */
export const pieces = { apart: piecesOf(contentChunks.apart, chunksTogether), slow: piecesOf(contentChunks.slow, 1) } as const;

function piecesOf(count: number, together: number): readonly Buffer[] {
  const { content, end } = streamEvents(count);
  const inPiece = (piece: number): string =>
    content
      .slice(piece * together, (piece + 1) * together)
      .map(framed)
      .join('');
  const bodies = Array.from({ length: Math.ceil(count / together) }, (_, piece) => inPiece(piece));
  return [...bodies.map((text, n) => Buffer.from((n === 0 ? streamHead : '') + text)), Buffer.from(`${framed(end)}0\r\n\r\n`)];
}

function wholeStream(count: number): string {
  const { content, end } = streamEvents(count);
  return `${streamHead}${[...content, end].map(framed).join('')}0\r\n\r\n`;
}

function wholeMessageStream(): string {
  const { begin, content, end } = messageEvents(words);
  return `${streamHead}${[begin, ...content, end].map(framed).join('')}0\r\n\r\n`;
}

/** The chat request's body; `stream_options` is left out, as most clients do, so that usage is the gateway's own affair. */
export function requestBody(kind: Kind, model: string): string {
  return JSON.stringify({
    model,
    messages: [
      { role: 'system', content: 'You are terse.' },
      { role: 'user', content: 'Say something small and steady, please, and say it in the same way every time.' },
    ],
    temperature: 0.2,
    ...(kind === 'json' ? {} : { stream: true }),
  });
}

/** The request of Anthropic's protocol that asks the same. */
function messagesBody(kind: Kind, model: string): string {
  const { messages, ...more } = JSON.parse(requestBody(kind, model)) as { messages: readonly { content: string }[] };
  const [system, user] = messages;
  return JSON.stringify({ ...more, max_tokens: 1024, system: system?.content, messages: [user] });
}

/** The request as bytes. */
export function requestBytes(
  kind: Kind,
  form: Form,
  to: { readonly port: number; readonly token: string; readonly model: string },
): Buffer {
  const { port, token, model } = to;
  const asked =
    form === 'chat'
      ? { path: '/v1/chat/completions', body: requestBody(kind, model) }
      : { path: messagesPath, body: messagesBody(kind, model) };
  return encodeRequest({ method: 'POST', port, token, ...asked });
}

/** @returns what is wrong with an answer, null when it is whole and right */
export function answerProblem(kind: Kind, form: Form, answer: Message): string | null {
  if (!answer.head.startsWith('HTTP/1.1 200 ')) return `${answer.head.split('\r\n', 1)[0]} ${answer.body.slice(0, 300)}`;
  if (kind === 'json') return form === 'chat' ? completionProblem(answer.body) : messageProblem(answer.body, words);
  return streamProblem(answer.body, contentChunks[kind], shapes[form]);
}

function completionProblem(body: string): string | null {
  try {
    const parsed = JSON.parse(body) as {
      choices?: [{ message?: { content?: unknown } }];
      usage?: { total_tokens?: unknown };
    } | null;
    if (parsed?.choices?.[0]?.message?.content !== answerText) return 'another text than the upstream’s';
    return parsed.usage?.total_tokens === usage.total_tokens ? null : 'another usage than the upstream’s';
  } catch {
    return 'not JSON';
  }
}

/** A stream's text and end, as they stand in its bytes. */
interface StreamShape {
  /** The member that has a chunk's text, up to the text. */
  readonly field: string;
  readonly end: string;
}

const shapes: Readonly<Record<Form, StreamShape>> = {
  chat: { field: '"content":"', end: 'data: [DONE]\n\n' },
  messages: { field: '"text_delta","text":"', end: 'data: {"type":"message_stop"}\n\n' },
};

/** Every chunk once, in order, nothing between them, the end last. A chunk without text may come: it says who speaks. */
function streamProblem(body: string, count: number, { field, end }: StreamShape): string | null {
  const next = (from: number): number => {
    let at = body.indexOf(field, from);
    while (at >= 0 && body[at + field.length] === '"') at = body.indexOf(field, at + 1);
    return at;
  };
  let at = next(0);
  for (let n = 0; n < count; n++) {
    if (at < 0 || !body.startsWith(`${contentOf(n)}"`, at + field.length)) return `content chunk ${n} is missing or out of order`;
    at = next(at + 1);
  }
  if (at >= 0) return `more than ${count} content chunks`;
  return body.endsWith(end) ? null : `does not end with ${end.trim()}`;
}
