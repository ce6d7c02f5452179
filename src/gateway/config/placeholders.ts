/** What stands in the secret places of a document that was sent, judged place by place. Pure. */
import type { TSchema } from '@sinclair/typebox';
import { OlaError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { isVariableName, parseReference } from '../../core/secret-references.ts';
import { isSecretReference, mapSecrets, type Path, redacted, type SecretKind } from '../../core/secrets.ts';

/** What is the truth: the database's newest revision, or a file. */
export type ConfigMode = 'database' | 'file';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Settling {
  readonly schema: TSchema;
  /** What is stored at the same place. */
  readonly stored: JsonObject;
  readonly facts: { readonly mode: ConfigMode; readonly environment: Environment };
  /** In front of each place in an error. */
  readonly path: Path;
}

/**
 * Settles what stands in each secret place. `[REDACTED]` becomes what is stored there. In a file a credential must be a
 * reference; in the database only variables are known, and a bare name in capitals is one if it is set.
 * @throws OlaError `invalid_field` naming the place
 */
export function resolvePlaceholders(given: JsonObject, { schema, stored, facts, path }: Settling): JsonObject {
  const nothing: string[] = [];
  const settled = mapSecrets(given, schema, (value, inner, kind) => {
    const refuse = (what: string) => refusal([...path, ...inner], what);
    // One that is sent in could point at another provider's secret, or keep a new one in clear.
    if (isSecretReference(value)) throw refuse('is a reference to a stored secret; send the value itself.');
    if (value === redacted) {
      const kept = storedAt(given, stored, inner);
      if (isSecretReference(kept) || (typeof kept === 'string' && parseReference(kept) !== null)) return kept as Json;
      nothing.push([...path, ...inner].join('.'));
      return undefined;
    }
    if (typeof value !== 'string' || kind !== 'credential') return value;
    const reference = parseReference(value);
    if (reference === null && isVariableName(value) && (facts.mode === 'file' || isSet(facts, value))) return `\${${value}}`;
    if (facts.mode === 'file' && reference === null) {
      throw refuse(`stands in the file in clear; write \`\${NAME}\` for a variable or \`file:PATH\` for a file that holds it.`);
    }
    if (facts.mode === 'database' && reference !== null && reference.kind !== 'variable') {
      throw refuse(`names a place (\`${reference.kind}:\`), which only a configuration file may do; send the secret itself.`);
    }
    return value;
  });
  const [first] = nothing;
  if (first === undefined) return settled;
  const message = `${quoted(nothing)} ${nothing.length === 1 ? 'is' : 'are'} ${redacted}, but nothing is stored there; send the value itself.`;
  throw new OlaError('invalid_field', message, { param: first, details: { paths: nothing } });
}

function refusal(path: Path, what: string): OlaError {
  const param = path.join('.');
  return new OlaError('invalid_field', `'${param}' ${what}`, { param });
}

/** The first of many paths, and how many more there are. */
export function quoted(paths: readonly string[]): string {
  const named = paths.slice(0, 10).map((path) => `'${path}'`);
  return paths.length <= 10 ? named.join(', ') : `${named.join(', ')} and ${paths.length - 10} more`;
}

function isSet({ environment }: { readonly environment: Environment }, name: string): boolean {
  return (environment[name] ?? '') !== '';
}

/** Whether a string in a secret place is a reference, which is no secret. */
export function isReference(value: string, kind: SecretKind, mode: ConfigMode): boolean {
  const reference = parseReference(value);
  return reference !== null && (reference.kind === 'variable' || (mode === 'file' && kind !== 'unknown'));
}

/** What is stored at a place. Items of a list are found by their ids; without ids only in a list of the same length. */
function storedAt(given: Json | undefined, stored: Json | undefined, path: Path): Json | undefined {
  let wanted = given;
  let found = stored;
  for (const key of path) {
    if (found === undefined) return undefined;
    found = Array.isArray(wanted) ? storedItem(wanted, Number(key), found) : member(found, key);
    wanted = member(wanted, key);
  }
  return found;
}

/** Its own, never what every object has. */
function member(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as JsonObject)[key];
}

function storedItem(given: readonly Json[], index: number, stored: Json): Json | undefined {
  if (!Array.isArray(stored)) return undefined;
  const id = member(given[index], 'id');
  const same = typeof id === 'string' && id !== redacted ? stored.filter((other: Json) => member(other, 'id') === id) : [];
  if (same.length === 1) return same[0];
  return given.length === stored.length ? (stored as readonly Json[])[index] : undefined;
}
