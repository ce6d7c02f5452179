/** The configuration: one snapshot that a request reads from start to end, and the writes that make the next one. */
import { randomUUID } from 'node:crypto';
import type { ConfigStore, Revision } from '../../core/config.ts';
import { type ConfigDocument, documentSchema } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { parseJsonc } from '../../core/jsonc.ts';
import type { Clock, Log } from '../../core/ports.ts';
import { hint } from '../../core/redaction.ts';
import { parseReference } from '../../core/secret-references.ts';
import {
  isSecretReference,
  type MappedPart,
  mapSecrets,
  type Path,
  redacted,
  type SecretKind,
  type SecretsMemo,
  valueAt,
} from '../../core/secrets.ts';
import type { TokenRecord } from '../../core/tokens.ts';
import { placeOfSecret, type SealedSecret, type Vault } from '../../core/vault.ts';
import type { Tokens } from '../access/tokens.ts';
import type { Audit, Requester } from '../records/audit.ts';
import { changedPaths, shareEqual, summaryOf } from './changes.ts';
import { createOpener, type OpenSecret } from './open-secrets.ts';
import { type ConfigMode, isReference } from './placeholders.ts';
import { originOfSecrets, readDocument, refuseUnsafeDestinations, type WriteContext } from './read-document.ts';

export interface CurrentConfig {
  readonly revision: number;
  /** Strong, quoted: `"r12"`. */
  readonly etag: string;
  /** References in place of secrets. */
  readonly document: JsonObject;
  /** The same, typed, secrets in place; one that cannot be opened is left out. For use, never for showing. */
  readonly open: ConfigDocument;
  /** The sealed secrets that the document names, opened. */
  readonly secrets: ReadonlyMap<string, OpenSecret>;
  /** The secrets that it names elsewhere: in variables and files. */
  readonly named: readonly string[];
}

export interface ConfigChange {
  /** `provider.update acme`: what changed, without values. */
  readonly summary: string;
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** The next document: references where a secret stays, plain strings where one is new. */
  readonly document: JsonObject;
  /** The origin that a new secret at this path is bound to. */
  readonly originOf: (path: Path) => string | null;
  /** Access tokens that come with it; those that are there already are skipped. */
  readonly tokens?: readonly TokenRecord[];
}

export interface Config {
  /** The file that governs, absolute; null in database mode. */
  readonly file: string | null;
  snapshot(): CurrentConfig;
  /**
   * Every change is applied to what the one before left; `If-Match` is compared then.
   * @throws OlaError `config_managed_by_file` in file mode, `precondition_failed`, and what `make` throws
   */
  change(
    requester: Requester,
    ifMatch: string | null,
    make: (current: CurrentConfig) => Promise<ConfigChange>,
  ): Promise<CurrentConfig>;
  /** Called with each new snapshot, before the write is acknowledged. */
  onChange(listener: (snapshot: CurrentConfig) => void): void;
  /**
   * File mode: takes the file's text as it stands now, null when it is not there; keeps the last good one when it is not usable.
   * @returns false when the database cannot take it now: it is to be handed over again, though it is the same text
   */
  reload(text: string | null): Promise<boolean>;
  /** File mode: what is wrong with the text as it stands now, null when it is in force. */
  problem(): string | null;
}

/** The file that governs, as it was read. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

export interface ConfigPorts {
  readonly store: ConfigStore;
  readonly vault: Vault;
  readonly tokens: Pick<Tokens, 'unknown' | 'adopt'>;
  readonly audit: Audit;
  /** Null: the database is the truth. */
  readonly file: ConfigFile | null;
  readonly readSecretFile: (path: string) => string | null;
  readonly facts: WriteContext;
  readonly now: Clock;
  readonly log: Log;
}

