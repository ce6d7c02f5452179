/** Secrets of the configuration on their way from the vault, a variable or a file into use. */
import { type ConfigDocument, documentSchema } from '../../core/document.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { Log } from '../../core/ports.ts';
import { parseReference, type Reference } from '../../core/secret-references.ts';
import { isSecretReference, mapSecrets, type Path, type SecretKind } from '../../core/secrets.ts';
import { placeOfSecret, type SealedSecret, type Vault } from '../../core/vault.ts';

/** A secret in use. */
export interface OpenSecret {
  readonly value: string;
  /** Scheme, host and port that it was entered for; null: bound to none. */
  readonly origin: string | null;
  readonly hint: string;
}

/** The places that references lead to. */
export interface SecretPlaces {
  /** Every sealed secret in the store. */
  readonly stored: () => Promise<readonly SealedSecret[]>;
  readonly vault: Vault;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of a file that the configuration names; null when it cannot be read. */
  readonly readSecretFile: (path: string) => string | null;
  readonly log: Log;
}

/** Opens documents, one after the other. */
export interface Opener {
  /**
   * Opens the sealed secrets that a document names.
   * @param known secrets that are open already
   * @param fresh sealed secrets that are not stored yet
   */
  secrets(
    document: JsonObject,
    known: ReadonlyMap<string, OpenSecret>,
    fresh: readonly SealedSecret[],
  ): Promise<ReadonlyMap<string, OpenSecret>>;
  /** Puts secrets in place; one that cannot be opened is left out, and logged when the document before had it or did not name it. */
  document(document: JsonObject, secrets: ReadonlyMap<string, OpenSecret>): OpenDocument;
}

export interface OpenDocument {
  readonly open: ConfigDocument;
  /** The secrets that it has from variables and files. */
  readonly named: readonly string[];
}

export function createOpener(places: SecretPlaces): Opener {
  const { stored, vault, log } = places;
  /** Ids of secrets that do not open. */
  const damaged = new Set<string>();
  /** Places that the document before left out. */
  let leftOut: ReadonlySet<string> = new Set();

  /** A variable that is not set is often meant to be; damage and a file that cannot be read never are. */
  function logLeftOut(place: string, value: Json): void {
    const secret = isSecretReference(value) ? value.$secret : String(value);
    const reference = isSecretReference(value) ? null : parseReference(secret);
    const why = whyLeftOut(reference);
    log.log(reference?.kind === 'variable' ? 'warn' : 'error', `${place}: ${why}; it is left out until it can be read`, {
      place,
      secret,
    });
  }

  return {
    async secrets(document, known, fresh) {
      const opened = new Map<string, OpenSecret>();
      const missing = new Set<string>();
      for (const id of secretIds(document)) {
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
      const missing = new Set<string>();
      const named = new Set<string>();
      const open = mapSecrets(document, documentSchema, (value, path, kind) => {
        const secret = secretOf(value, kind, secrets, places);
        if (secret === null) {
          const place = placeOf(path);
          missing.add(place);
          if (!leftOut.has(place)) logLeftOut(place, value);
        } else if (!isSecretReference(value)) named.add(secret);
        return secret ?? undefined;
      });
      leftOut = missing;
      return { open: open as ConfigDocument, named: [...named] };
    },
  };
}

function whyLeftOut(reference: Reference | null): string {
  if (reference?.kind === 'variable') return `the variable ${reference.name} is not set`;
  if (reference?.kind === 'file') return 'the file that it names cannot be read';
  return reference?.kind === 'store' ? 'the stored secret that it names is not there or damaged' : 'the stored secret is damaged';
}

const placeOf = (path: Path): string => path.join('.');

/** The ids of the sealed secrets that a document, or a part of one, names. */
function secretIds(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') {
    const named = value.startsWith('store:') ? parseReference(value) : null;
    return named?.kind === 'store' ? [named.id] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (isSecretReference(value)) return [value.$secret];
  return Object.keys(value).flatMap((key) => secretIds((value as JsonObject)[key]));
}

/** @returns null when it is damaged, was moved, or its key is not there */
function openSecret({ id, origin, hint, envelope }: SealedSecret, vault: Vault): OpenSecret | null {
  try {
    return { value: vault.open(envelope, placeOfSecret(id)), origin, hint };
  } catch {
    return null;
  }
}

/** @returns null when the secret is not there, or empty */
function secretOf(
  value: Json,
  kind: SecretKind,
  secrets: ReadonlyMap<string, OpenSecret>,
  { environment, readSecretFile }: SecretPlaces,
): string | null {
  if (isSecretReference(value)) return secrets.get(value.$secret)?.value ?? null;
  const reference = typeof value === 'string' ? parseReference(value) : null;
  if (reference?.kind === 'variable') return environment[reference.name] || null;
  if (reference === null || kind === 'unknown') return null;
  return reference.kind === 'store' ? (secrets.get(reference.id)?.value ?? null) : readSecretFile(reference.path) || null;
}
