/** Secrets of a document taken out of it and sealed; a reference stays in place of each. */
import { randomUUID } from 'node:crypto';
import { documentSchema } from '../../core/document.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { hint } from '../../core/redaction.ts';
import { mapSecrets, type Path, redacted, type SecretKind } from '../../core/secrets.ts';
import { placeOfSecret, type SealedSecret, type Vault } from '../../core/vault.ts';
import { type ConfigMode, isReference, nothingStored } from './placeholders.ts';

export interface SealedDocument {
  readonly document: JsonObject;
  /** The secrets that were in it in clear. */
  readonly sealed: SealedSecret[];
}

/**
 * Seals the new secrets of a document. `${NAME}` is no secret and stays; in file mode `file:` and `store:` stay too.
 * @param originOf the origin that a new secret at a path is bound to
 * @param at milliseconds since 1970
 * @throws OlaError `invalid_field` for a placeholder
 */
export function sealDocument(
  document: JsonObject,
  originOf: (path: Path) => string | null,
  vault: Vault,
  at: number,
  mode: ConfigMode = 'database',
): SealedDocument {
  const sealed: SealedSecret[] = [];
  const seal = (value: Json, path: Path, kind: SecretKind): Json | undefined => {
    if (typeof value !== 'string') return value === null ? undefined : value;
    if (isReference(value, kind, mode)) return value;
    if (value === redacted) throw nothingStored([path.join('.')]);
    const id = randomUUID();
    const envelope = vault.seal(value, placeOfSecret(id));
    sealed.push({ id, origin: originOf(path), hint: hint(value), envelope, createdAt: at });
    return { $secret: id };
  };
  return { document: mapSecrets(document, documentSchema, seal), sealed };
}
