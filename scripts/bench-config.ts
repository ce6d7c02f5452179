/**
 * Measures a configuration of 500 providers and 2,000 profiles, each with its secrets, over the real store: how long it
 * takes to load, until a change is live, and how long a change stops everything else. Ends with 1 when a bar is missed.
 * Run by hand: `bun scripts/bench-config.ts`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCatalog } from '../src/catalog/lookup.ts';
import { localPrincipal } from '../src/core/access.ts';
import type { JsonObject } from '../src/core/json.ts';
import { createVault, parseKeys } from '../src/credentials/vault.ts';
import { digestOf } from '../src/gateway/access/tokens.ts';
import { createGateway, type Gateway } from '../src/gateway/gateway.ts';
import { protocols } from '../src/protocols/all.ts';
import { createTranslator } from '../src/protocols/translate.ts';
import { openSqlite } from '../src/runtime/sqlite.ts';
import { openStore } from '../src/store/open.ts';

const providerCount = 500;
const profileCount = 2000;
/** A whole document of a megabyte is read, judged and written in steps, between which calls go on. */
const bars = { loadMs: 100, changeMs: 20, wholeMs: 60, stallMs: 20 };
const rounds = 30;

const origin = { principal: localPrincipal, requestId: null, clientIp: null, userAgent: null };
const log = { log: () => undefined };

function documentOf(): JsonObject {
  const providers = Object.fromEntries(
    Array.from({ length: providerCount }, (_, n) => [
      `acme-${n}`,
      {
        baseUrl: `https://api-${n}.example.com/v1`,
        apiKey: `sk-provider-${n}-0123456789abcdef`,
        headers: { 'x-team': `team-${n}` },
        models: [{ id: 'large', contextWindow: 200_000 }, { id: 'small' }],
      },
    ]),
  );
  const authProfiles = Object.fromEntries(
    Array.from({ length: profileCount }, (_, n) => [
      `acme-${n % providerCount}:account-${n}`,
      {
        provider: `acme-${n % providerCount}`,
        type: 'api_key',
        key: `sk-profile-${n}-0123456789abcdef`,
        email: `person-${n}@example.com`,
      },
    ]),
  );
  return { providers, authProfiles };
}

async function open(directory: string): Promise<{ readonly gateway: Gateway; readonly loadMs: number; close(): Promise<void> }> {
  const database = openSqlite(join(directory, 'state.sqlite3'));
  const store = openStore({ database, now: Date.now, backUp: () => undefined });
  const ring = parseKeys('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
  const started = performance.now();
  const gateway = await createGateway({
    store,
    vault: createVault(ring),
    keySource: { name: 'bench', read: () => ring, retired: null, write: null },
    egress: () => ({ check: async () => null, send: () => Promise.reject(new Error('nothing is sent')), explain: () => '' }),
    programs: { find: () => null, run: () => Promise.reject(new Error('nothing is run')) },
    catalog: createCatalog(protocols.map(({ id }) => id)),
    protocols,
    translator: createTranslator(protocols, digestOf),
    environment: {},
    settings: { adminToken: null, proxyKey: null, everyProviderLocal: false, insecureHttp: false, envReferences: [] },
    file: null,
    place: { home: directory, database: join(directory, 'state.sqlite3') },
    processProviders: [],
    version: 'bench',
    now: Date.now,
    log,
  });
  const loadMs = performance.now() - started;
  const close = async () => {
    await gateway.flush();
    store.close();
  };
  return { gateway, loadMs, close };
}

/** The longest time that a timer of no delay had to wait while `work` ran, and how long that took. */
async function measured(work: () => Promise<unknown>): Promise<{ readonly tookMs: number; readonly stallMs: number }> {
  let stallMs = 0;
  let last = performance.now();
  let over = false;
  const watch = (async () => {
    while (!over) {
      await new Promise((resolve) => setImmediate(resolve));
      const now = performance.now();
      stallMs = Math.max(stallMs, now - last);
      last = now;
    }
  })();
  const started = performance.now();
  await work();
  const tookMs = performance.now() - started;
  over = true;
  await watch;
  return { tookMs, stallMs };
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const worst = (values: readonly number[]) => Math.max(...values);

async function repeated(work: (round: number) => Promise<unknown>) {
  const runs: Awaited<ReturnType<typeof measured>>[] = [];
  for (let round = 0; round < rounds; round++) runs.push(await measured(() => work(round)));
  return {
    change: median(runs.map(({ tookMs }) => tookMs)),
    worst: worst(runs.map(({ tookMs }) => tookMs)),
    stall: median(runs.map(({ stallMs }) => stallMs)),
  };
}

const directory = mkdtempSync(join(tmpdir(), 'ola-bench-'));
let missed = false;
function say(what: string, value: number, bar: number | null): void {
  const verdict = bar === null ? '' : value <= bar ? `  (bar ${bar})` : `  MISSED (bar ${bar})`;
  if (bar !== null && value > bar) missed = true;
  process.stdout.write(`${what.padEnd(52)} ${value.toFixed(1).padStart(8)} ms${verdict}\n`);
}

try {
  const first = await open(directory);
  const imported = await measured(() => first.gateway.documents.replace(documentOf(), null, origin));
  say('first write of the whole, every secret new', imported.tookMs, null);
  await first.close();

  const loads: number[] = [];
  for (let round = 0; round < 5; round++) {
    const again = await open(directory);
    loads.push(again.loadMs);
    await again.close();
  }
  say('load, median of 5', median(loads), bars.loadMs);

  const { gateway, close } = await open(directory);
  const put = await repeated((round) =>
    gateway.providers.put(`acme-${round}`, { baseUrl: `https://api-${round}.example.com/v2`, ports: [round + 1] }, null, origin),
  );
  say(`one provider put, median of ${rounds}`, put.change, bars.changeMs);
  say('  worst', put.worst, null);
  say('  longest stop, median', put.stall, bars.stallMs);

  const whole = gateway.documents.show().document;
  const post = await repeated((round) =>
    gateway.documents.replace({ ...whole, defaultModel: `acme-${round}/large` }, null, origin),
  );
  say(`whole document posted, median of ${rounds}`, post.change, bars.wholeMs);
  say('  worst', post.worst, null);
  say('  longest stop, median', post.stall, bars.stallMs);
  await close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exit(missed ? 1 : 0);
