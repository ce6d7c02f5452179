/**
 * OAuth grants at work: the tokens of each auth profile, renewed once for all requests and processes, and stored before they
 * are used.
 */
import type { Destination, Egress } from '../core/egress.ts';
import { asOlaError, OlaError } from '../core/errors.ts';
import { type GrantState, type GrantStore, placeOfGrant, type StoredGrant } from '../core/grants.ts';
import type { Clock, Log } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import {
  dueAt,
  type EnteredGrant,
  type Grants,
  type GrantTokens,
  grantId,
  isValid,
  pauseAfter,
  type Renewal,
  type RenewedTokens,
  readRenewal,
  renewalRequest,
  tokensInUse,
} from '../credentials/grants.ts';
import { readAtMost } from './inference/read-body.ts';
import { retryAfterSeconds } from './inference/retry-after.ts';

/** How the renewal of a profile's tokens stands, for people. Times are milliseconds since 1970. */
export interface RenewalState {
  readonly state: GrantState;
  /** Null: it does not fail. */
  readonly since: number | null;
  /** The end of the access token; null: not known, or there is none. */
  readonly until: number | null;
  /** Why it fails, in words; null when it does not. */
  readonly why: string | null;
}

export interface KeptGrants extends Grants {
  /** Null: the tokens of this profile are not renewed. */
  stateOf(profile: string): RenewalState | null;
  /** Every token that is held. */
  secrets(): Iterable<string>;
  /** Called when a profile has to be signed in again: from then on it is passed over. */
  onLost(listener: () => void): void;
  /** Resolves when no renewal runs: a refresh token that is on its way must be stored. */
  flush(): Promise<void>;
}

export interface GrantPorts {
  readonly store: GrantStore;
  /** The ids of the auth profiles in the document. */
  readonly profiles: readonly string[];
  readonly vault: Vault;
  /** Asked when the first renewal is made. */
  readonly egress: () => Pick<Egress, 'send'>;
  /** Names this process among those that share the store. */
  readonly owner: string;
  readonly userAgent: string;
  /** Waits between two looks at a lease; handed in by tests. */
  readonly pause?: (milliseconds: number) => Promise<void>;
  readonly now: Clock;
  readonly log: Log;
}

/** Milliseconds. Longer than a renewal can take: the three limits below, and the wait for the disk. */
const leaseMs = 60_000;
const connectMs = 10_000;
const answerMs = 15_000;
/** Bytes. */
const longestAnswer = 64 * 1024;
/** Milliseconds between two looks at a lease that another process has, and how many there are. */
const lookMs = 50;
const mostLooks = 400;
/** Milliseconds. A token that is refused so soon after its renewal is not refused for its age. */
const leastAge = 60_000;
/** Milliseconds until the store is tried again. */
const storePause = 1_000;
/** Milliseconds. */
const keptMs = 30 * 86_400_000;

interface Entry {
  readonly id: string;
  readonly profile: string;
  /** Null: the profile is known, but cannot be used now. */
  entered: EnteredGrant | null;
  tokens: GrantTokens | null;
  /** The opened tokens of the row. */
  renewed: RenewedTokens | null;
  row: StoredGrant;
  /** Renewed tokens that the disk did not take: they are stored before anything else is asked. */
  unsaved: { readonly grant: StoredGrant; readonly tokens: RenewedTokens } | null;
  /** No renewal is tried before, because another process has the lease or the store failed. */
  quietUntil: number;
  running: Promise<void> | null;
}

