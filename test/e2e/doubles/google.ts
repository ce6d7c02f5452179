/** A double of Google's API for Gemini 3: answers by a script, signs its calls, and refuses a request that breaks a rule of the API. */
import { createHmac } from 'node:crypto';
import { answer, type Behaviour, bytes, chunk, lastChunk, type Received, streamHead } from '../upstream.ts';
import { ruleBroken } from './google-rules.ts';
import {
  type Asked,
  type Fields,
  fieldsOf,
  idOf,
  listOf,
  piecesOf,
  type Refused,
  type Script,
  spent,
  type Told,
  textOf,
} from './script.ts';

const usageMetadata = {
  promptTokenCount: spent.prompt,
  cachedContentTokenCount: spent.cacheRead,
  candidatesTokenCount: spent.completion,
  totalTokenCount: spent.prompt + spent.completion,
};

/** The proof of the thought that led to a call. */
export const signatureOf = (call: Fields): string =>
  createHmac('sha256', 'google')
    .update(JSON.stringify([call['name'], call['args']]))
    .digest('base64');

/** @see https://ai.google.dev/api/generate-content */
export function google(script: Script): Behaviour {
  return (received) => {
    const body = fieldsOf(JSON.parse(received.body));
    const [line = ''] = received.head.split('\r\n');
    const broken = brokenHead(line, received) ?? ruleBroken(body, signatureOf);
    if (broken !== null) return refuse(received, { status: 400, type: 'INVALID_ARGUMENT', message: broken });
    const asked = readAsked(body, line);
    const reply = script(asked);
    if ('status' in reply) return refuse(received, reply);
    const shows = fieldsOf(fieldsOf(body['generationConfig'])['thinkingConfig'])['includeThoughts'] === true;
    return (asked.stream ? streamed : whole)(received, shows ? reply : { ...reply, reasoning: '' }, asked);
  };
}

/** The key stands in its header: an address is written to logs. */
function brokenHead(line: string, { headers }: Received): string | null {
  if (/[?&]key=/.test(line) || !headers.has('x-goog-api-key')) return 'API key not valid. Please pass a valid API key.';
  return null;
}

function refuse(received: Received, { status, type, message, headers }: Refused): void | Promise<void> {
  return answer(status, { error: { code: status, message, status: type } }, headers)(received);
}

function readAsked(body: Fields, line: string): Asked {
  const contents = listOf(body['contents']);
  const parts = contents.flatMap((content) => listOf(content['parts']));
  const ofUsers = contents.filter(({ role }) => role === 'user').flatMap((content) => listOf(content['parts']));
  return {
    model: /\/models\/([^:]+):/.exec(line)?.[1] ?? '',
    stream: line.includes(':streamGenerateContent?alt=sse'),
    tools: listOf(body['tools'])
      .flatMap((tool) => listOf(tool['functionDeclarations']))
      .map(({ name }) => textOf(name)),
    roles: contents.map(({ role }) => textOf(role)),
    answers: contents.filter(({ role }) => role === 'model').length,
    results: listOf(contents.at(-1)?.['parts'])
      .map((part) => fieldsOf(part['functionResponse']))
      .filter(({ name }) => name !== undefined)
      .map(({ id, response }) => ({ callId: textOf(id), text: textOf(fieldsOf(response)['output']) })),
    images: parts.map((part) => textOf(fieldsOf(part['inlineData'])['data'])).filter((data) => data !== ''),
    lastText: ofUsers.map(({ text }) => textOf(text)).findLast((text) => text !== '') ?? '',
  };
}

/** Of parallel calls the first one alone is signed. */
function callParts({ calls = [] }: Told, asked: Asked): readonly Fields[] {
  return calls.map(({ name, input }, at) => {
    const call = { id: `g${idOf(asked, at)}`, name, args: input };
    return { functionCall: call, ...(at === 0 ? { thoughtSignature: signatureOf(call) } : {}) };
  });
}

const finishOf = ({ end }: Told): string => (end === undefined ? 'STOP' : { length: 'MAX_TOKENS', refusal: 'SAFETY' }[end]);

function answerOf(asked: Asked, parts: readonly Fields[], finishReason?: string): Fields {
  const candidate = { index: 0, content: { role: 'model', parts }, ...(finishReason === undefined ? {} : { finishReason }) };
  return { candidates: [candidate], usageMetadata, modelVersion: asked.model, responseId: idOf(asked) };
}

function whole(received: Received, told: Told, asked: Asked): void | Promise<void> {
  const { reasoning = '', text = '' } = told;
  const thought = reasoning === '' ? [] : [{ text: reasoning, thought: true }];
  const parts = [...thought, ...(text === '' ? [] : [{ text }]), ...callParts(told, asked)];
  return answer(200, answerOf(asked, parts, finishOf(told)))(received);
}

/** Texts come in pieces, calls whole, and the end on an empty text. */
function streamed(received: Received, told: Told, asked: Asked): void | Promise<void> {
  const parts = [
    ...piecesOf(told.reasoning ?? '').map((text) => ({ text, thought: true })),
    ...piecesOf(told.text ?? '').map((text) => ({ text })),
    ...callParts(told, asked),
  ];
  const event = (body: Fields) => chunk(`data: ${JSON.stringify(body)}\r\n\r\n`);
  const events = parts.map((part) => event(answerOf(asked, [part])));
  if (told.breaksOff === true) return bytes(streamHead + events.join(''), 'end')(received);
  received.socket.write(streamHead + [...events, event(answerOf(asked, [{ text: '' }], finishOf(told)))].join('') + lastChunk);
}