/** @throws OlaError in file mode when the text cannot be used, its message beginning with the file's path */
export async function loadConfig(ports: ConfigPorts): Promise<Config> {
  const { store, vault, tokens, audit, facts, readSecretFile, now, log } = ports;
  const file = ports.file?.path ?? null;
  const listeners: ((snapshot: CurrentConfig) => void)[] = [];
  // A change touches little of a large document: what stayed is not walked again.
  const sealedParts = memoOfUnchanged();
  const { environment } = facts;
  const opener = createOpener({ stored: () => store.secrets(), vault, environment, readSecretFile, log });

  function snapshotOf(revision: number, document: JsonObject, secrets: ReadonlyMap<string, OpenSecret>): CurrentConfig {
    const open = opener.document(document, secrets);
    return { revision, etag: `"r${revision}"`, document, open, secrets, named: opener.named() };
  }

  const first = await store.current(file);
  const document = first?.document ?? {};
  let newest = await store.newest();
  let current = snapshotOf(first?.number ?? 0, document, await opener.secrets(document, new Map(), []));
  let queue: Promise<unknown> = Promise.resolve();
  let problem: string | null = null;

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  }

  /** Writes a revision and puts it in force. */
  async function write(requester: Requester, change: ConfigChange): Promise<void> {
    const at = now();
    const { document: next, sealed } = sealDocument(change.document, change.originOf, vault, at, facts.mode, sealedParts);
    // From sealing to writing nothing is waited for but the store: a rotation of the key counts on that (keys.ts).
    // Opened before the write: nothing may fail once it is on the disk.
    const secrets = await opener.secrets(next, current.secrets, sealed);
    const fresh = tokens.unknown(change.tokens ?? []);
    const number = newest + 1;
    const { summary, action, details } = change;
    const revision: Revision = { number, at, actor: requester.principal.subject, summary, document: next, file };
    const event = audit.event(action, requester, { ...details, ...countOf(fresh), revision: number });
    await store.write({ revision, secrets: sealed, tokens: fresh, event });
    newest = number;
    tokens.adopt(fresh);
    putInForce(snapshotOf(number, next, secrets));
  }

  function putInForce(snapshot: CurrentConfig): void {
    current = snapshot;
    for (const listener of listeners) listener(snapshot);
  }

  async function apply(requester: Requester, ifMatch: string | null, make: (c: CurrentConfig) => Promise<ConfigChange>) {
    if (ifMatch !== null && !matches(ifMatch, current.etag)) {
      const message = 'The configuration has changed since it was read; read it again and repeat the change.';
      throw new OlaError('precondition_failed', message, { details: { etag: current.etag } });
    }
    await write(requester, await make(current));
    return current;
  }

  /** @throws OlaError when the text cannot be used */
  async function takeText(path: string, text: string, judging: typeof atStart | typeof whileRunning): Promise<void> {
    const { document: given, warnings } = readDocument(parseJsonc(text), {}, facts);
    opener.forget();
    const originOf = originOfSecrets(given, facts);
    const next = shareEqual(withStored(given, originOf), current.document);
    if (current.revision > 0 && next === current.document) {
      putInForce(snapshotOf(current.revision, current.document, current.secrets));
      return;
    }
    // What is in force already is not judged anew: a name that does not resolve now must not make it invalid.
    await refuseUnsafeDestinations(given, facts, judging);
    for (const { path: where, reason } of warnings) log.log('info', `${path}: ${where}: ${reason}`);
    const summary = summaryOf('file', changedPaths(current.document, next));
    await write(fileOrigin, { summary, action: 'config.update', details: { file: path }, document: next, originOf });
  }

  /** A secret in clear that is the stored one, for the same origin, is that one. */
  function withStored(given: JsonObject, originOf: (path: Path) => string | null): JsonObject {
    return mapSecrets(given, documentSchema, (value, path, kind) => {
      if (typeof value !== 'string' || isReference(value, kind, 'file')) return value;
      const stored = valueAt(current.document, path);
      const known = isSecretReference(stored) ? current.secrets.get(stored.$secret) : undefined;
      return known?.value === value && known.origin === originOf(path) ? stored : value;
    });
  }

  async function reload(path: string, text: string | null): Promise<boolean> {
    const before = problem;
    try {
      if (text === null) throw new OlaError('invalid_field', 'it is not there, or it cannot be read.');
      await takeText(path, text, whileRunning);
      problem = null;
      if (before !== null) log.log('info', `${path} is in force again`);
      return true;
    } catch (thrown) {
      const why = thrown instanceof OlaError ? thrown.message : 'it could not be taken over; see the log';
      problem = `${path}: ${why}`;
      if (!(thrown instanceof OlaError)) log.log('error', `${path} could not be taken over`, { cause: String(thrown) });
      if (problem !== before) log.log('error', `${problem} The configuration stays as it was.`);
      return !(thrown instanceof OlaError && thrown.code === 'persistence_unavailable');
    }
  }

  if (ports.file !== null) {
    await takeText(ports.file.path, ports.file.text, atStart).catch((thrown: unknown) => {
      if (!(thrown instanceof OlaError)) throw thrown;
      throw new OlaError(thrown.code, `${file}: ${thrown.message}`, { ...thrown.facts, cause: thrown });
    });
  }

  return {
    file,
    snapshot: () => current,
    async change(requester, ifMatch, make) {
      if (file !== null) throw managedByFile(file);
      return inTurn(() => apply(requester, ifMatch, make));
    },
    onChange: (listener) => void listeners.push(listener),
    async reload(text) {
      return file === null || inTurn(() => reload(file, text));
    },
    problem: () => problem,
  };
}

