/** Access tokens: created, listed, revoked, and found by digest in memory, without reading the database. */
import { hash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { type Principal, type Scope, scopes } from '../../core/access.ts';
import { OlaError } from '../../core/errors.ts';
import type { Clock, Log } from '../../core/ports.ts';
import { mintToken, type TokenRecord, type TokenStore, type TokenUse } from '../../core/tokens.ts';
import type { Audit, Requester } from '../records/audit.ts';

export interface NewToken {
  readonly name: string;
  readonly scopes?: readonly Scope[];
  readonly admin?: boolean;
  /** Milliseconds since 1970; null when the token never expires. */
  readonly expiresAt: number | null;
  readonly project?: string;
}

/** The fields of a token that may be shown. */
export type TokenView = Omit<TokenRecord, 'digest'> & { readonly admin: boolean };

export interface Tokens {
  /** @returns the record and the token itself; this is the only time that the token is shown */
  create(token: NewToken, requester: Requester): Promise<{ readonly token: string; readonly view: TokenView }>;
  list(): TokenView[];
  /** The name of a token, also of a revoked one; null when there was never such a token. */
  nameOf(id: string): string | null;
  revoke(id: string, requester: Requester): Promise<void>;
  /** True when a token exists that is not revoked; an expired one counts. */
  configured(): boolean;
  /**
   * @param digest of the token, when the caller has computed it
   * @returns null for a token that is unknown, revoked, expired or disabled: the client cannot tell these apart
   */
  find(token: string, digest?: string): Principal | null;
  /** True when a token that was accepted for a call would still be accepted. */
  holds(id: string): boolean;
  /**
   * The records whose token was never stored here: the ones to import.
   * @throws OlaError `conflict` when an id belongs to another token
   */
  unknown(records: readonly TokenRecord[]): readonly TokenRecord[];
  /** Adds records that another part has just stored. */
  adopt(records: readonly TokenRecord[]): void;
  /** Counts a use. The counts are written later, at most once a minute. */
  used(id: string): void;
  /** Remembers that a token let a request in, whatever the request was for. */
  seen(id: string): void;
  flush(): Promise<void>;
}

interface Entry {
  record: TokenRecord;
  /** With the uses that are not written yet, which `record` lacks. */
  lastUsedAt: number | null;
  useCount: number;
  readonly digest: Buffer;
  readonly principal: Principal;
}

/** Longest time that a count of uses waits in memory, in milliseconds. */
const useWriteMs = 60_000;

export async function loadTokens(ports: {
  readonly store: TokenStore;
  readonly audit: Audit;
  readonly now: Clock;
  readonly log: Log;
}): Promise<Tokens> {
  const { store, audit, now, log } = ports;
  const byDigest = new Map<string, Entry>();
  const byId = new Map<string, Entry>();
  const uses = new Map<string, { count: number; lastUsedAt: number }>();
  let timer: ReturnType<typeof setTimeout> | null = null;

  function remember(record: TokenRecord): void {
    const { lastUsedAt, useCount } = record;
    const entry = { record, lastUsedAt, useCount, digest: Buffer.from(record.digest), principal: principalOf(record) };
    byDigest.set(record.digest, entry);
    byId.set(record.id, entry);
  }
  for (const record of await store.list()) remember(record);

  async function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const batch: TokenUse[] = [...uses].map(([id, use]) => ({ id, ...use }));
    uses.clear();
    if (batch.length === 0) return;
    try {
      await store.recordUse(batch);
    } catch (cause) {
      for (const use of batch) toWrite(use.id, use.count, use.lastUsedAt);
      log.log('error', 'uses of tokens could not be written; they wait in memory', { cause: String(cause) });
    }
  }

  function countUse(id: string, count: number, at: number): void {
    const entry = byId.get(id);
    if (entry !== undefined) {
      entry.lastUsedAt = Math.max(entry.lastUsedAt ?? at, at);
      entry.useCount += count;
    }
    toWrite(id, count, at);
  }

  function toWrite(id: string, count: number, at: number): void {
    const use = uses.get(id);
    if (use === undefined) uses.set(id, { count, lastUsedAt: at });
    else {
      use.count += count;
      use.lastUsedAt = Math.max(use.lastUsedAt, at);
    }
    timer ??= setTimeout(() => void flush(), useWriteMs);
  }

  return {
    async create(wanted, requester) {
      const token = mintToken(randomBytes);
      const record: TokenRecord = {
        id: `tok_${randomUUID().replaceAll('-', '')}`,
        digest: digestOf(token),
        hint: `ola_****${token.slice(-4)}`,
        name: wanted.name,
        owner: null,
        project: wanted.project ?? null,
        scopes: wanted.admin === true ? scopes : normalScopes(wanted.scopes),
        enabled: true,
        createdAt: now(),
        expiresAt: wanted.expiresAt,
        revokedAt: null,
        lastUsedAt: null,
        useCount: 0,
      };
      await store.create(record, audit.event('token.create', requester, { token: record.id, scopes: record.scopes }));
      remember(record);
      return { token, view: viewOf(record) };
    },
    list: () =>
      [...byId.values()]
        .filter(({ record }) => record.revokedAt === null)
        .map(({ record, lastUsedAt, useCount }) => viewOf({ ...record, lastUsedAt, useCount })),
    nameOf: (id) => byId.get(id)?.record.name ?? null,
    async revoke(id, requester) {
      const entry = byId.get(id);
      const at = now();
      if (entry === undefined || !(await store.revoke(id, at, audit.event('token.revoke', requester, { token: id })))) {
        throw new OlaError('not_found', `There is no token '${id}'; \`ola token list\` lists the tokens.`);
      }
      entry.record = { ...entry.record, revokedAt: at };
      byDigest.delete(entry.record.digest);
    },
    configured: () => byDigest.size > 0 && [...byDigest.values()].some((entry) => entry.record.revokedAt === null),
    find(token, digest = digestOf(token)) {
      const entry = byDigest.get(digest);
      if (entry === undefined || !timingSafeEqual(entry.digest, Buffer.from(digest))) return null;
      return isValid(entry.record, now()) ? entry.principal : null;
    },
    holds(id) {
      const entry = byId.get(id);
      return entry !== undefined && isValid(entry.record, now());
    },
    unknown(records) {
      if (records.length === 0) return records;
      const digests = new Set([...byId.values()].map(({ record }) => record.digest));
      const ids = new Set(byId.keys());
      const fresh: TokenRecord[] = [];
      for (const record of records) {
        // A revoked token counts as known: a write of the configuration must not bring it back.
        if (digests.has(record.digest)) continue;
        if (ids.has(record.id)) throw idTaken(record.id);
        digests.add(record.digest);
        ids.add(record.id);
        fresh.push(record);
      }
      return fresh;
    },
    adopt: (records) => records.forEach(remember),
    used: (id) => countUse(id, 1, now()),
    seen: (id) => countUse(id, 0, now()),
    flush,
  };
}

