/** The whole configuration for another machine: in clear without its secrets, which are sealed to a passphrase. */
import { documentSchema } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Clock } from '../../core/ports.ts';
import type { Warning } from '../../core/schema.ts';
import { isSecretReference, mapSecrets, type Path, redacted } from '../../core/secrets.ts';
import type { Store } from '../../core/store.ts';
import { openWithPassphrase, type SealedText, sealWithPassphrase } from '../../credentials/passphrase.ts';
import { tokenRecords } from '../access/imported-tokens.ts';
import type { Audit, Requester } from '../records/audit.ts';
import { changedPaths, summaryOf } from './changes.ts';
import { type Config, type CurrentConfig, redactDocument } from './config.ts';
import { judgeDocument } from './documents.ts';
import { refuseUnwieldy } from './normal-form.ts';
import type { OpenSecret } from './open-secrets.ts';
import { originOfSecrets, type WriteContext } from './read-document.ts';
import { missingSecrets } from './snapshots.ts';

export interface ExportedConfig {
  /** The document, secrets redacted. */
  readonly content: JsonObject;
  /** Places whose secrets are not in it, sealed or not. */
  readonly missing: readonly string[];
  /** Null without a passphrase. */
  readonly sealed: SealedText | null;
}

export interface Exports {
  /** @param request `local`: it came over the control socket. @throws OlaError `insufficient_scope` for secrets when it did not */
  export(request: { readonly passphrase: string | null; readonly local: boolean }, requester: Requester): Promise<ExportedConfig>;
  /**
   * Replaces the configuration; `[REDACTED]` is the sealed secret of that place, else what stands there now.
   * @throws OlaError `secret_required` for a sealed secret that was entered for another address; else as a write does
   */
  import(
    given: { readonly content: Json; readonly sealed: unknown; readonly passphrase: string | null },
    ifMatch: string | null,
    requester: Requester,
  ): Promise<{ readonly snapshot: CurrentConfig; readonly warnings: readonly Warning[] }>;
}

export interface ExportsPorts {
  readonly store: Pick<Store, 'audit'>;
  readonly config: Config;
  readonly audit: Audit;
  readonly facts: WriteContext;
  readonly now: Clock;
}

/** By place, in JSON: a key may hold any character. */
type SecretsByPlace = ReadonlyMap<string, Pick<OpenSecret, 'value' | 'origin'>>;

export function createExports({ store, config, audit, facts, now }: ExportsPorts): Exports {
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
      // Written before anything is handed out.
      await store.audit.append([audit.event('config.export', requester, { revision, withSecrets: sealed !== null })]);
      return { content, missing, sealed };
    },
    async import({ content, sealed, passphrase }, ifMatch, requester) {
      const secrets = await openSealed(sealed, passphrase);
      let warnings: readonly Warning[] = [];
      const snapshot = await config.change(requester, ifMatch, async (current) => {
        refuseUnwieldy(content);
        const given = await judgeDocument(putBack(content, secrets), current, facts);
        const { document } = given;
        const originOf = originOfSecrets(document, facts);
        refuseForeignSecrets(document, secrets, originOf);
        warnings = given.warnings;
        return {
          summary: summaryOf('config.import', changedPaths(current.document, document)),
          action: 'config.import',
          details: { withSecrets: sealed !== undefined },
          document,
          originOf,
          tokens: tokenRecords(given.tokens, now()),
        };
      });
      return { snapshot, warnings };
    },
  };
}

const placeKey = (path: Path) => JSON.stringify(path);

function secretsOf(document: JsonObject, secrets: CurrentConfig['secrets']): SecretsByPlace {
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

async function openSealed(sealed: unknown, passphrase: string | null): Promise<SecretsByPlace> {
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

/** It opens, so nobody has changed it: a backup's key, say. */
function strangeSeal(): OlaError {
  return new OlaError('invalid_field', "'sealed' holds something else than the secrets of a configuration.", { param: 'sealed' });
}

/** Sealed secrets in the places where `[REDACTED]` stands; whoever has put something else there wants that. */
function putBack(content: Json, secrets: SecretsByPlace, path: Path = []): Json {
  if (content === redacted) return secrets.get(placeKey(path))?.value ?? redacted;
  if (Array.isArray(content)) return content.map((item: Json, index) => putBack(item, secrets, [...path, String(index)]));
  if (!isObject(content)) return content;
  const members = Object.entries(content as JsonObject).flatMap(([key, member]): [string, Json][] =>
    member === undefined ? [] : [[key, putBack(member, secrets, [...path, key])]],
  );
  // Own properties, also of a key like __proto__.
  return Object.fromEntries(members);
}

/** The addresses of a file in clear can be changed by whoever has it, without the passphrase. @throws OlaError `secret_required` */
function refuseForeignSecrets(document: JsonObject, secrets: SecretsByPlace, originOf: (path: Path) => string | null): void {
  const foreign: string[] = [];
  mapSecrets(document, documentSchema, (value, path) => {
    const secret = secrets.get(placeKey(path));
    if (secret !== undefined && value === secret.value && secret.origin !== originOf(path)) foreign.push(path.join('.'));
    return value;
  });
  if (foreign.length === 0) return;
  const [param = ''] = foreign;
  const message = `The file names another address than the one these secrets were entered for: ${foreign.join(', ')}. Correct its baseUrl, or send the secrets themselves.`;
  throw new OlaError('secret_required', message, { param, details: { paths: foreign } });
}
