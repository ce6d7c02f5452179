/**
 * Listening sockets by `Deno.serve`. It has no timer for a connection that is silent, so there is none to hold or to put
 * back, and no limit of its own for a body: what ends a slow or an oversized one is the reader of bodies.
 */
import type { ListenOn } from '../platform.ts';

/** What counts as sent has left Deno's hands, perhaps not the process. */
const flushMs = 50;

export const listenOn: ListenOn = (place, _limits, respond, failed) => {
  const cut = new AbortController();
  const peers = new WeakMap<Request, Deno.ServeHandlerInfo<Deno.Addr>>();
  let pending = 0;
  const sent = () => {
    pending--;
  };
  const options = {
    signal: cut.signal,
    // It would compress an answer for whoever accepts that, and hold a stream's events back with it.
    automaticCompression: false,
    onListen: () => undefined,
    onError: failed,
  };
  const handle = (request: Request, info: Deno.ServeHandlerInfo<Deno.Addr>): Response | Promise<Response> => {
    pending++;
    info.completed.then(sent, sent);
    const plain = isPlain(request.url) ? request : withPlainUrl(request);
    peers.set(plain, info);
    return respond(plain);
  };
  const server: Deno.HttpServer<Deno.Addr> =
    'path' in place ? Deno.serve({ ...options, path: place.path }, handle) : Deno.serve({ ...options, ...place }, handle);
  const port = 'port' in server.addr ? server.addr.port : 0;
  return {
    port,
    pending: () => pending,
    async stop() {
      await new Promise((resolve) => setTimeout(resolve, flushMs));
      // Not `shutdown`: it waits for what is open, and after it nothing can be cut any more.
      cut.abort();
      await server.finished;
    },
    peer(request) {
      const info = peers.get(request);
      try {
        return info !== undefined && 'hostname' in info.remoteAddr ? info.remoteAddr.hostname : null;
      } catch {
        // The request is over.
        return null;
      }
    },
    hold: () => undefined,
    release: () => undefined,
  };
};

/** A path with dots in it or a backslash is given as it came, where a URL has them resolved (url.spec.whatwg.org). */
function isPlain(url: string): boolean {
  return url.startsWith('http:') && !/\/\.|%2e|\\/i.test(url);
}

/**
 * The same request under its URL as the standard has it. Over a Unix socket it begins with a scheme of Deno's own,
 * `http+unix`, in which a router does not find the path.
 */
function withPlainUrl(request: Request): Request {
  return new Request(new URL(request.url.replace(/^http\+unix:/, 'http:')), request);
}
