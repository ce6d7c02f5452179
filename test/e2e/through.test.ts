/** What works without ola works through it: the official package gets through ola what it gets directly, or better. */
import { describe, expect, test } from 'bun:test';
import { decodeEvents } from '../sse-decoder.ts';
import { type Call, type Outcome, play, playRaw, type Raw } from './player.ts';
import { adminToken, type Ola, stage } from './stage.ts';
import { labels, others } from './through/answers.ts';
import { failures, firstFails, hints, refusesUsage } from './through/failures.ts';
import type { Row, Through, Told } from './through/making.ts';
import { contents, ends, noChunk } from './through/streams.ts';
import { answer, type Behaviour, completion, event, stream, type Upstream } from './upstream.ts';

const { start, upstream } = stage();

const firstKey = 'first-key-0123456789';
async function scene(): Promise<{ readonly ola: Ola; readonly up: Upstream }> {
  const ola = await start({ env: { PAIR_API_KEY: firstKey, OPEN_LLM_AUTH_ENV_REFERENCES: 'PAIR_API_KEY' } });
  const up = await upstream();
  await ola.addProvider('acme', up);
  await ola.addProvider('pair', up);
  return { ola, up };
}
const shared = scene();
const throughOla = (ola: Ola, call: Call, model: string) => play(`${ola.address}/v1`, adminToken, call, model);

/** A new input is a new row in one of these. */
const rows: readonly Row[] = [...ends, ...noChunk, ...contents, ...labels, ...others, ...failures, ...hints];

interface Played {
  readonly direct: Outcome;
  readonly through: Outcome;
  /** The answer through ola, as bytes. */
  readonly raw: Raw;
}

async function playRow([, call, behaviour]: Row, at: number): Promise<Played> {
  const { ola, up } = await shared;
  const model = `row-${at}`;
  up.modes.set(model, behaviour);
  const [direct, through, raw] = await Promise.all([
    play(up.baseUrl, 'any-key', call, model),
    throughOla(ola, call, `acme/${model}`),
    playRaw(`${ola.address}/v1`, adminToken, call, `acme/${model}`),
  ]);
  return { direct, through, raw };
}

/** Some rows at a time: most of a row is waiting. */
function playAll(): readonly Promise<Played>[] {
  const lanes: Promise<unknown>[] = Array.from({ length: 8 }, () => Promise.resolve());
  return rows.map((row, at) => {
    const lane = at % lanes.length;
    const played = (lanes[lane] as Promise<unknown>).then(() => playRow(row, at));
    lanes[lane] = played.catch(() => undefined);
    return played;
  });
}

/** What must be equal: all that a client gets, and how it fails. */
function factsOf({ error, odd: _, ...come }: Outcome): object {
  return {
    ...come,
    error: error === null ? null : { class: error.class, status: error.status, code: error.code, message: error.message },
  };
}

function judge(wanted: Through, { direct, through, raw }: Played): void {
  if (wanted === 'same' || 'headers' in wanted) {
    // An outcome that is bad without ola is no measure.
    expect([direct.error === null || direct.error.status !== undefined, direct.odd <= 1]).toEqual([true, true]);
    expect(factsOf(through)).toEqual(factsOf(direct));
    expect(through.odd).toBeLessThanOrEqual(direct.odd);
    if (wanted !== 'same')
      for (const [name, value] of Object.entries(wanted.headers))
        expect([name, through.error?.headers[name] ?? null]).toEqual([name, value]);
  } else if ('better' in wanted) {
    expect(through.error).toBeNull();
    expect(through).toMatchObject(wanted.better);
    // One that is as good without ola belongs to `same`.
    expect(direct).not.toMatchObject({ ...wanted.better, error: null });
  } else judgeTold(wanted, direct, through, new TextDecoder().decode(raw.body));
}

const classes: Readonly<Record<number, string>> = {
  400: 'BadRequestError',
  429: 'RateLimitError',
  422: 'UnprocessableEntityError',
};

