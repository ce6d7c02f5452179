/** What the environment says to ola, read once at the edge. A misspelt value refuses to start: a guess could open a door. */
import { OlaError } from './errors.ts';

export interface Settings {
  /** `OPEN_LLM_AUTH_HOME`, null when it is not set. */
  readonly home: string | null;
  /** `OPEN_LLM_AUTH_DB_PATH`: a database elsewhere, relative to the home; null when it is not set. */
  readonly databasePath: string | null;
  /** `OPEN_LLM_AUTH_TOKEN`. */
  readonly adminToken: string | null;
  /** `LLM_INTERACTIVE_PROXY_API_KEY`: read and write, never admin. */
  readonly proxyKey: string | null;
  /** `OPEN_LLM_AUTH_MASTER_KEY_FILE` and `OPEN_LLM_AUTH_MASTER_KEY`, as they stand. */
  readonly masterKey: { readonly file: string | undefined; readonly value: string | undefined };
  /** `OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS`: every provider may be on this machine. For development and tests. */
  readonly everyProviderLocal: boolean;
  /** `OPEN_LLM_AUTH_ALLOW_INSECURE_EGRESS_HTTP`: plain http to public hosts. */
  readonly insecureHttp: boolean;
  /** `OPEN_LLM_AUTH_ALLOW_ANON`: as long as no token is configured, whoever is on this machine is an admin. */
  readonly allowAnonymous: boolean;
  /** `DISABLE_AUTH`: whoever is on this machine is an admin. */
  readonly disableAuth: boolean;
}

/** Variables whose values are secrets of ola's own: they are taken out of the environment once they are read. */
export const secretVariables: readonly string[] = [
  'OPEN_LLM_AUTH_TOKEN',
  'LLM_INTERACTIVE_PROXY_API_KEY',
  'OPEN_LLM_AUTH_MASTER_KEY',
];

export const databaseVariable = 'OPEN_LLM_AUTH_DB_PATH';

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws OlaError `invalid_field` naming the variable */
export function readSettings(environment: Environment): Settings {
  return {
    home: text(environment, 'OPEN_LLM_AUTH_HOME'),
    databasePath: text(environment, databaseVariable),
    adminToken: token(environment, 'OPEN_LLM_AUTH_TOKEN'),
    proxyKey: token(environment, 'LLM_INTERACTIVE_PROXY_API_KEY'),
    masterKey: { file: environment['OPEN_LLM_AUTH_MASTER_KEY_FILE'], value: environment['OPEN_LLM_AUTH_MASTER_KEY'] },
    everyProviderLocal: flag(environment, 'OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS'),
    insecureHttp: flag(environment, 'OPEN_LLM_AUTH_ALLOW_INSECURE_EGRESS_HTTP'),
    allowAnonymous: flag(environment, 'OPEN_LLM_AUTH_ALLOW_ANON'),
    disableAuth: flag(environment, 'DISABLE_AUTH'),
  };
}

function text(environment: Environment, name: string): string | null {
  const value = environment[name]?.trim() ?? '';
  return value === '' ? null : value;
}

/** A token that no header could carry would lock its owner out without a word. */
function token(environment: Environment, name: string): string | null {
  const value = text(environment, name);
  if (value !== null && !/^[\x21-\x2b\x2d-\x7e]+$/.test(value)) {
    throw new OlaError(
      'invalid_field',
      `${name} has characters that a header cannot carry: use visible ASCII without spaces and commas.`,
      {
        param: name,
      },
    );
  }
  return value;
}

function flag(environment: Environment, name: string): boolean {
  const value = environment[name]?.trim().toLowerCase() ?? '';
  if (value === '' || ['0', 'false', 'no', 'off'].includes(value)) return false;
  if (['1', 'true', 'yes', 'on'].includes(value)) return true;
  throw new OlaError('invalid_field', `${name} is neither of 1, true, yes, on nor of 0, false, no, off.`, { param: name });
}
