/** Access tokens in a configuration. Those of a file are compared in memory; a write to the database turns them into stored tokens. */
import { type Principal, type Scope, scopes } from '../../core/access.ts';
import type { AccessTokenConfig } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import { hint } from '../../core/redaction.ts';
import { parseReference } from '../../core/secret-references.ts';
import { redacted } from '../../core/secrets.ts';
import { isTokenShaped, type TokenRecord, tokenPrefix } from '../../core/tokens.ts';
import { digestOf } from './tokens.ts';

export interface ImportedToken {
  readonly id: string;
  readonly name: string;
  readonly digest: string;
  readonly hint: string;
  readonly scopes: readonly Scope[];
  readonly enabled: boolean;
  /** True when the token is short enough to be guessed. */
  readonly isShort: boolean;
}

/** Characters that a header can carry. The comma is left out, because headers of one name arrive joined by commas. */
const presentable = /^[\x21-\x2b\x2d-\x7e]+$/;
const idShape = /^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/;
/** Subjects that ola uses itself. A token with such an id would act as that subject. */
const ownSubjects = /^(?:legacy-admin|proxy-key|anonymous|local|file|user:.*|tok_[0-9a-f]{32})$/i;
/** Least length of a token that counts as safe against guessing, in characters. */
const safeLength = 32;

/** @throws OlaError `invalid_field` when no header can carry the token, or its id is a subject of ola's own */
export function importedToken(
  name: string,
  config: AccessTokenConfig,
  environment: Readonly<Record<string, string | undefined>>,
): ImportedToken {
  const id = checkTokenId(name, config);
  const text = tokenText(config.token ?? '', environment);
  const refuse = (what: string) => refusal(`authorization.tokens.${name}.token`, what);
  if (text === null) throw refuse('names a variable that is not set.');
  if (text === redacted) {
    throw refuse(`is ${redacted}, but the configuration keeps no tokens. Send the token itself, or leave it out.`);
  }
  if (!presentable.test(text)) throw refuse('is empty or has characters that a header cannot carry.');
  if (text.startsWith(tokenPrefix) && !isTokenShaped(text)) {
    throw refuse('begins like a token of ola, but its length or its checksum is wrong. Copy it again.');
  }
  return {
    id,
    name,
    digest: digestOf(text),
    hint: hint(text),
    scopes: scopesOf(config),
    enabled: config.enabled !== false,
    isShort: text.length < safeLength,
  };
}

/** @returns the subject of the token's calls. @throws OlaError `invalid_field` */
export function checkTokenId(name: string, config: AccessTokenConfig): string {
  const id = config.id ?? name;
  const param = `authorization.tokens.${name}${config.id === undefined ? '' : '.id'}`;
  if (!idShape.test(id)) throw refusal(param, 'is not a valid id: use 1 to 128 visible ASCII characters.');
  if (ownSubjects.test(id)) throw refusal(param, 'is an id that ola uses itself. Choose another.');
  return id;
}

function refusal(param: string, what: string): OlaError {
  return new OlaError('invalid_field', `'${param}' ${what}`, { param });
}

/** @returns null when the variable is not set. References to files and to the store are resolved later, when the configuration is opened */
function tokenText(given: string, environment: Readonly<Record<string, string | undefined>>): string | null {
  const reference = parseReference(given);
  if (reference?.kind !== 'variable') return given;
  const value = environment[reference.name]?.trim() ?? '';
  return value === '' ? null : value;
}

function scopesOf({ scopes: wanted = [], admin }: AccessTokenConfig): readonly Scope[] {
  return admin === true || wanted.includes('admin') ? scopes : scopes.filter((scope) => wanted.includes(scope));
}

/** The caller that sends a token of a configuration file. */
export function principalOfConfigured(name: string, config: AccessTokenConfig): Principal {
  return { subject: config.id ?? name, tokenId: null, project: null, scopes: scopesOf(config) };
}

/** The records to store. Imported tokens never expire, because the configuration has no expiry for them. */
export function tokenRecords(tokens: readonly ImportedToken[], createdAt: number): TokenRecord[] {
  return tokens.map(({ isShort: _, ...token }) => ({
    ...token,
    owner: null,
    project: null,
    createdAt,
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
    useCount: 0,
  }));
}
