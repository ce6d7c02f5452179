/** Placeholders and references in the secret places of a document that was sent: each is kept, replaced or refused. Pure. */
import { documentSchema } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { isVariableName, parseReference } from '../../core/secret-references.ts';
import { isSecretReference, mapSecrets, type Path, redacted, type SecretKind } from '../../core/secrets.ts';

/** Where the configuration is kept: in the database, as its newest revision, or in a file. */
export type ConfigMode = 'database' | 'file';

export interface PlaceholderContext {
  readonly mode: ConfigMode;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Puts the stored secret in the place of each `[REDACTED]`, and `${NAME}` in the place of a variable's bare name. In a file a
 * credential must be a reference. In the database the only references are variables, and a bare name in capitals is one when
 * the variable is set.
 * @param stored the document whose secrets the placeholders stand for
 * @throws OlaError `invalid_field` naming the place
 */
export function resolvePlaceholders(given: JsonObject, stored: JsonObject, context: PlaceholderContext): JsonObject {
  const missing: string[] = [];
  const resolved = mapSecrets(given, documentSchema, (value, path, kind) => {
    // A reference that is sent could point at another provider's secret, or keep a new secret in clear.
    if (isSecretReference(value)) throw refusal(path, 'is a reference to a stored secret; send the value itself.');
    if (value === redacted) {
      const kept = keptAt(given, stored, path);
      if (kept === undefined) missing.push(path.join('.'));
      return kept;
    }
    return typeof value === 'string' && kind === 'credential' ? credential(value, path, context) : value;
  });
  if (missing.length > 0) throw nothingStored(missing);
  return resolved;
}

function credential(value: string, path: Path, { mode, environment }: PlaceholderContext): string {
  const reference = parseReference(value);
  if (reference === null && isVariableName(value) && (mode === 'file' || environment[value])) return `\${${value}}`;
  if (mode === 'file' && reference === null) {
    throw refusal(
      path,
      `stands in the file in clear; write \`\${NAME}\` for a variable or \`file:PATH\` for a file that holds it.`,
    );
  }
  if (mode === 'database' && reference !== null && reference.kind !== 'variable') {
    const place = `names a place (\`${reference.kind}:\`), which only a configuration file may do; send the secret itself.`;
    throw refusal(path, place);
  }
  return value;
}

function refusal(path: Path, what: string): OlaError {
  const param = path.join('.');
  return new OlaError('invalid_field', `'${param}' ${what}`, { param });
}

/** The refusal of placeholders that stand for no secret. @param paths at least one */
export function nothingStored(paths: readonly string[]): OlaError {
  const [param = ''] = paths;
  const message = `${quoted(paths)} ${paths.length === 1 ? 'is' : 'are'} ${redacted}, but nothing is stored there; send the value itself.`;
  return new OlaError('invalid_field', message, { param, details: { paths } });
}

/** The first ten of many paths, and how many more there are. */
export function quoted(paths: readonly string[]): string {
  const named = paths.slice(0, 10).map((path) => `'${path}'`);
  return paths.length <= 10 ? named.join(', ') : `${named.join(', ')} and ${paths.length - 10} more`;
}

/** Whether a string in a secret place is a reference, which is no secret. */
export function isReference(value: string, kind: SecretKind, mode: ConfigMode): boolean {
  const reference = parseReference(value);
  return reference !== null && (reference.kind === 'variable' || (mode === 'file' && kind !== 'unknown'));
}

/** The secret or reference that is stored at a place; undefined when the stored value is neither. */
function keptAt(given: JsonObject, stored: JsonObject, path: Path): Json | undefined {
  const kept = storedAt(given, stored, path);
  const isKept = isSecretReference(kept) || (typeof kept === 'string' && parseReference(kept) !== null);
  return isKept ? (kept as Json) : undefined;
}

/** The stored value of a place. An item of a list is found by its id; without ids only in a list of the same length. */
function storedAt(given: JsonObject, stored: JsonObject, path: Path): Json | undefined {
  let sent: Json | undefined = given;
  let found: Json | undefined = stored;
  for (const key of path) {
    if (found === undefined) return undefined;
    found = Array.isArray(sent) ? storedItem(sent, Number(key), found) : member(found, key);
    sent = member(sent, key);
  }
  return found;
}

/** An own member; `constructor` is a key like any other. */
function member(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as JsonObject)[key];
}

function storedItem(sent: readonly Json[], index: number, stored: Json): Json | undefined {
  if (!Array.isArray(stored)) return undefined;
  const id = member(sent[index], 'id');
  const same = typeof id === 'string' && id !== redacted ? stored.filter((other: Json) => member(other, 'id') === id) : [];
  if (same.length === 1) return same[0];
  return sent.length === stored.length ? (stored as readonly Json[])[index] : undefined;
}
