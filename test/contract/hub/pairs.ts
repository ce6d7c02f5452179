/** A client of one protocol over an upstream of another, through the translator. */
import { describe, expect, test } from 'bun:test';
import { fold } from '../../../src/core/answers.ts';
import type { Answer, Part } from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import type { RequestField } from '../../../src/core/hub-fields.ts';
import type { Exchange, ReasoningMemory, StreamPipe, UpstreamModel } from '../../../src/core/protocol.ts';
import { createTranslator } from '../../../src/protocols/translate.ts';
import { requestSamples } from './fields.ts';
import {
  answerOf,
  bodyOf,
  clientCall,
  conversation,
  digest,
  eventsOf,
  type Fields,
  modelOf,
  readStream,
  type Speaker,
  stepsOf,
  stop,
  textPart,
  thrownBy,
  toolCall,
  wholeOf,
} from './scene.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const usual = answerOf([textPart('Let me see 😀'), toolCall('call_1'), toolCall('call_2', '{"city":"Oslo"}')], {
  tokens: { prompt: 40, completion: 9, cacheRead: 20, cacheWrite: 5, reasoning: null },
});

export interface Asked {
  /** The body as it came, where its numbers have more digits than its fields. */
  readonly text?: string;
  readonly model?: Partial<UpstreamModel>;
  readonly stream?: boolean;
  readonly maker?: string;
  readonly memory?: ReasoningMemory | null;
}

/** The exchange of a client's request with an upstream of another protocol. */
export function exchangeOf(client: Speaker, upstream: Speaker, request: Fields, asked: Asked = {}): Exchange {
  const translator = createTranslator([client.protocol, upstream.protocol], digest);
  const { stream = false, maker = 'maker-1', memory = null, model = {} } = asked;
  const call = clientCall(client, stream ? { ...request, ...client.sample.streaming } : request, asked.text);
  const facts = { requestId: 'request-1', startedAt: 1_000_000, memory };
  const made = translator.exchange(client.protocol, call, modelOf(upstream, { ...model, maker }), facts);
  if (made === null || 'own' in made) throw new Error(`${client.protocol.id} is not translated to ${upstream.protocol.id}`);
  return made;
}

