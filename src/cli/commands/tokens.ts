/** `ola token create|list|revoke`. */
import { scopes } from '../../core/access.ts';
import { isObject } from '../../core/json.ts';
import { callApi, listAll, unexpected } from '../api.ts';
import { command } from '../command.ts';
import { configOption } from '../config-session.ts';
import { expiryOption, momentOf } from '../expiry.ts';
import { Failure, usageFailure } from '../failure.ts';
import { type CliPorts, exitCodes } from '../ports.ts';
import { fromNow, isoTime, jsonText, printable, table } from '../text.ts';
import { choices, flag, json, label, labelArgument, required } from '../values.ts';

const path = '/config/tokens';

export const createToken = command({
  path: ['token', 'create'],
  onDemo: 'follows',
  summary: 'Create an access token for a client',
  description: 'Prints the token; ola shows it only once. Without --scope and --admin its scopes are read and write.',
  options: {
    scope: choices('SCOPE', 'a scope of the token; repeat the option for several', { of: scopes }),
    admin: flag('all scopes', { conflicts: ['scope'] }),
    expires: expiryOption('expiry: 30d, 12h, never, or an ISO date (default: 30d)'),
    project: label('PROJECT', "project that the token's usage is counted for"),
    config: configOption,
    json,
  },
  arguments: { name: labelArgument('a name for the token, for example the name of the client') },
  examples: [
    { command: 'ola token create laptop', note: 'read and write, for 30 days' },
    { command: 'ola token create dashboard --scope read --expires 12h', note: 'read only, for 12 hours' },
    { command: 'ola token create ops --admin --expires never --json', note: 'for a script that administers' },
  ],
  async run({ ports }, { json: asJson, config: configFile, ...options }, { name }) {
    const failure = 'the token was not created';
    const expiresAt = options.expires === null ? undefined : momentOf(options.expires, ports.now());
    if (typeof expiresAt === 'number' && expiresAt <= ports.now()) {
      throw usageFailure('--expires is in the past', `The time is now ${isoTime(ports.now())}.`, 'ola token create --help');
    }
    const body = {
      name,
      ...(options.scope.length === 0 ? {} : { scopes: options.scope }),
      ...(options.admin ? { admin: true } : {}),
      ...(expiresAt === undefined ? {} : { expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString() }),
      ...(options.project === null ? {} : { project: options.project }),
    };
    const made = await callApi(ports, { method: 'POST', path, body, failure, configFile });
    const secret = isObject(made) ? made['token'] : undefined;
    const token = readToken(made);
    if (typeof secret !== 'string' || token === null) throw unexpected(failure);
    ports.terminal.out(asJson ? jsonText(made) : `${secret}\n`);
    if (!asJson && ports.terminal.interactive) ports.terminal.err(await note(ports, token));
    return exitCodes.ok;
  },
});

export const listTokens = command({
  path: ['token', 'list'],
  onDemo: 'follows',
  summary: 'List access tokens, without the revoked ones',
  description:
    "ENDS shows the token's last four characters, so that you can recognise one you find. LAST USED is its last valid request. --json prints every field.",
  options: { config: configOption, json },
  arguments: {},
  examples: [
    { command: 'ola token list', note: 'names, scopes, expiry and last use' },
    { command: 'ola token list --json', note: 'with project and number of uses' },
  ],
  async run({ ports }, { config: configFile, json: asJson }) {
    const failure = 'the tokens could not be listed';
    const data = await listAll(ports, path, failure, { configFile });
    if (asJson) {
      ports.terminal.out(jsonText({ object: 'list', data, hasMore: false, nextCursor: null }));
      return exitCodes.ok;
    }
    if (data.length === 0) {
      ports.terminal.err('No access tokens.\nnext: ola token create NAME\n');
      return exitCodes.ok;
    }
    const rows = readTokens(data, failure).map((token) => [
      token.id,
      token.name,
      token.scopes.includes('admin') ? 'admin' : token.scopes.join('+'),
      token.hint.slice(-4),
      token.expiresAt === null ? 'never' : fromNow(token.expiresAt, ports.now()),
      token.lastUsedAt === null ? 'never' : fromNow(token.lastUsedAt, ports.now()),
    ]);
    ports.terminal.out(table(['ID', 'NAME', 'SCOPES', 'ENDS', 'EXPIRES', 'LAST USED'], rows, 'NAME', ports.terminal.columns));
    return exitCodes.ok;
  },
});