/**
 * Puts references in place of the new secrets of a document; `${NAME}` is none, and in file mode no other reference is.
 * @param originOf the origin that a new secret at a path is bound to
 * @param memo of parts that hold nothing to seal
 * @throws OlaError `invalid_field` for a placeholder
 */
export function sealDocument(
  document: JsonObject,
  originOf: (path: Path) => string | null,
  vault: Vault,
  at: number,
  mode: ConfigMode = 'database',
  memo?: SecretsMemo,
): { document: JsonObject; sealed: SealedSecret[] } {
  const sealed: SealedSecret[] = [];
  const seal = (value: Json, path: Path, kind: SecretKind): Json | undefined => {
    if (typeof value !== 'string') return value === null ? undefined : value;
    if (isReference(value, kind, mode)) return value;
    if (value === redacted) throw nothingStored(path);
    const id = randomUUID();
    const envelope = vault.seal(value, placeOfSecret(id));
    sealed.push({ id, origin: originOf(path), hint: hint(value), envelope, createdAt: at });
    return { $secret: id };
  };
  const next = mapSecrets(document, documentSchema, seal, memo);
  return { document: next, sealed };
}

/** Remembers parts in which nothing was to be sealed; what was sealed is stored or not, and is not to be taken twice. */
function memoOfUnchanged(): SecretsMemo {
  const parts = new WeakMap<object, MappedPart>();
  return {
    get: (value) => parts.get(value),
    set: (value, part) => (part.mapped === value ? parts.set(value, part) : parts),
  };
}

function nothingStored(path: Path): OlaError {
  const param = path.join('.');
  return new OlaError('invalid_field', `'${param}' is ${redacted}, but nothing is stored there; send the value itself.`, {
    param,
  });
}

/** What an administrator may see: secrets are there, their values are not. References stay readable. */
export function redactDocument(document: JsonObject): JsonObject {
  return mapSecrets(document, documentSchema, (value) =>
    typeof value === 'string' && parseReference(value) !== null ? value : redacted,
  );
}

// Nobody waits for the answer to an edited file, and nobody would ask again: the network decides nothing. The dial does.
const atStart = { resolveDns: false } as const;
const whileRunning = { failClosed: false } as const;

/** Whoever may write the file is its author. */
const fileOrigin: Requester = {
  principal: { subject: 'file', tokenId: null, project: null, scopes: [] },
  requestId: null,
  clientIp: null,
  userAgent: null,
};

function managedByFile(file: string): OlaError {
  return new OlaError(
    'config_managed_by_file',
    `The configuration is managed by ${file}: change that file, it is read at once.`,
    {
      details: { file },
    },
  );
}

function countOf(tokens: readonly TokenRecord[]): { readonly tokens?: readonly string[] } {
  return tokens.length === 0 ? {} : { tokens: tokens.map(({ id }) => id) };
}

/** `If-Match`: a list of strong tags, or `*` (RFC 9110, 13.1.1). */
function matches(ifMatch: string, etag: string): boolean {
  return ifMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim() === etag);
}