export function pairContract(client: Speaker, upstream: Speaker): void {
  const question = () => client.sample.client.ask('Hello');
  const exchange = (asked: Asked = {}) => exchangeOf(client, upstream, question(), asked);
  const whole = (text: string): Answer => readWhole(client, exchange(), text);

  describe(`${client.protocol.id} over ${upstream.protocol.id}`, () => {
    test('asks the upstream what the client asked', () => {
      const { body } = exchange();
      const told = upstream.chat.decodeRequest(JSON.parse(String(body)) as Fields);
      expect(told.turns).toMatchObject([{ role: 'user', parts: [textPart('Hello')] }]);
      expect(told.tools).toMatchObject([{ name: 'weather' }]);
    });

    test('brings each result to its call, in whatever order the client sends them', () => {
      const answered = exchange().whole(wholeOf(upstream, usual));
      if ('kind' in answered) throw new Error(`the answer is read as a failure: ${answered.message}`);
      for (const results of ['in order', 'reversed'] as const) {
        const next = client.sample.client.reply(question(), answered.body, { keeps: 'all', results });
        const { body } = exchangeOf(client, upstream, next);
        const { turns } = upstream.chat.decodeRequest(JSON.parse(String(body)) as Fields);
        const told = turns.flatMap(({ parts }) => parts.flatMap((part) => (part.type === 'toolResult' ? [part] : [])));
        expect(told).toMatchObject([
          { callId: 'call_1', parts: [textPart('of call_1')] },
          { callId: 'call_2', parts: [textPart('of call_2')] },
        ]);
      }
    });

    test('keeps the digits of big numbers in the arguments of earlier calls', () => {
      const big = '{"id":12345678901234567890}';
      const answered = exchange().whole(wholeOf(upstream, answerOf([toolCall('call_1', big)])));
      if ('kind' in answered) throw new Error(`the answer is read as a failure: ${answered.message}`);
      expect(answered.body).toContain('12345678901234567890');
      const text = client.chat.encodeRequest(
        conversation({ turns: [{ role: 'assistant', parts: [toolCall('call_1', big)] }] }),
        modelOf(client),
        digest,
      ).body;
      expect(String(exchangeOf(client, upstream, JSON.parse(text) as Fields, { text }).body)).toContain('12345678901234567890');
    });

    test('tells an answer, whole and as a stream, with its text, its calls and its tokens', () => {
      for (const told of [whole(wholeOf(upstream, usual)), streamed(client, exchange({ stream: true }), upstream, usual)]) {
        expect(told.parts).toMatchObject(usual.parts.map(plainPart));
        expect(told.end.reason).toBe('toolCalls');
        expect(told.tokens).toMatchObject({ prompt: 40, completion: 9, ...cachedTokens(client, upstream) });
      }
    });

    test('folds events into one answer where one was asked for, and makes events of an answer where they were', () => {
      const told = whole(eventsOf(upstream, stepsOf(usual)).join(''));
      expect(told.parts).toMatchObject(usual.parts.map(plainPart));
      const pipe = run(exchange({ stream: true }).pipe(), [wholeOf(upstream, usual)]);
      expect([pipe.done, pipe.fault]).toEqual([true, null]);
      expect(answerIn(client, pipe.out).parts).toMatchObject(usual.parts.map(plainPart));
      expect(pipe.tokens).toMatchObject({ prompt: 40, completion: 9 });
    });

    test('tells the same stream however its bytes come', () => {
      const events = eventsOf(upstream, stepsOf(usual));
      const bytes = encoder.encode(events.join(''));
      const { out } = run(exchange({ stream: true }).pipe(), [bytes]);
      for (const chunks of [events, [...bytes].map((byte) => Uint8Array.of(byte))])
        expect(run(exchange({ stream: true }).pipe(), chunks).out).toBe(out);
    });

    test('never ends a stream that broke off, and writes no more behind a fault', () => {
      const events = eventsOf(upstream, stepsOf(usual));
      for (let count = 0; count < events.length; count++) {
        const pipe = run(exchange({ stream: true }).pipe(), events.slice(0, count), 'broken');
        expect([count, pipe.done]).toEqual([count, false]);
        expect([count, readStream(client, [pipe.out], 'broken').ended]).toEqual([count, false]);
      }
    });

    test('holds an error back that comes first, and tells that it came in the middle', () => {
      const error = decoder.decode(
        upstream.protocol.errorEvent(new OlaError('upstream_http_error', 'Too many requests', { status: 429 })),
      );
      const events = eventsOf(upstream, stepsOf(usual));
      const first = run(exchange({ stream: true }).pipe(), [error]);
      expect(first).toMatchObject({ begun: false, done: false, fault: 'upstream_error', kind: 'rate_limit' });
      const middle = run(exchange({ stream: true }).pipe(), [...events.slice(0, -3), error, ...events.slice(-3)]);
      expect(middle).toMatchObject({ begun: true, done: false, fault: 'upstream_error', kind: 'rate_limit' });
    });

    test('D10: a call that is cut by the length limit is told as that limit, never as an empty call', () => {
      const half = '{"file":"a","content":"half';
      const cut = answerOf([textPart('Hi'), toolCall('call_1', half)], { end: { ...stop, reason: 'length' } });
      const told = streamed(client, exchange({ stream: true }), upstream, cut);
      expect(told.end.reason).toBe('length');
      const isWhole = client.sample.wholeCalls === true || upstream.sample.wholeCalls === true;
      const expected = isWhole ? [''] : ['', half];
      expect(told.parts.map((part) => (part.type === 'toolCall' ? part.arguments : ''))).toEqual(expected);
      const folded = whole(wholeOf(upstream, cut));
      expect(folded.end.reason).toBe('length');
      expect(JSON.stringify(folded.parts)).not.toContain('"{}"');
    });

    test('ends an answer for a reason that is not known as usual, and keeps the word', () => {
      const { word, answer, stream } = upstream.sample.unknownEnd;
      const told = exchange().whole(answer);
      expect(told).toMatchObject({ stop: word });
      const pipe = run(exchange({ stream: true }).pipe(), [stream]);
      expect(pipe).toMatchObject({ done: true, stop: word });
      expect(answerIn(client, pipe.out)).toMatchObject({ parts: [textPart('Hi')], end: { reason: 'stop' } });
    });

    test('tells an empty answer as a complete one', () => {
      for (const told of [
        whole(wholeOf(upstream, answerOf([]))),
        streamed(client, exchange({ stream: true }), upstream, answerOf([])),
      ])
        expect(told).toMatchObject({ parts: [], end: { reason: 'stop' } });
    });

    test('tells a refusal in words', () => {
      const refusal = answerOf([{ type: 'refusal', text: 'I will not.' }], { end: { ...stop, reason: 'refusal' } });
      for (const told of [whole(wholeOf(upstream, refusal)), streamed(client, exchange({ stream: true }), upstream, refusal)]) {
        expect(told.parts).toMatchObject([{ text: 'I will not.' }]);
        expect(['refusal', 'contentFilter']).toContain(told.end.reason);
      }
    });

    test('names what it leaves out, and refuses what it cannot tell', () => {
      const { upstream: fates } = upstream.chat.fields;
      for (const [field, sample] of Object.entries(requestSamples)) {
        const fate = fates[field as keyof typeof fates];
        if (client.chat.fields.upstream[field as keyof typeof fates] !== 'carried' || fate === 'carried') continue;
        const request = bodyOf(client, { ...sample, stream: false });
        if ('refused' in fate) expect(() => exchangeOf(client, upstream, request)).toThrow(OlaError);
        else if ('dropped' in fate)
          expect([field, exchangeOf(client, upstream, request).notes]).toEqual([
            field,
            { 'x-ola-dropped': expect.stringMatching(/^\w[\w.]*$/) },
          ]);
      }
    });

    describe('a client field that goes nowhere is named', () => {
      for (const [name, fate] of Object.entries(client.chat.fields.client)) {
        if (!('dropped' in fate || 'refused' in fate)) continue;
        test(`${name}: ${'dropped' in fate ? 'dropped' : 'refused'}`, () => {
          const said = client.sample.said[name];
          if (said === undefined) throw new Error(`the sample of ${client.protocol.id} says nothing of ${name}`);
          const request = { ...question(), ...said };
          if ('dropped' in fate) {
            const names = exchangeOf(client, upstream, request).notes?.['x-ola-dropped']?.split(', ') ?? [];
            // A list may describe a block that has no name of its own: the header then names its place.
            if (/^[\w.]+$/.test(name)) expect(names).toContain(name);
            else expect(names).not.toEqual([]);
          } else
            expect(thrownBy(() => exchangeOf(client, upstream, request))).toMatchObject({
              code: 'invalid_request',
              facts: { param: expect.stringMatching(/\S/) },
            });
        });
      }
    });

    test('names what it leaves out as the client does, where the client has one name for it', () => {
      for (const [name, fate] of Object.entries(client.chat.fields.client)) {
        const places: readonly RequestField[] = Array.isArray(fate) ? fate : [];
        const [field, another] = places;
        const told = field === undefined || another !== undefined ? 'carried' : upstream.chat.fields.upstream[field];
        if (field === undefined || typeof told !== 'object' || !('dropped' in told)) continue;
        if (client.chat.fields.upstream[field] !== 'carried') continue;
        const request = bodyOf(client, { ...requestSamples[field], stream: false });
        if (!(name in request)) continue;
        expect([name, exchangeOf(client, upstream, request).notes]).toEqual([name, { 'x-ola-dropped': name }]);
      }
    });

    test('takes no block of the client’s own protocol that the upstream does not know', () => {
      const block: Part = { type: 'opaque', protocol: client.protocol.id, name: 'search', value: {}, field: 'messages.0' };
      const told = conversation({ turns: [{ role: 'user', parts: [textPart('Hello'), block] }] });
      expect(() => upstream.chat.encodeRequest(told, modelOf(upstream), digest)).toThrow(/search/);
    });
  });
}