export const revokeToken = command({
  path: ['token', 'revoke'],
  onDemo: 'follows',
  summary: 'Revoke an access token at once',
  options: { config: configOption, json },
  arguments: { token: required('id of the token, or its name if no other token has that name; never the token itself') },
  examples: [
    { command: 'ola token revoke laptop', note: 'by name' },
    { command: 'ola token revoke tok_0123456789abcdef0123456789abcdef', note: 'by id' },
  ],
  async run({ ports }, { config: configFile, json: asJson }, args) {
    const failure = 'no token was revoked';
    if (args.token.startsWith('ola_')) {
      throw usageFailure(
        failure,
        'That looks like a token. Give its id instead: find it in the list by the last four characters, in the column ENDS.',
        'ola token list',
      );
    }
    const found = match(readTokens(await listAll(ports, path, failure, { configFile }), failure), args.token);
    const call = { method: 'DELETE', path: `${path}/${encodeURIComponent(found.id)}`, failure, configFile } as const;
    const answer = await callApi(ports, call);
    ports.terminal.out(asJson ? jsonText(answer) : `revoked ${found.id} (${printable(found.name)})\n`);
    return exitCodes.ok;
  },
});

/** The fields of a token that `token list` prints. Times are in milliseconds since 1970. */
interface Token {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
}

/** @returns null when the value does not have the form of a token in the API */
function readToken(value: unknown): Token | null {
  if (!isObject(value)) return null;
  const { id, name, hint, scopes: granted, expiresAt, lastUsedAt } = value;
  const [expiry, used] = [momentIn(expiresAt), momentIn(lastUsedAt)];
  if (typeof id !== 'string' || typeof name !== 'string' || typeof hint !== 'string') return null;
  if (!Array.isArray(granted) || expiry === undefined || used === undefined) return null;
  return { id, name, hint, scopes: granted.map(String), expiresAt: expiry, lastUsedAt: used };
}

/** @returns milliseconds since 1970; undefined when the value is neither a time nor null */
function momentIn(value: unknown): number | null | undefined {
  if (value === null) return null;
  const at = Date.parse(String(value));
  return Number.isNaN(at) ? undefined : at;
}

function readTokens(data: readonly unknown[], failure: string): readonly Token[] {
  return data.map((item) => {
    const token = readToken(item);
    if (token === null) throw unexpected(failure);
    return token;
  });
}

/** Finds a token by id, then by name. The id comes first: a token that is named like another's id must not protect that one. */
function match(tokens: readonly Token[], wanted: string): Token {
  const byId = tokens.find(({ id }) => id === wanted);
  const [first, ...others] = byId ? [byId] : tokens.filter(({ name }) => name === wanted);
  const refuse = (code: string, why: string) =>
    new Failure({ code, what: 'no token was revoked', why, next: 'ola token list', exitCode: exitCodes.failure });
  if (first === undefined) throw refuse('not_found', `No token has the id or the name '${wanted}'.`);
  if (others.length > 0) {
    const ids = [first, ...others].map(({ id }) => id);
    throw refuse('ambiguous_name', `${ids.length} tokens have the name '${wanted}'. Use an id: ${ids.join(', ')}.`);
  }
  return first;
}

/** How to use a token. The token is not repeated: a secret that is on the screen twice is copied twice. */
async function note(ports: CliPorts, token: Token): Promise<string> {
  const server = await ports.running();
  const ends =
    token.expiresAt === null ? 'never expires' : `expires ${isoTime(token.expiresAt)} (${fromNow(token.expiresAt, ports.now())})`;
  const told = [
    '',
    `The token is shown only once. Its id is ${token.id}, its scopes are ${token.scopes.join(', ')}, and it ${ends}.`,
  ];
  if (server === null)
    return [
      ...told,
      `No server runs on ${printable(ports.home)}: start it with \`ola serve\`, which prints its address.`,
      '',
    ].join('\n');
  return [
    ...told,
    // Not exported: a server that is started in the same shell later would take it for the key of OpenAI.
    "Give it to a client as its API key, on the client's own line:",
    `  OPENAI_BASE_URL=${server.address}/v1 OPENAI_API_KEY=<the token> CLIENT`,
    '',
  ].join('\n');
}
