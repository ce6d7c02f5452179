/** Calls of the API from a command: what comes back is either what the route promises or a worded failure. */
import { OlaError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import { exitCodeOf, Failure } from './failure.ts';
import type { CliPorts } from './ports.ts';

type Method = Parameters<CliPorts['call']>[0];

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
  /** What is not done when it fails: `the token was not made`. */
  readonly failure: string;
}

/** @returns the body of a 2xx answer. @throws Failure */
export async function callApi(ports: CliPorts, { method, path, body, failure }: Call): Promise<unknown> {
  const refused = (code: string, why: string) =>
    new Failure({ code, what: failure, why, next: 'ola status', exitCode: exitCodeOf(code) });
  const answer = await ports.call(method, path, body).catch((thrown: unknown) => {
    throw thrown instanceof OlaError ? refused(thrown.code, thrown.message) : thrown;
  });
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  const error = isObject(answer.body) ? answer.body['error'] : undefined;
  const { code, message } = isObject(error) ? error : {};
  throw refused(
    typeof code === 'string' ? code : 'internal_error',
    typeof message === 'string' ? message : `The gateway answered with status ${answer.status}.`,
  );
}

/** All items of a list by pages, as one list. @throws Failure */
export async function listAll(ports: CliPorts, path: string, failure: string): Promise<readonly unknown[]> {
  const items: unknown[] = [];
  let after: string | null = null;
  do {
    const cursor: string = after === null ? '' : `&after=${encodeURIComponent(after)}`;
    const page = await callApi(ports, { method: 'GET', path: `${path}?limit=1000${cursor}`, failure });
    const { data, nextCursor } = isObject(page) ? page : {};
    if (!Array.isArray(data)) throw unexpected(failure);
    items.push(...data);
    after = typeof nextCursor === 'string' ? nextCursor : null;
  } while (after !== null);
  return items;
}

/** The answer is not what the route promises: another version runs. */
export function unexpected(failure: string): Failure {
  const why = 'The gateway answered in a form that this version does not know.';
  return new Failure({ code: 'internal_error', what: failure, why, next: 'ola status', exitCode: exitCodeOf('internal_error') });
}