function isValid({ enabled, revokedAt, expiresAt }: TokenRecord, at: number): boolean {
  return enabled && revokedAt === null && (expiresAt === null || expiresAt > at);
}

function idTaken(id: string): OlaError {
  const message = `Another access token has the id '${id}'. Give this one another id, or revoke the other token first.`;
  return new OlaError('conflict', message, { param: 'authorization.tokens', details: { id } });
}

/** SHA-256, hex: tokens have 256 bits of entropy, so a plain hash is enough (ASVS 5.0, 6.5.2). */
export function digestOf(token: string): string {
  return hash('sha256', token);
}

/** The scopes in their fixed order without repeats; read and write when none is given. */
function normalScopes(wanted: readonly Scope[] | undefined): readonly Scope[] {
  if (wanted === undefined || wanted.length === 0) return ['read', 'write'];
  return wanted.includes('admin') ? scopes : scopes.filter((scope) => wanted.includes(scope));
}

function principalOf(record: TokenRecord): Principal {
  const subject = record.owner === null ? record.id : `user:${record.owner}`;
  return { subject, tokenId: record.id, project: record.project, scopes: record.scopes };
}

function viewOf(record: TokenRecord): TokenView {
  const { digest: _, ...view } = record;
  return { ...view, admin: record.scopes.includes('admin') };
}