/** The cached tokens that both protocols tell. */
function cachedTokens(...speakers: readonly Speaker[]): object {
  const tell = (field: 'cacheReadTokens' | 'cacheWriteTokens') =>
    speakers.every(({ chat }) => chat.fields.answer[field] === 'carried');
  return { ...(tell('cacheReadTokens') ? { cacheRead: 20 } : {}), ...(tell('cacheWriteTokens') ? { cacheWrite: 5 } : {}) };
}

function plainPart(part: Part): object {
  if (part.type !== 'toolCall') return part;
  return { type: part.type, id: part.id, name: part.name };
}

function readWhole(client: Speaker, exchange: Exchange, text: string): Answer {
  const told = exchange.whole(text);
  if ('kind' in told) throw new Error(`the answer is read as a failure: ${told.message}`);
  const read = client.chat.decodeAnswer(told.body);
  if ('kind' in read) throw new Error(`the client reads a failure: ${read.message}`);
  return read;
}

function streamed(client: Speaker, exchange: Exchange, upstream: Speaker, answer: Answer): Answer {
  const { out, done, fault } = run(exchange.pipe(), eventsOf(upstream, stepsOf(answer)));
  expect([done, fault]).toEqual([true, null]);
  return answerIn(client, out);
}

function answerIn(client: Speaker, out: string): Answer {
  const { steps, fault, ended } = readStream(client, [out]);
  expect([fault, ended]).toEqual([null, true]);
  return fold(steps);
}

export function run(pipe: StreamPipe, chunks: readonly (string | Uint8Array)[], end: 'orderly' | 'broken' = 'orderly') {
  let out = '';
  const emit = (bytes: Uint8Array) => {
    out += decoder.decode(bytes);
  };
  for (const chunk of chunks) pipe.push(typeof chunk === 'string' ? encoder.encode(chunk) : chunk.slice(), emit);
  if (end === 'orderly') pipe.finish(emit);
  const { begun, done, fault, tokens, failure, stop: word } = pipe;
  pipe.close();
  return { out, begun, done, fault, tokens, kind: failure?.kind ?? null, stop: word ?? null };
}
