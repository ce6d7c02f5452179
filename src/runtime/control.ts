/** Calls to a running ola over its control socket. */
import { OlaError } from '../core/errors.ts';
import { isErrno } from './files.ts';

export interface ControlCall {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * @returns the answer, or null when nobody listens there
 * @throws OlaError `shutting_down` when the other side ended before it answered: what was asked may have been done
 */
export async function callControl(socket: string, { method, path, body, headers }: ControlCall): Promise<Response | null> {
  try {
    return await fetch(`http://localhost${path}`, {
      unix: socket,
      method,
      // The variables of the environment would print the request, and send it elsewhere.
      verbose: false,
      proxy: false,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR', 'ECONNREFUSED')) return null;
    const message = 'The running ola ended before it answered: look whether it was done before you repeat it.';
    throw new OlaError('shutting_down', message, { cause });
  }
}
