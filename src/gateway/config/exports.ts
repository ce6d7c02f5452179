/** The whole configuration for another machine: in clear without its secrets, which are sealed to a passphrase. */
import { documentSchema } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { isSecretReference, mapSecrets, type Path, redacted } from '../../core/secrets.ts';
import type { Store } from '../../core/store.ts';
import { openWithPassphrase, type SealedText, sealWithPassphrase } from '../../credentials/passphrase.ts';
import type { Audit, Requester } from '../records/audit.ts';
import type { Config, Written } from './config.ts';
import type { CurrentConfig } from './in-force.ts';
import { refuseUnwieldy } from './normal-form.ts';
import { type ExportedSecrets, placeKey } from './origins.ts';
import { missingSecrets, redactDocument } from './shown.ts';

export interface ExportedConfig {
  /** The document, secrets redacted. */
  readonly content: JsonObject;
  /** Places whose secrets are not in it, sealed or not. */
  readonly missing: readonly string[];
  /** Null without a passphrase. */
  readonly sealed: SealedText | null;
}

export interface Exports {
  /**
   * @param request `local`: it came over the control socket
   * @throws OlaError `insufficient_scope` for secrets that are asked for in another way
   */
  export(request: { readonly passphrase: string | null; readonly local: boolean }, requester: Requester): Promise<ExportedConfig>;
  /**
   * Replaces the configuration; `[REDACTED]` is the sealed secret of that place, else the secret that stands there now.
   * @throws OlaError `secret_required` for a sealed secret that was entered for another address; else as a write does
   */
  import(given: GivenExport, ifMatch: string | null, requester: Requester): Promise<Written>;
}

export interface GivenExport {
  readonly content: Json;
  /** As it was exported; undefined: without secrets. */
  readonly sealed: unknown;
  readonly passphrase: string | null;
}

export interface ExportsPorts {
  readonly store: Pick<Store, 'audit'>;
  readonly config: Config;
  readonly audit: Audit;
}

export function createExports({ store, config, audit }: ExportsPorts): Exports {
  return {
    async export({ passphrase, local }, requester) {
      if (passphrase !== null && !local) {
        const message = 'Secrets leave ola only where it runs: use `ola config export FILE --with-secrets` on that machine.';
        throw new OlaError('insufficient_scope', message, { param: 'passphrase' });
      }
      const { document, secrets, revision } = config.snapshot();
      const content = redactDocument(document);
      const held = secretsOf(document, secrets);
      const sealed = passphrase === null ? null : await sealWithPassphrase(JSON.stringify(Object.fromEntries(held)), passphrase);
      const missing = sealed === null ? missingSecrets(document) : damagedPlaces(document, secrets);
      // The audit is written before anything is handed out.
      await store.audit.append([audit.event('config.export', requester, { revision, withSecrets: sealed !== null })]);
      return { content, missing, sealed };
    },
    async import({ content: given, sealed, passphrase }, ifMatch, requester) {
      const exported = await openSealed(sealed, passphrase);
      const content = () => {
        refuseUnwieldy(given);
        return { kind: 'sent', value: putBack(given, exported), exported } as const;
      };
      const record = { action: 'config.import', about: null, details: { withSecrets: sealed !== undefined } };
      return config.writeSection({ path: [], content, record }, ifMatch, requester);
    },
  };
}

function secretsOf(document: JsonObject, secrets: CurrentConfig['secrets']): ExportedSecrets {
  const held = new Map<string, { readonly value: string; readonly origin: string | null }>();
  eachReference(document, (id, path) => {
    const secret = secrets.get(id);
    if (secret !== undefined) held.set(placeKey(path), { value: secret.value, origin: secret.origin });
  });
  return held;
}

function damagedPlaces(document: JsonObject, secrets: CurrentConfig['secrets']): string[] {
  const damaged: string[] = [];
  eachReference(document, (id, path) => {
    if (!secrets.has(id)) damaged.push(path.join('.'));
  });
  return damaged;
}

function eachReference(document: JsonObject, visit: (id: string, path: Path) => void): void {
  mapSecrets(document, documentSchema, (value, path) => {
    if (isSecretReference(value)) visit(value.$secret, path);
    return value;
  });
}

async function openSealed(sealed: unknown, passphrase: string | null): Promise<ExportedSecrets> {
  if (sealed === undefined) return new Map();
  if (passphrase === null) {
    throw new OlaError('invalid_field', "'sealed' has secrets in it; send the passphrase that they were exported with.", {
      param: 'passphrase',
    });
  }
  const places: unknown = JSON.parse(await openWithPassphrase(sealed, passphrase));
  if (!isObject(places)) throw strangeSeal();
  return new Map(Object.entries(places).map(([place, secret]) => [place, readSecret(secret)]));
}

function readSecret(secret: unknown): { readonly value: string; readonly origin: string | null } {
  const { value, origin } = isObject(secret) ? secret : {};
  if (typeof value !== 'string' || (typeof origin !== 'string' && origin !== null)) throw strangeSeal();
  return { value, origin };
}

/** The seal opens, so its text is as ola wrote it: the sealed key of a backup, for example. */
function strangeSeal(): OlaError {
  return new OlaError('invalid_field', "'sealed' holds something else than the secrets of a configuration.", { param: 'sealed' });
}

/** Puts exported secrets in the places where `[REDACTED]` stands; another value there was written in its place on purpose. */
function putBack(content: Json, secrets: ExportedSecrets, path: Path = []): Json {
  if (content === redacted) return secrets.get(placeKey(path))?.value ?? redacted;
  if (Array.isArray(content)) return content.map((item: Json, index) => putBack(item, secrets, [...path, String(index)]));
  if (!isObject(content)) return content;
  const members = Object.entries(content as JsonObject).flatMap(([key, member]): [string, Json][] =>
    member === undefined ? [] : [[key, putBack(member, secrets, [...path, key])]],
  );
  // Own properties, also of a key like __proto__.
  return Object.fromEntries(members);
}
