import { afterAll, describe, expect, test } from 'bun:test';
import { bars, judge } from '../../scripts/bench/bars.ts';
import { encodeRequest, type Message, readMessage } from '../../scripts/bench/http1.ts';
import type { Listening, LoadJob, LoadResult } from '../../scripts/bench/job.ts';
import { parseCoreList } from '../../scripts/bench/machine.ts';
import type { Measurements } from '../../scripts/bench/measure.ts';
import { endAll, runPart, startPart } from '../../scripts/bench/processes.ts';
import { renderReport } from '../../scripts/bench/report.ts';
import type { Comparison } from '../../scripts/bench/rounds.ts';
import { createHistogram, spread } from '../../scripts/bench/statistics.ts';
import { answerProblem, cannedAnswers, chunksTogether, contentChunks, models, pieces } from '../../scripts/bench/traffic.ts';

const part = (name: string): URL => new URL(`../../scripts/bench/${name}.ts`, import.meta.url);
const streamText = cannedAnswers.stream.toString('latin1');
const whole = (text: string): Message => {
  const message = readMessage(text);
  if (message === null) throw new Error('not whole');
  return message;
};

afterAll(endAll);

describe('a message', () => {
  test('is not whole before its last byte, wherever it is cut', () => {
    for (const text of [cannedAnswers.json.toString('latin1'), streamText]) {
      for (let length = 0; length < text.length; length += 7) expect(readMessage(text.slice(0, length))).toBeNull();
      expect(readMessage(text.slice(0, -1))).toBeNull();
      expect(readMessage(text)).not.toBeNull();
    }
  });

  test('does not end where the data only looks like the last chunk', () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(readMessage(`${head}7\r\nab0\r\n\r\n`)).toBeNull();
    expect(readMessage(`${head}7\r\nab0\r\n\r\n\r\n0\r\n\r\n`)?.body).toBe('ab0\r\n\r\n');
  });

  test('with bytes behind it, or chunks that lie about their size, is an error and not an answer', () => {
    expect(() => readMessage(`${cannedAnswers.json.toString('latin1')}x`)).toThrow('bytes after');
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
    expect(() => readMessage(`${head}1\r\nabc\r\n0\r\n\r\n`)).toThrow('chunk longer');
    expect(() => readMessage(`${head}zz\r\nabc\r\n0\r\n\r\n`)).toThrow('not a chunk size');
  });

  test('of ours is read back as it was written', () => {
    const bytes = encodeRequest({ method: 'PUT', path: '/x', port: 1, token: 't', body: '{"a":1}' });
    expect(whole(bytes.toString('latin1')).body).toBe('{"a":1}');
  });
});

describe('an answer counts', () => {
  const body = whole(streamText).body;
  const head = 'HTTP/1.1 200 OK';
  const events = body.split('\n\n').slice(0, -1);
  const stream = (parts: readonly string[]): string | null =>
    answerProblem('stream', 'chat', { head, body: parts.map((event) => `${event}\n\n`).join('') });

  test('when it is the upstream’s, comments between events allowed', () => {
    expect(answerProblem('json', 'chat', whole(cannedAnswers.json.toString('latin1')))).toBeNull();
    expect(stream(events)).toBeNull();
    expect(stream([events[0] ?? '', ': still here', ...events.slice(1)])).toBeNull();
    expect(answerProblem('slow', 'chat', whole(Buffer.concat([...pieces.slow]).toString('latin1')))).toBeNull();
  });

  test('in Anthropic’s protocol by the same rules', () => {
    const message = whole(cannedAnswers.message.toString('latin1'));
    expect(answerProblem('json', 'messages', message)).toBeNull();
    expect(
      answerProblem('json', 'messages', { head, body: message.body.replace('"output_tokens":64', '"output_tokens":1') }),
    ).toContain('usage');
    const { body: text } = whole(cannedAnswers.messageStream.toString('latin1'));
    const problem = (from: string, to: string) => answerProblem('stream', 'messages', { head, body: text.replace(from, to) });
    expect(problem('', '')).toBeNull();
    expect(problem('token 7 ', 'token 8 ')).toContain('chunk 7 ');
    expect(problem('message_stop"}', 'message_halt"}')).toContain('message_stop');
  });

  test('with a chunk in front that has no text', () => {
    expect(stream(['data: {"choices":[{"delta":{"role":"assistant","content":""}}]}', ...events])).toBeNull();
  });

  test('not when a chunk is lost, doubled, swapped or one too many', () => {
    const [first = '', second = '', ...rest] = events;
    expect(stream([first, ...rest])).toContain('chunk 1 ');
    expect(stream([first, first, second, ...rest])).toContain('chunk 1 ');
    expect(stream([second, first, ...rest])).toContain('chunk 0 ');
    expect(stream([first, second, ...rest.slice(0, 62), first, ...rest.slice(62)])).toContain('more than 64');
  });

  test('not without [DONE], with an error event behind, or with another status', () => {
    expect(stream(events.slice(0, -1))).toContain('[DONE]');
    expect(stream([...events, 'data: {"error":{}}'])).toContain('[DONE]');
    expect(answerProblem('stream', 'chat', { head: 'HTTP/1.1 502 Bad Gateway', body })).toContain('502');
  });

  test('not when the JSON is cut or holds something else', () => {
    const json = whole(cannedAnswers.json.toString('latin1')).body;
    expect(answerProblem('json', 'chat', { head, body: json.slice(0, -1) })).toBe('not JSON');
    expect(answerProblem('json', 'chat', { head, body: 'null' })).not.toBeNull();
    expect(answerProblem('json', 'chat', { head, body: json.replace('"total_tokens":93', '"total_tokens":94') })).toContain(
      'usage',
    );
  });
});

