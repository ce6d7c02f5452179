/** API calls made by commands: each returns the answer that the route documents, or throws a Failure with its message. */
import { type ErrorCode, OlaError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import { exitCodeOf, Failure } from './failure.ts';
import type { CallOptions, CliPorts, ExitCode } from './ports.ts';

type Method = Parameters<CliPorts['call']>[0];

export interface Call extends CallOptions {
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
  /** The `what` line of the error when the call fails: `the token was not created`. */
  readonly failure: string;
  /** Exit codes of this call that differ from the general table in failure.ts. */
  readonly exitCodes?: { readonly [code in ErrorCode]?: ExitCode };
  /** The command to run next by error code, for some also by the field at fault; default `ola status`. */
  readonly next?: { readonly [code in ErrorCode]?: string | ((param: string | null) => string) };
}

interface SuccessfulAnswer {
  readonly body: unknown;
  readonly etag: string | null;
}

/** @returns a 2xx answer. @throws Failure */
export async function request(ports: CliPorts, call: Call): Promise<SuccessfulAnswer> {
  const { method, path, body, headers, configFile } = call;
  const options = { ...(headers === undefined ? {} : { headers }), ...(configFile === undefined ? {} : { configFile }) };
  const answer = await ports.call(method, path, body, options).catch((thrown: unknown) => {
    throw thrown instanceof OlaError ? refused(call, thrown.code, thrown.message, thrown.facts.param ?? null) : thrown;
  });
  if (answer.status >= 200 && answer.status < 300) return answer;
  const error = isObject(answer.body) ? answer.body['error'] : undefined;
  const { code, message, param } = isObject(error) ? error : {};
  throw refused(
    call,
    typeof code === 'string' ? code : 'internal_error',
    typeof message === 'string' ? message : `The gateway answered with status ${answer.status}.`,
    typeof param === 'string' ? param : null,
  );
}

/** @returns the body of a 2xx answer. @throws Failure */
export async function callApi(ports: CliPorts, call: Call): Promise<unknown> {
  return (await request(ports, call)).body;
}

function refused({ failure, exitCodes = {}, next = {} }: Call, code: string, why: string, param: string | null): Failure {
  const known = code as ErrorCode;
  const exitCode = exitCodes[known] ?? exitCodeOf(code);
  const step = next[known] ?? 'ola status';
  return new Failure({ code, what: failure, why, next: typeof step === 'string' ? step : step(param), exitCode });
}

/** All items of a list, read page by page. @throws Failure */
export async function listAll(
  ports: CliPorts,
  path: string,
  failure: string,
  options: CallOptions = {},
): Promise<readonly unknown[]> {
  const items: unknown[] = [];
  let after: string | null = null;
  do {
    const cursor: string = after === null ? '' : `&after=${encodeURIComponent(after)}`;
    const page = await callApi(ports, { method: 'GET', path: `${path}?limit=1000${cursor}`, failure, ...options });
    const { data, nextCursor } = isObject(page) ? page : {};
    if (!Array.isArray(data)) throw unexpected(failure);
    items.push(...data);
    after = typeof nextCursor === 'string' ? nextCursor : null;
  } while (after !== null);
  return items;
}

/** Failure for an answer that the route does not document: the server is another version of ola. */
export function unexpected(failure: string): Failure {
  const why = 'The running gateway gave an answer that this version of ola cannot read.';
  return new Failure({ code: 'internal_error', what: failure, why, next: 'ola status', exitCode: exitCodeOf('internal_error') });
}
