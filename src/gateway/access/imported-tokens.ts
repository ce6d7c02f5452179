/** Access tokens that stand in a configuration: in a file they are compared in memory, in the database they become tokens. */
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
  /** Too short to withstand guessing for long. */
  readonly isShort: boolean;
}

/** What a header can carry, and no comma: headers of one name arrive joined by one. */
const presentable = /^[\x21-\x2b\x2d-\x7e]+$/;
const idShape = /^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/;
/** Subjects of ola's own: a token with such an id would act as somebody else. */
const ownSubjects = /^(?:legacy-admin|proxy-key|anonymous|local|file|user:.*|tok_[0-9a-f]{32})$/i;
const goodLength = 32;

/** @throws OlaError `invalid_field` when nobody could present it, or when it would be somebody else */
export function importedToken(
  name: string,
  config: AccessTokenConfig,
  environment: Readonly<Record<string, string | undefined>>,
): ImportedToken {
  const id = checkTokenId(name, config);
  const text = tokenText(config.token ?? '', environment);
  const refuse = (what: string) => refusal(`authorization.tokens.${name}.token`, what);
  if (text === null) throw refuse('names a variable that is not set.');
  if (text === redacted) throw refuse(`is ${redacted}: tokens are not kept here; send the token itself, or leave it out.`);
  if (!presentable.test(text)) throw refuse('is empty or has characters that a header cannot carry.');
  if (text.startsWith(tokenPrefix) && !isTokenShaped(text)) {
    throw refuse('looks like a token of ola and is none: its last characters do not fit the rest.');
  }
  return {
    id,
    name,
    digest: digestOf(text),
    hint: hint(text),
    scopes: scopesOf(config),
    enabled: config.enabled !== false,
    isShort: text.length < goodLength,
  };
}

/** @returns the subject that a token's calls have. @throws OlaError `invalid_field` */
export function checkTokenId(name: string, config: AccessTokenConfig): string {
  const id = config.id ?? name;
  const param = `authorization.tokens.${name}${config.id === undefined ? '' : '.id'}`;
  if (!idShape.test(id)) throw refusal(param, 'is no id: use 1 to 128 visible characters of ASCII.');
  if (ownSubjects.test(id)) throw refusal(param, 'is an id that ola uses itself; choose another.');
  return id;
}

function refusal(param: string, what: string): OlaError {
  return new OlaError('invalid_field', `'${param}' ${what}`, { param });
}

/** @returns null for a variable that is not set; files and the store are read later, when the configuration is opened */
function tokenText(given: string, environment: Readonly<Record<string, string | undefined>>): string | null {
  const reference = parseReference(given);
  if (reference?.kind !== 'variable') return given;
  const value = environment[reference.name]?.trim() ?? '';
  return value === '' ? null : value;
}

function scopesOf({ scopes: wanted = [], admin }: AccessTokenConfig): readonly Scope[] {
  return admin === true || wanted.includes('admin') ? scopes : scopes.filter((scope) => wanted.includes(scope));
}

/** Who calls with a token that stands in a file. */
export function principalOfConfigured(name: string, config: AccessTokenConfig): Principal {
  return { subject: config.id ?? name, tokenId: null, project: null, scopes: scopesOf(config) };
}

/** As they are stored; they never expire, because nobody said that they do. */
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
