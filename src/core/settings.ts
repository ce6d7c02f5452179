/** The settings in the environment, read once at the edge. ola does not start with a misspelt value: a guess could turn authentication off. */
import { OlaError } from './errors.ts';

export interface Settings {
  /** `OPEN_LLM_AUTH_HOME`; null when it is not set. */
  readonly home: string | null;
  /** `OPEN_LLM_AUTH_DB_PATH`: path of the database, absolute or relative to the home; null when it is not set. */
  readonly databasePath: string | null;
  /** `OPEN_LLM_AUTH_TOKEN`. */
  readonly adminToken: string | null;
  /** `LLM_INTERACTIVE_PROXY_API_KEY`: a token with the scopes read and write, never admin. */
  readonly proxyKey: string | null;
  /** The unread texts of `OPEN_LLM_AUTH_MASTER_KEY_FILE` and `OPEN_LLM_AUTH_MASTER_KEY`. */
  readonly masterKey: { readonly file: string | undefined; readonly value: string | undefined };
  /** `OPEN_LLM_AUTH_ENV_REFERENCES`: variables that a configuration written over HTTP may name, for any address. */
  readonly envReferences: readonly string[];
  /** `OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS`: every provider may have an address on this machine. For development and tests. */
  readonly everyProviderLocal: boolean;
  /** `OPEN_LLM_AUTH_ALLOW_INSECURE_EGRESS_HTTP`: plain http to public hosts is allowed. */
  readonly insecureHttp: boolean;
  /** `OPEN_LLM_AUTH_ALLOW_ANON`: until a token is configured, every caller on this machine is an admin. */
  readonly allowAnonymous: boolean;
  /** `DISABLE_AUTH`: every caller on this machine is an admin. */
  readonly disableAuth: boolean;
}

/** Variables with secrets of ola's own. They are removed from the environment once they are read. */
export const secretVariables: readonly string[] = [
  'OPEN_LLM_AUTH_TOKEN',
  'LLM_INTERACTIVE_PROXY_API_KEY',
  'OPEN_LLM_AUTH_MASTER_KEY',
];

export const databaseVariable = 'OPEN_LLM_AUTH_DB_PATH';

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws OlaError `invalid_field` that names the variable */
export function readSettings(environment: Environment): Settings {
  return {
    home: text(environment, 'OPEN_LLM_AUTH_HOME'),
    databasePath: text(environment, databaseVariable),
    adminToken: token(environment, 'OPEN_LLM_AUTH_TOKEN'),
    proxyKey: token(environment, 'LLM_INTERACTIVE_PROXY_API_KEY'),
    masterKey: { file: environment['OPEN_LLM_AUTH_MASTER_KEY_FILE'], value: environment['OPEN_LLM_AUTH_MASTER_KEY'] },
    envReferences: names(environment, 'OPEN_LLM_AUTH_ENV_REFERENCES'),
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

/** Reads a token. One that no header can carry is refused, because every request with it would fail without a reason. */
function token(environment: Environment, name: string): string | null {
  const value = text(environment, name);
  if (value !== null && !/^[\x21-\x2b\x2d-\x7e]+$/.test(value)) {
    throw new OlaError(
      'invalid_field',
      `${name} has characters that a header cannot carry. Use visible ASCII characters without spaces and commas.`,
      {
        param: name,
      },
    );
  }
  return value;
}

/** Names of variables, separated by commas or spaces. */
function names(environment: Environment, variable: string): readonly string[] {
  const list = (environment[variable] ?? '').split(/[\s,]+/).filter((name) => name !== '');
  const wrong = list.find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (wrong === undefined) return list;
  // Not repeated: a key that was put there by mistake must not be printed.
  throw new OlaError('invalid_field', `${variable} is not a list of variable names. Separate the names by commas.`, {
    param: variable,
  });
}

function flag(environment: Environment, name: string): boolean {
  const value = environment[name]?.trim().toLowerCase() ?? '';
  if (value === '' || ['0', 'false', 'no', 'off'].includes(value)) return false;
  if (['1', 'true', 'yes', 'on'].includes(value)) return true;
  throw new OlaError('invalid_field', `${name} is not a valid switch. Use 1, true, yes, on, 0, false, no or off.`, {
    param: name,
  });
}
