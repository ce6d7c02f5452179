/** The document as an administrator may see it: secrets are named, their values are not. Pure. */
import { documentSchema } from '../../core/document.ts';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { parseReference } from '../../core/secret-references.ts';
import { isSecretReference, mapSecrets, redacted, valueAt } from '../../core/secrets.ts';
import type { CurrentConfig } from './in-force.ts';

/** `[REDACTED]` in the place of each secret; a reference to a variable or a file stays readable. */
export function redactDocument(document: JsonObject): JsonObject {
  return mapSecrets(document, documentSchema, (value) =>
    typeof value === 'string' && parseReference(value) !== null ? value : redacted,
  );
}

/** The places of a document whose secrets are not shown. */
export function missingSecrets(document: JsonObject): string[] {
  const missing: string[] = [];
  mapSecrets(redactDocument(document), documentSchema, (value, path) => {
    if (value === redacted) missing.push(path.join('.'));
    return value;
  });
  return missing;
}

/** Secrets redacted, the hint of each provider's and each profile's secret beside it. */
export function showDocument({ document, secrets }: Pick<CurrentConfig, 'document' | 'secrets'>): JsonObject {
  const shown: Record<string, Json | undefined> = { ...redactDocument(document) };
  const hintedAt = (map: Json | undefined, path: readonly string[], fields: readonly string[]) =>
    isObject(map) ? withHints(map as JsonObject, valueAt(document, path), fields, secrets) : map;
  const { providers, authProfiles, models } = shown;
  if (providers !== undefined) shown['providers'] = hintedAt(providers, ['providers'], providerSecrets);
  if (authProfiles !== undefined) shown['authProfiles'] = hintedAt(authProfiles, ['authProfiles'], profileSecrets);
  if (isObject(models) && models['providers'] !== undefined) {
    const inner = hintedAt(models['providers'] as Json, ['models', 'providers'], providerSecrets);
    shown['models'] = { ...(models as JsonObject), providers: inner };
  }
  return shown as JsonObject;
}

/** Fields of an entry whose hint is shown, the first that is there. */
const providerSecrets = ['apiKey'] as const;
const profileSecrets = ['key', 'token', 'access', 'refresh'] as const;

function withHints(
  shown: JsonObject,
  stored: Json | undefined,
  fields: readonly string[],
  secrets: CurrentConfig['secrets'],
): JsonObject {
  const hinted: Record<string, Json | undefined> = {};
  for (const [id, entry] of Object.entries(shown)) {
    const held: unknown[] = fields.map((field) => valueAt(stored, [id, field]));
    const hint = secrets.get(held.find(isSecretReference)?.$secret ?? '')?.hint;
    hinted[id] = hint === undefined ? entry : { ...(entry as JsonObject), hint };
  }
  return hinted as JsonObject;
}