export async function loadGrants(ports: GrantPorts): Promise<KeptGrants> {
  const { store, vault, now, log, pause = wait } = ports;
  const rows = new Map((await store.list()).map((row) => [row.id, row]));
  await forgetOld(ports, rows.values());
  const entries = new Map<string, Entry>();
  /** The newest grant of each profile. */
  const ofProfile = new Map<string, Entry>();
  let lost = () => {};

  function entryOf(profile: string, refresh: string): Entry {
    const id = grantId(profile, refresh);
    const known = entries.get(id);
    const entry = known ?? newEntry(rows.get(id) ?? newRow(id, profile));
    entries.set(id, entry);
    ofProfile.set(profile, entry);
    return entry;
  }

  /** @returns null when nothing is stored, or it cannot be opened */
  function openTokens({ id, profile, envelope, obtainedAt, expiresAt }: StoredGrant): RenewedTokens | null {
    if (envelope === null) return null;
    try {
      const { access, refresh, entered } = JSON.parse(vault.open(envelope, placeOfGrant(id))) as SealedTokens;
      return { access, refresh, entered, obtainedAt, expiresAt };
    } catch {
      log.log('error', 'the renewed tokens of an auth profile are damaged; those of the profile are used', { profile });
      return null;
    }
  }

  function newEntry(row: StoredGrant): Entry {
    const { id, profile } = row;
    const renewed = openTokens(row);
    return { id, profile, entered: null, tokens: null, renewed, row, unsaved: null, quietUntil: 0, running: null };
  }

  /** Another process has changed the grant. */
  function take(entry: Entry, row: StoredGrant): void {
    entry.row = row;
    use(entry, openTokens(row));
  }

  function renewOnce(entry: Entry, refused: string | null): Promise<void> {
    entry.running ??= renew(entry, refused)
      .catch((thrown: unknown) => {
        entry.quietUntil = now() + storePause;
        log.log('error', 'the tokens of an auth profile could not be renewed: the store failed', {
          profile: entry.profile,
          cause: asOlaError(thrown).message,
        });
      })
      .finally(() => {
        entry.running = null;
      });
    return entry.running;
  }

  async function renew(entry: Entry, refused: string | null): Promise<void> {
    if (entry.unsaved !== null) return keep(entry, entry.unsaved.grant, entry.unsaved.tokens);
    for (let looks = 0; ; looks++) {
      const at = now();
      if (entry.row.state === 'needs_login' || at < pausedUntil(entry)) return;
      const { id, profile, row } = entry;
      const wanted = { id, profile, version: row.version, owner: ports.owner, now: at, until: at + leaseMs };
      const { taken, grant } = await store.lease(wanted);
      if (taken) break;
      if (grant.version !== row.version) {
        take(entry, grant);
        if (isFresh(entry.tokens, at) && entry.tokens?.access !== refused) return;
      } else if (looks >= mostLooks) {
        entry.quietUntil = grant.leaseUntil;
        return;
      } else await pause(lookMs);
    }
    await settle(entry, await ask(entry));
  }

  async function ask({ entered, tokens }: Entry): Promise<Asked> {
    if (entered === null || tokens === null) throw new OlaError('internal_error', 'There are no tokens to renew.');
    const { path, body, destination, ...request } = requestOf(entered, tokens);
    const headers = { ...request.headers, 'user-agent': ports.userAgent };
    try {
      // A connection of its own: a kept one may end before an answer, and then nobody knows whether the token was used.
      const reply = await ports.egress().send(destination, { method: 'POST', path, headers, body, fresh: true });
      const text = await readAtMost(reply, { limit: longestAnswer, first: null, milliseconds: answerMs });
      const seconds = retryAfterSeconds(reply.header, null, now());
      return { renewal: readRenewal({ status: reply.status, text: text ?? '' }, now()), waitMs: (seconds ?? 0) * 1000 };
    } catch (thrown) {
      const { code } = asOlaError(thrown);
      const isUnsent = code === 'upstream_unreachable' || code === 'egress_destination_blocked' || code === 'invalid_request';
      return isUnsent
        ? { renewal: { kind: 'failed', reason: `cannot be reached (${code})` }, waitMs: 0 }
        : { renewal: null, waitMs: 0 };
    }
  }

  async function settle(entry: Entry, { renewal, waitMs }: Asked): Promise<void> {
    const { row, tokens } = entry;
    const at = now();
    const next = { ...row, version: row.version + 1, envelope: null, changedAt: at, leaseOwner: null, leaseUntil: 0 };
    if (renewal?.kind === 'renewed') {
      const { access, expiresAt, isCapped } = renewal;
      const kept = tokens?.refresh ?? '';
      const of = { obtainedAt: at, expiresAt, entered: entry.entered?.access ?? null };
      const renewed = { access, refresh: renewal.refresh ?? kept, ...of };
      if (isCapped) {
        const message = 'a token endpoint named a life of more than a day; the tokens are renewed after a day';
        log.log('warn', message, { profile: entry.profile });
      }
      const ready = { state: 'ready', reason: null, failingSince: null, failures: 0, retryAt: 0 } as const;
      return keep(entry, { ...next, ...ready, obtainedAt: at, expiresAt }, renewed);
    }
    const failures = row.failures + 1;
    const failing = { ...next, failures, failingSince: row.failingSince ?? at };
    // Until the lease ends nobody asks again: the endpoint may still be at work on the request.
    const lease = { leaseOwner: ports.owner, leaseUntil: at + leaseMs, retryAt: at + leaseMs };
    const failed: StoredGrant =
      renewal === null
        ? { ...failing, ...lease, state: 'unknown', reason: 'gave no answer, so it may have used the refresh token' }
        : renewal.kind === 'refused'
          ? { ...failing, state: 'needs_login', reason: renewal.reason }
          : { ...failing, state: 'failing', reason: renewal.reason, retryAt: at + pauseAfter(failures, waitMs) };
    const message = `the tokens of an auth profile could not be renewed: its token endpoint ${failed.reason}`;
    log.log('warn', message, { profile: entry.profile, state: failed.state });
    entry.row = { ...failed, envelope: row.envelope };
    if (failed.state === 'needs_login') lost();
    if (!(await store.save(failed))) await reload(entry);
  }

  /** The refresh token may be a new one: it is on the disk before the access token is used. */
  async function keep(entry: Entry, grant: StoredGrant, tokens: RenewedTokens): Promise<void> {
    entry.unsaved = { grant, tokens };
    const { access, refresh, entered } = tokens;
    const envelope = vault.seal(JSON.stringify({ access, refresh, entered }), placeOfGrant(entry.id));
    const isSaved = await store.save({ ...grant, envelope });
    entry.unsaved = null;
    if (!isSaved) return reload(entry);
    entry.row = { ...grant, envelope };
    use(entry, tokens);
  }

  /** Another process stored something in between. */
  async function reload(entry: Entry): Promise<void> {
    const row = (await store.list()).find(({ id }) => id === entry.id);
    if (row !== undefined) take(entry, row);
  }

  async function accessLater(entry: Entry): Promise<string> {
    await renewOnce(entry, null);
    const { tokens } = entry;
    if (tokens?.access != null && isValid(tokens, now())) return tokens.access;
    throw withoutAccess(entry);
  }

  return {
    open(entered) {
      const entry = entryOf(entered.profile, entered.refresh);
      entry.entered = entered;
      use(entry, entry.renewed);
      return {
        access(at) {
          const { tokens } = entry;
          const isPaused = at < pausedUntil(entry) || entry.row.state === 'needs_login';
          if (tokens?.access != null && (isPaused ? isValid(tokens, at) : isFresh(tokens, at))) return tokens.access;
          return accessLater(entry);
        },
        async renew(refused, at) {
          if (entry.tokens?.access !== refused) return true;
          const { obtainedAt } = entry.row;
          if (obtainedAt !== null && at - obtainedAt < leastAge) return false;
          await renewOnce(entry, refused);
          return entry.tokens?.access !== refused;
        },
        secrets: () => secretsOf(entry),
      };
    },
    needsLogin: (profile, refresh) => entryOf(profile, refresh).row.state === 'needs_login',
    stateOf(profile) {
      const entry = ofProfile.get(profile);
      if (entry === undefined) return null;
      const { state, failingSince, reason } = entry.row;
      const why = reason === null ? null : `its token endpoint ${reason}`;
      return { state, since: failingSince, until: entry.tokens?.expiresAt ?? null, why };
    },
    *secrets() {
      for (const entry of entries.values()) yield* secretsOf(entry);
    },
    onLost(listener) {
      lost = listener;
    },
    async flush() {
      await Promise.all([...entries.values()].map(({ running }) => running));
    },
  };
}

