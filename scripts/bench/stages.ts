/** Owns the micro-measurement, as a process: what the pure parts of one call cost, in microseconds, each alone in a warm loop. */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { createEventCutter } from '../../src/core/sse.ts';
import { noTokenCounts, type UsageRow } from '../../src/core/usage.ts';
import { openSqlite } from '../../src/runtime/sqlite.ts';
import { openStore } from '../../src/store/open.ts';
import { endWithParent, readJob, reply, type Stage, type StagesJob } from './job.ts';
import { spread } from './statistics.ts';
import { contentChunks, models, requestBody, streamEvents } from './traffic.ts';

const samples = 25;
const sampleMs = 20;
/** Results go here, so that no loop is without effect. */
let sink = 0;

/** The lowest of some samples: a neighbour or a pause of the collector can only add to what the work itself costs. */
async function timed(name: string, calls: number, work: () => unknown): Promise<Stage> {
  const once = async (): Promise<number> => {
    let [rounds, elapsed] = [0, 0];
    for (const from = performance.now(); elapsed < sampleMs; elapsed = performance.now() - from) {
      const result = work();
      if (result instanceof Promise) await result;
      rounds++;
    }
    return (elapsed * 1000) / (rounds * calls);
  };
  await once();
  const values: number[] = [];
  for (let n = 0; n < samples; n++) values.push(await once());
  return { name, microseconds: spread(values).min };
}

const batch = 100;
/** Calls `work` a hundred times between two looks at the clock: a look costs as much as the smallest stage. */
const repeat = (name: string, work: () => number): Promise<Stage> =>
  timed(name, batch, () => {
    for (let n = 0; n < batch; n++) sink += work();
  });

function scanStream(): () => number {
  const { content, end } = streamEvents(contentChunks.stream);
  const bytes = new TextEncoder().encode(content.join('') + end);
  return () => {
    let events = 0;
    createEventCutter(1_000_000).push(bytes, () => {
      events++;
      return true;
    });
    return events;
  };
}

const rowsAtOnce = 200;
/** How many calls arrive in a millisecond, near enough: row ids are made from the time. */
const rowsPerMs = 25;

/** Whole batches, the transaction's commit included, as the gateway writes them beside the requests. */
async function appendUsage(directory: string): Promise<Stage> {
  const store = openStore({ database: openSqlite(join(directory, 'stages.sqlite3')), now: Date.now, backUp() {} });
  const from = Date.now();
  let written = 0;
  const nextBatch = (): UsageRow[] =>
    Array.from({ length: rowsAtOnce }, () => usageRow(from + Math.floor(written++ / rowsPerMs)));
  const stage = await timed(`usage row, written ${rowsAtOnce} at a time`, rowsAtOnce, () => store.usage.append(nextBatch()));
  store.close();
  return stage;
}

function usageRow(startedAt: number): UsageRow {
  return {
    startedAt,
    requestId: '01890a5d-ac96-774b-bcce-b302099a8057',
    subject: 'legacy-admin',
    tokenId: null,
    project: null,
    client: '127.0.0.1',
    endpoint: '/v1/chat/completions',
    requested: 'bench/bench',
    provider: 'bench',
    model: 'bench',
    profile: null,
    source: 'provider-config',
    stream: false,
    status: 200,
    error: null,
    tokens: { ...noTokenCounts, prompt: 29, completion: 64 },
    costMicros: null,
    priceVersion: null,
    firstByteMs: 1,
    latencyMs: 1,
    attempts: null,
  };
}

const token = 'x'.repeat(43);
/** Not one text again and again: the engine remembers a string that it has parsed. */
const bodies = Array.from({ length: 256 }, (_, n) => requestBody('json', `bench/${models.json}-${n}`));
let turn = 0;
const job = readJob<StagesJob>();
endWithParent();
reply([
  await repeat('SHA-256 of the token', () => hash('sha256', token).length),
  await repeat('JSON.parse of the request', () => Object.keys(JSON.parse(bodies[turn++ & 255] ?? '') as object).length),
  await repeat('event scan of the 64-chunk stream', scanStream()),
  await appendUsage(job.directory),
] satisfies Stage[]);
process.exit(sink > 0 ? 0 : 1);
