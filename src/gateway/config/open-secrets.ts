/** Secrets of the configuration on their way from the vault, a variable or a file into use. */
import { type ConfigDocument, documentSchema } from '../../core/document.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { Log } from '../../core/ports.ts';
import { parseReference } from '../../core/secret-references.ts';
import { isSecretReference, mapSecrets, type Path, type SecretKind, type SecretsMemo } from '../../core/secrets.ts';
import { placeOfSecret, type SealedSecret, type Vault } from '../../core/vault.ts';

/** A secret in use. */
export interface OpenSecret {
  readonly value: string;
  /** Scheme, host and port that it was entered for; null: bound to none. */
  readonly origin: string | null;
  readonly hint: string;
}

/** Where references lead. */
export interface SecretPlaces {
  /** Every sealed secret there is. */
  readonly stored: () => Promise<readonly SealedSecret[]>;
  readonly vault: Vault;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of a file that the configuration names; null when it cannot be read. */
  readonly readSecretFile: (path: string) => string | null;
  readonly log: Log;
}

/** Opens documents, one after the other: what a document shares with the one before is not opened again. */
export interface Opener {
  /**
   * Opens the sealed secrets that a document names.
   * @param known those that are open already
   * @param fresh sealed ones that are not stored yet
   */
  secrets(
    document: JsonObject,
    known: ReadonlyMap<string, OpenSecret>,
    fresh: readonly SealedSecret[],
  ): Promise<ReadonlyMap<string, OpenSecret>>;
  /** The document with its secrets in place; what cannot be opened is left out, and said when it was not before. */
  document(document: JsonObject, secrets: ReadonlyMap<string, OpenSecret>): ConfigDocument;
  /** What was read from variables and files since they were forgotten. */
  named(): readonly string[];
  /** Files that documents name may have changed: they are read again. */
  forget(): void;
}

export function createOpener(places: SecretPlaces): Opener {
  const { stored, vault, log } = places;
  const idsKnown: KnownIds = new WeakMap();
  /** Ids of secrets that do not open. */
  const damaged = new Set<string>();
  let parts: SecretsMemo = new WeakMap();
  let said: ReadonlySet<string> = new Set();
  let named = new Set<string>();

  return {
    async secrets(document, known, fresh) {
      const opened = new Map<string, OpenSecret>();
      const missing = new Set<string>();
      for (const id of secretIds(document, idsKnown)) {
        const secret = known.get(id);
        if (secret !== undefined) opened.set(id, secret);
        else if (!damaged.has(id)) missing.add(id);
      }
      const take = (sealed: readonly SealedSecret[]) => {
        for (const secret of sealed) {
          const open = missing.delete(secret.id) ? openSecret(secret, vault) : null;
          if (open !== null) opened.set(secret.id, open);
        }
      };
      const wanted = [...missing];
      take(fresh);
      if (missing.size > 0) take(await stored());
      for (const id of wanted) if (!opened.has(id)) damaged.add(id);
      return opened;
    },
    document(document, secrets) {
      const left = new Set<string>();
      const open = (value: Json, path: Path, kind: SecretKind) => {
        const secret = secretOf(value, kind === 'unknown', secrets, places);
        if (secret !== null) {
          if (!isSecretReference(value)) named.add(secret);
          return secret;
        }
        const place = path.join('.');
        left.add(place);
        if (said.has(place)) return undefined;
        const reference = isSecretReference(value) ? value.$secret : String(value);
        // A variable that is not set is often meant to be; damage and a file that cannot be read never are.
        const level = parseReference(reference)?.kind === 'variable' ? 'warn' : 'error';
        log.log(level, 'a secret cannot be opened; what it belongs to goes without it', { place, secret: reference });
        return undefined;
      };
      const opened = mapSecrets(document, documentSchema, open, parts) as ConfigDocument;
      said = left;
      return opened;
    },
    named: () => [...named],
    forget() {
      parts = new WeakMap();
      named = new Set();
    },
  };
}

/** Ids by parts of documents, which do not change. */
type KnownIds = WeakMap<object, readonly string[]>;

/** The ids of the sealed secrets that a document, or a part of one, names. */
function secretIds(value: Json | undefined, known: KnownIds): readonly string[] {
  if (typeof value === 'string') {
    const named = value.startsWith('store:') ? parseReference(value) : null;
    return named?.kind === 'store' ? [named.id] : none;
  }
  if (typeof value !== 'object' || value === null) return none;
  if (isSecretReference(value)) return [value.$secret];
  const before = known.get(value);
  if (before !== undefined) return before;
  const ids = Object.keys(value).flatMap((key) => secretIds((value as JsonObject)[key], known));
  known.set(value, ids);
  return ids;
}

const none: readonly string[] = [];

/** @returns null when it is damaged, was moved, or its key is not there */
function openSecret({ id, origin, hint, envelope }: SealedSecret, vault: Vault): OpenSecret | null {
  try {
    return { value: vault.open(envelope, placeOfSecret(id)), origin, hint };
  } catch {
    return null;
  }
}

/** @returns null when it is not there, or empty */
function secretOf(
  value: Json,
  isUnknown: boolean,
  secrets: ReadonlyMap<string, OpenSecret>,
  { environment, readSecretFile }: SecretPlaces,
): string | null {
  if (isSecretReference(value)) return secrets.get(value.$secret)?.value ?? null;
  const reference = typeof value === 'string' ? parseReference(value) : null;
  if (reference?.kind === 'variable') return environment[reference.name] || null;
  if (reference === null || isUnknown) return null;
  return reference.kind === 'store' ? (secrets.get(reference.id)?.value ?? null) : readSecretFile(reference.path) || null;
}