describe('the processes', () => {
  const key = 'key-of-this-test-0123456789';
  const job = (port: number, more: Partial<LoadJob> = {}): LoadJob => ({
    port,
    token: key,
    model: 'bench',
    kind: 'json',
    form: 'chat',
    connections: 4,
    warmSeconds: 0,
    seconds: 0.1,
    once: false,
    ...more,
  });
  const load = (of: LoadJob): Promise<LoadResult> => runPart<LoadResult>(part('load'), of, null);

  test('answer each other, through every floor too', async () => {
    const upstream = await startPart(part('upstream'), { key }, null).answer<Listening>();
    for (const passing of ['buffer', 'stream'] as const) {
      const floorJob = { upstreamPort: upstream.port, request: passing, answer: passing };
      const floor = await startPart(part('floor'), floorJob, null).answer<Listening>();
      for (const port of [upstream.port, floor.port]) {
        for (const kind of ['json', 'stream', 'apart'] as const) {
          const more = { kind, model: models[kind] };
          // How many come in a time is the machine's affair; one for each connection come on any.
          expect(await load(job(port, { ...more, once: true, seconds: 60 }))).toMatchObject({
            completed: 4,
            errors: 0,
            firstError: null,
          });
          expect(await load(job(port, more))).toMatchObject({ errors: 0, firstError: null });
        }
      }
    }
  });

  test('answer in Anthropic’s protocol, to the key in its own header alone', async () => {
    const upstream = await startPart(part('upstream'), { key }, null).answer<Listening>();
    const ask = (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${upstream.port}/v1/messages`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ model: models.json, max_tokens: 1 }),
      });
    expect((await ask({ 'x-api-key': key })).status).toBe(200);
    expect((await ask({ authorization: `Bearer ${key}` })).status).toBe(401);
  });

  test('refuse a key and a model that were not swapped', async () => {
    const upstream = await startPart(part('upstream'), { key }, null).answer<Listening>();
    expect(await load(job(upstream.port, { token: 'client' }))).toMatchObject({ completed: 0, errors: 4 });
    const result = await load(job(upstream.port, { model: 'bench/bench' }));
    expect(result.firstError).toContain('400');
  });

  test('count what is cut, late or refused as errors', async () => {
    using cutting = Bun.serve({ port: 0, fetch: () => new Response(whole(streamText).body.slice(0, 4000)) });
    expect((await load(job(cutting.port ?? 0, { kind: 'stream' }))).errors).toBe(4);
    using silent = Bun.serve({ port: 0, fetch: () => new Promise<Response>(() => {}) });
    const late = await load(job(silent.port ?? 0, { once: true }));
    expect(late).toMatchObject({ completed: 0, errors: 4, firstError: '4 answers did not come in time' });
    silent.stop(true);
    expect((await load(job(1))).errors).toBe(4);
  });
});

describe('the arithmetic', () => {
  test('median, least and most', () => {
    expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(spread([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
    expect(() => spread([])).toThrow();
  });

  test('percentiles within a step, fast and slow, and none of nothing', () => {
    const histogram = createHistogram();
    expect(histogram.percentile(0.5)).toBe(0);
    for (let n = 1; n <= 100; n++) histogram.record(n);
    histogram.record(30_000_000);
    expect(histogram.percentile(0.5)).toBeCloseTo(51.5);
    expect(histogram.percentile(0.99)).toBeCloseTo(100.5);
    expect(histogram.percentile(1)).toBe(30_000_500);
  });

  test('core lists of the kernel', () => {
    expect(parseCoreList('0-2,5')).toEqual([0, 1, 2, 5]);
    expect(parseCoreList('')).toEqual([]);
  });
});

describe('the bars', () => {
  const at = (perSecond: number, p50 = 10): LoadResult => ({
    completed: 1,
    errors: 0,
    firstError: null,
    perSecond,
    p50,
    p99: p50,
  });
  const compared = (floor: number, gateway: number): Comparison => ({
    direct: [at(100)],
    floor: [at(floor)],
    gateway: [at(gateway)],
  });
  const ofWays = (chat: number, messages: number, crossed: number) => ({
    chat: [at(chat)],
    messages: [at(messages)],
    crossed: [at(crossed)],
  });
  const ways = { json: ofWays(100, 95, 70), stream: ofWays(100, 95, 60) };
  const good: Measurements = {
    variants: [{ request: 'buffer', answer: 'buffer', json: 50, stream: 50 }],
    json: compared(50, 45),
    stream: compared(50, 45),
    apart: compared(50, 45),
    ways,
    single: { direct: [at(1, 20)], floor: [at(1, 80)], gateway: [at(1, 120)] },
    singleApart: compared(1, 1),
    firstStart: 300,
    starts: [180],
    commands: { version: [39], help: [89] },
    memory: { idle: 100, afterLoad: 200, rested: 150, soaking: 240, afterSoak: 200 },
    soak: { ...at(1), completed: 600 },
    stages: [],
  };
  const missed = (numbers: Measurements): string[] => judge(numbers).flatMap((bar) => (bar.verdict === 'fail' ? [bar.name] : []));

  test('hold for good numbers, each fails for its own bad one', () => {
    expect(missed(good)).toEqual([]);
    const bad: Measurements[] = [
      { ...good, json: compared(50, 39) },
      { ...good, stream: compared(50, 39) },
      { ...good, apart: compared(50, 39) },
      { ...good, ways: { ...ways, json: ofWays(100, 94, 70) } },
      { ...good, ways: { ...ways, stream: ofWays(100, 94, 60) } },
      { ...good, ways: { ...ways, json: ofWays(100, 95, 69) } },
      { ...good, ways: { ...ways, stream: ofWays(100, 95, 59) } },
      { ...good, json: { ...good.json, gateway: [{ ...at(45), p99: 17 }] } },
      { ...good, single: { ...good.single, gateway: [at(1, 121)] } },
      { ...good, starts: [181] },
      { ...good, commands: { ...good.commands, version: [40] } },
      { ...good, commands: { ...good.commands, help: [90] } },
      { ...good, memory: { ...good.memory, idle: 110 } },
      { ...good, memory: { ...good.memory, soaking: 250 } },
      { ...good, soak: { ...at(1), completed: 599 } },
    ];
    expect(bad.flatMap(missed)).toEqual(bars.map((bar) => bar.name));
  });

  test('left out is not passed, and says so', () => {
    expect(judge({ ...good, soak: null }).at(-1)?.verdict).toBe('not measured');
  });

  test('stand in the report beside a warning when upstream and load were the limit', () => {
    const machine = {
      cpu: 'a cpu',
      cores: 2,
      system: 'linux',
      bun: '1',
      date: '2026-01-01',
      home: 'disk',
      loadBefore: 0.1,
    } as const;
    const settings = { rounds: 1, seconds: 1, warmSeconds: 1, starts: 1, soak: true };
    const render = (numbers: Measurements): string =>
      renderReport({ machine, placement: 'pinned', settings, numbers, verdicts: judge(numbers) });
    expect(render(good)).toContain('| 0.900 | pass |');
    expect(render(good)).not.toContain('part of what was measured');
    expect(render({ ...good, json: compared(90, 89) })).toContain('part of what was measured');
  });
});

test('a stream in pieces has one for each chunk and one for its end', () => {
  expect(pieces.slow).toHaveLength(contentChunks.slow + 1);
  expect(pieces.apart).toHaveLength(contentChunks.apart / chunksTogether + 1);
  expect(Buffer.concat([...pieces.apart]).toString('latin1')).toBe(streamText);
});