/** A profile that was deleted may come back with a rollback; after a month its tokens go. */
async function forgetOld({ store, profiles, now, log }: GrantPorts, rows: Iterable<StoredGrant>): Promise<void> {
  const before = now() - keptMs;
  if (![...rows].some(({ profile, changedAt }) => changedAt < before && !profiles.includes(profile))) return;
  await store.forget(profiles, before).catch((thrown: unknown) => {
    log.log('warn', 'old tokens of deleted auth profiles could not be deleted', { cause: asOlaError(thrown).message });
  });
}

/** What is sealed of renewed tokens. */
interface SealedTokens {
  readonly access: string;
  readonly refresh: string;
  readonly entered: string | null;
}

/** The answer of a token endpoint; null: none came, and it is not known whether the request arrived. */
interface Asked {
  readonly renewal: Renewal | null;
  /** Milliseconds that the endpoint asks to wait. */
  readonly waitMs: number;
}

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

function use(entry: Entry, renewed: RenewedTokens | null): void {
  entry.renewed = renewed;
  if (entry.entered !== null) entry.tokens = tokensInUse(entry.entered, renewed);
}

function newRow(id: string, profile: string): StoredGrant {
  return {
    ...{ id, profile, version: 0, envelope: null, obtainedAt: null, expiresAt: null, state: 'ready', reason: null },
    ...{ failingSince: null, failures: 0, retryAt: 0, leaseOwner: null, leaseUntil: 0, changedAt: 0 },
  };
}

