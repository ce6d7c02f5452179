/** Behaviours that every protocol of the table must show, whatever it looks like on the wire. */
import { describe, expect, test } from 'bun:test';
import { OlaError } from '../../src/core/errors.ts';
import type { ClientBody, ClientCall, ClientRoute, Exchange, Protocol, StreamPipe } from '../../src/core/protocol.ts';
import { compileCheck } from '../../src/core/schema.ts';
import { upstreamModel } from '../protocols/upstream-model.ts';

/** One route of a protocol with bytes as its own vendor writes them. */
export interface Sample {
  readonly path: string;
  /** A request, which names the model `MODEL` and does not stream. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly params?: Readonly<Record<string, string>>;
  /** The query of its URL, with the question mark. */
  readonly query?: string;
  /** It always streams: the path says so. */
  readonly streams?: true;
  /** The fields that make it stream; absent where it never does. */
  readonly streaming?: Readonly<Record<string, unknown>>;
  readonly answer: string;
  /** A whole stream, in pieces as they might come. */
  readonly stream?: readonly string[];
  /** Pieces of the stream after which an orderly end completes it. */
  readonly completeFrom?: number;
  /** Tokens that the answer and the stream report. */
  readonly prompt: number;
  readonly completion: number;
  /** An upstream's refusal of a request that is too long. */
  readonly tooLong: { readonly status: number; readonly body: string };
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const noHeaders = () => null;

export function protocolContract(protocol: Protocol, samples: readonly Sample[]): void {
  describe(`protocol ${protocol.id}`, () => {
    test('has routes with a summary, and a sample for each operation that it names', () => {
      expect(protocol.clientRoutes.length > 0 || protocol.chat !== null).toBe(true);
      for (const route of protocol.clientRoutes) {
        expect(route.summary).toMatch(/^[A-Z].+[^.]$/);
        expect(protocol.envelopePaths.some((prefix) => route.path.startsWith(prefix))).toBe(true);
      }
      const sampled = new Set(samples.map(({ path }) => routeOf(protocol, path).operation));
      expect([...new Set(protocol.clientRoutes.map(({ operation }) => operation))].filter((each) => !sampled.has(each))).toEqual(
        [],
      );
    });

    test('writes an error so that its message is found again, and nothing of its cause', () => {
      const error = new OlaError('upstream_timeout', 'too “slow”\u2028', { cause: new Error('CANARY') });
      for (const text of [protocol.errorBody(error), decoder.decode(protocol.errorEvent(error))]) {
        expect(JSON.parse(text.slice(text.indexOf('{'))) as unknown).toSatisfy((value) =>
          JSON.stringify(value).includes('too “slow”'),
        );
        expect(text).not.toContain('CANARY');
      }
    });

    test('reads any refusal without throwing, and keeps its status', () => {
      for (const status of [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503, 529])
        for (const body of ['', 'null', '[]', '"x"', '<html>', '{"error":null}', '{"error":{"message":7}}', '{'.repeat(9)])
          expect(protocol.readFailure(status, noHeaders, body).status).toBe(status);
    });

    for (const sample of samples) sampleContract(protocol, sample);
  });
}

function sampleContract(protocol: Protocol, sample: Sample): void {
  const route = routeOf(protocol, sample.path);
  const callOf = (more: Readonly<Record<string, unknown>> = {}) => clientCall(route, sample, { ...sample.request, ...more });

  describe(sample.path, () => {
    test('takes its own request, and reads the model and whether it streams', () => {
      expect(callOf().peek).toMatchObject({ model: 'MODEL', stream: sample.streams === true });
    });

    test('sends the request with only the model replaced, texts at the edge of Unicode as they are', () => {
      for (const odd of ['\u2028', '\u0000', 'a😀', '\ud800', '"', '\\', 'MODEL']) {
        const { body } = exchangeOf(protocol, callOf({ odd }), 'up"stream\u2028');
        const sent = JSON.parse(body as string) as Record<string, unknown>;
        expect(sent).toMatchObject({
          ...sample.request,
          odd,
          ...('model' in sample.request ? { model: 'up"stream\u2028' } : {}),
        });
      }
    });

    test('passes a whole answer on byte for byte, and counts its tokens', () => {
      const whole = exchangeOf(protocol, callOf()).whole(sample.answer);
      expect(whole).toMatchObject({ body: sample.answer, tokens: { prompt: sample.prompt, completion: sample.completion } });
    });

    test('takes what is no answer for a failure, without repeating it', () => {
      for (const text of ['', 'null', '[]', '<html>CANARY</html>', '{"CANARY":', sample.answer.slice(0, -1)]) {
        const whole = exchangeOf(protocol, callOf()).whole(text);
        expect(whole).toMatchObject({ kind: 'malformed' });
        expect(JSON.stringify(whole)).not.toContain('CANARY');
      }
    });

    test('tells a prompt that is too long apart', () => {
      const { status, body } = sample.tooLong;
      expect(protocol.readFailure(status, noHeaders, body).kind).toBe('context_overflow');
    });

    const { stream, streaming } = sample;
    if (stream !== undefined && streaming !== undefined) {
      const pipe = () => exchangeOf(protocol, callOf(streaming)).pipe();
      streamContract(protocol, pipe, stream, sample);
    }
  });
}

function streamContract(protocol: Protocol, pipe: () => StreamPipe, stream: readonly string[], sample: Sample): void {
  const whole = encoder.encode(stream.join(''));

  test('passes a stream on unchanged wherever it is cut into pieces, and counts its tokens', () => {
    for (let at = 0; at <= whole.length; at++) {
      const { out, done, fault, tokens } = run(pipe(), [whole.slice(0, at), whole.slice(at)]);
      expect([at, out, done, fault]).toEqual([at, stream.join(''), true, null]);
      expect(tokens).toMatchObject({ prompt: sample.prompt, completion: sample.completion });
    }
  });

  test('never takes a stream that was cut before its last event for a complete one', () => {
    const last = encoder.encode(stream.at(-1) ?? '').length;
    const needed = encoder.encode(stream.slice(0, sample.completeFrom).join('')).length;
    for (let at = 0; at <= whole.length - last; at++) {
      const broken = pipe();
      broken.push(whole.slice(0, at), () => undefined);
      broken.close();
      expect([at, broken.done]).toEqual([at, false]);
      broken.close();
    }
    for (let at = 0; at < needed - 2; at++) expect([at, run(pipe(), [whole.slice(0, at)]).done]).toEqual([at, false]);
    expect(run(pipe(), [whole.slice(0, needed)]).done).toBe(true);
  });

  test('shares nothing between two streams', () => {
    const [one, other] = [pipe(), pipe()];
    const half = Math.floor(whole.length / 2);
    one.push(whole.slice(0, half), () => undefined);
    expect(run(other, [whole.slice()])).toMatchObject({ out: stream.join(''), done: true });
    expect(one.done).toBe(false);
    one.close();
  });

  test('has a sign of life that fits between two events', () => {
    if (protocol.keepAlive === null) return;
    expect(decoder.decode(protocol.keepAlive)).toMatch(/^:[^\r\n]*\n/);
  });
}

function run(pipe: StreamPipe, chunks: readonly Uint8Array[]) {
  const emitted: Uint8Array[] = [];
  for (const chunk of chunks) pipe.push(chunk, (bytes) => void emitted.push(bytes.slice()));
  pipe.finish((bytes) => void emitted.push(bytes.slice()));
  // What is held counts against all streams of the process.
  pipe.close();
  const { done, fault, tokens } = pipe;
  // What is held of a stream that was cut counts against all streams of the process.
  pipe.close();
  return { out: emitted.map((bytes) => decoder.decode(bytes)).join(''), done, fault, tokens };
}

function routeOf(protocol: Protocol, path: string): ClientRoute {
  const route = protocol.clientRoutes.find((each) => each.path === path);
  if (route === undefined) throw new Error(`${protocol.id} has no route ${path}`);
  return route;
}

function clientCall(
  route: ClientRoute,
  { params = {}, query = '' }: Sample,
  fields: Readonly<Record<string, unknown>>,
): ClientCall {
  if (route.schema !== null) compileCheck(route.schema)(fields);
  const body: ClientBody = { text: JSON.stringify(fields), fields };
  return { route, body, params, peek: route.peek(body, params), query, headers: null };
}

function exchangeOf(protocol: Protocol, call: ClientCall, id = 'upstream-model'): Exchange {
  const exchange = protocol.direct(call, upstreamModel(id));
  if (exchange === null) throw new Error(`${protocol.id} does not serve ${call.route.path} to itself`);
  return exchange;
}