function judgeTold({ told, status, code, says, after }: Told, direct: Outcome, { error, text }: Outcome, body: string): void {
  const name = status === undefined ? 'APIError' : (classes[status] ?? 'InternalServerError');
  expect([error?.class, error?.status, error?.told]).toEqual([name, status, true]);
  expect(status === undefined ? error?.code : error?.headers['x-ola-code']).toBe(told);
  if (code !== undefined) expect(error?.code).toBe(code);
  if (says !== undefined) expect(body).toMatch(says);
  if (after !== undefined) expect(text).toBe(after);
  // Without ola it must not be an answer that is whole: it fails, is short, or has nothing that a client can read.
  expect(
    direct.error !== null || direct.finish === null || direct.finish === '' || direct.finish === 'error' || direct.text === '',
  ).toBe(true);
}

/** What ola sends as a stream is for the strictest reader too: objects and `[DONE]`, which comes once, at the end, or an error does. */
function judgeStream({ headers, body }: Raw, call: Call): void {
  if (headers.get('content-type') !== 'text/event-stream') return;
  expect([headers.get('cache-control'), headers.get('x-accel-buffering')]).toEqual(['no-cache, no-transform', 'no']);
  const decoded = decodeEvents(body).map(({ data }) => data);
  const last = decoded.at(-1) ?? '';
  for (const data of decoded.slice(0, -1)) expect(JSON.parse(data)).toBeObject();
  const isTyped = call === 'transcript stream' || call === 'image stream';
  if (last !== '[DONE]') expect(isTyped || last.startsWith('{"error":{')).toBe(true);
  expect(decoded.filter((data) => data.startsWith('{"error":')).length).toBe(last.startsWith('{"error":') ? 1 : 0);
}

describe('an answer that is', () => {
  const played = playAll();
  test.each(rows.map(([what, call, , wanted], at) => [what, call, wanted, at] as const))(
    '%s (%s)',
    async (_, call, wanted, at) => {
      const outcomes = await (played[at] as Promise<Played>);
      judge(wanted, outcomes);
      judgeStream(outcomes.raw, call);
    },
  );
});

describe('the second credential answers when the first one’s upstream says', () => {
  test.each(firstFails)('%s (%s)', async (what, call, behaviour) => {
    const { ola, up } = await shared;
    const good: Behaviour = call === 'chat' ? answer(200, completion('second')) : stream(event('second'), 'data: [DONE]\n\n');
    up.modes.set(what, (received) =>
      (received.headers.get('authorization') === `Bearer ${firstKey}` ? behaviour : good)(received),
    );
    expect(await throughOla(ola, call, `pair/${what}`)).toMatchObject({ text: 'second', error: null });
    expect(up.for(what)).toHaveLength(2);
  });
});

describe('a field that ola added and the upstream refuses is left out from then on:', () => {
  test.each(refusesUsage)('it is refused %s', async (what, status, body) => {
    const { ola, up } = await shared;
    const provider = `refuses-${refusesUsage.findIndex(([each]) => each === what)}`;
    await ola.addProvider(provider, up);
    up.modes.set(what, (received) =>
      (received.body.includes('stream_options') ? answer(status, body) : stream(event('Hello'), 'data: [DONE]\n\n'))(received),
    );
    const direct = await play(up.baseUrl, 'any-key', 'stream', what);
    expect(direct).toMatchObject({ text: 'Hello', error: null });
    expect(await throughOla(ola, 'stream', `${provider}/${what}`)).toEqual(direct);
    expect(await throughOla(ola, 'stream', `${provider}/${what}`)).toEqual(direct);
    expect(up.for(what).map((received) => received.body.includes('stream_options'))).toEqual([false, true, false, false]);
  });

  test('one that the client sent itself is the client’s mistake', async () => {
    const { ola, up } = await shared;
    const [, status, body] = refusesUsage[0] as (typeof refusesUsage)[0];
    up.modes.set('own', answer(status, body));
    const [direct, through] = await Promise.all([
      play(up.baseUrl, 'any-key', 'stream with usage', 'own'),
      throughOla(ola, 'stream with usage', 'acme/own'),
    ]);
    expect([direct.error?.status, through.error?.message]).toEqual([400, direct.error?.message]);
    expect(up.for('own')).toHaveLength(2);
  });
});