const pausedUntil = ({ row, quietUntil }: Entry): number => Math.max(row.retryAt, quietUntil);

function isFresh(tokens: GrantTokens | null, now: number): boolean {
  return tokens !== null && isValid(tokens, now) && now < dueAt(tokens);
}

function secretsOf({ tokens, unsaved, entered }: Entry): string[] {
  const texts = [tokens?.access, tokens?.refresh, unsaved?.tokens.access, unsaved?.tokens.refresh, entered?.refresh];
  return texts.flatMap((text) => text ?? []);
}

function requestOf({ endpoint, destination }: EnteredGrant, { refresh }: GrantTokens) {
  const { origin, pathname, search } = new URL(endpoint.tokenUrl);
  const { name, allowLocal, ports, ca, baseUrl } = destination;
  const to: Destination = {
    ...{ name, allowLocal, baseUrl: origin },
    timeouts: { connect: connectMs, firstByte: answerMs, idle: answerMs },
    ...(search === '' ? {} : { query: search }),
    ...(ports === undefined ? {} : { ports }),
    // Another server may have a certificate of a public authority.
    ...(ca === undefined || new URL(baseUrl).origin !== origin ? {} : { ca }),
  };
  return { ...renewalRequest(endpoint, refresh), path: pathname, destination: to };
}

function withoutAccess({ profile, row }: Entry): OlaError {
  const help =
    row.state === 'needs_login'
      ? 'Sign in again, and put the new tokens into the profile.'
      : 'ola tries it again; GET /config/auth-profiles shows the state.';
  const why = row.reason === null ? 'its tokens could not be renewed' : `its token endpoint ${row.reason}`;
  const message = `Auth profile '${profile}' has no valid access token: ${why}. ${help}`;
  return new OlaError('upstream_unreachable', message, { details: { profile } });
}
