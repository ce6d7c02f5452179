/** Calls to a running ola over its control socket. */

/** @returns the answer, or null when nobody listens there */
export async function callControl(socket: string, method: string, path: string, body?: unknown): Promise<Response | null> {
  try {
    return await fetch(`http://localhost${path}`, {
      unix: socket,
      method,
      // The variables of the environment would print the request, and send it elsewhere.
      verbose: false,
      proxy: false,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  } catch {
    return null;
  }
}
