/**
 * Listening sockets made with `Deno.serve`. It has no timer for silent connections, so `awaitBody`, `hold` and `release` do nothing. It
 * has no limit for bodies either: the body reader ends slow and oversized ones.
 */
import type { ListenOn } from '../platform.ts';

/** Pause before connections are cut, in milliseconds: answers that Deno reports as sent may still be in the process. */
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
    // Compression would hold back the events of a stream.
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
      // `shutdown` would wait for open connections, and after it they could no longer be cut.
      cut.abort();
      await server.finished;
    },
    peer(request) {
      const info = peers.get(request);
      try {
        return info !== undefined && 'hostname' in info.remoteAddr ? info.remoteAddr.hostname : null;
      } catch {
        // Deno throws when the request has ended.
        return null;
      }
    },
    awaitBody: () => undefined,
    hold: () => undefined,
    release: () => undefined,
  };
};

/** False when a URL parser would change the path: Deno does not resolve dot segments and backslashes (url.spec.whatwg.org). */
function isPlain(url: string): boolean {
  return url.startsWith('http:') && !/\/\.|%2e|\\/i.test(url);
}

/**
 * The same request with the URL in its standard form. Over a Unix socket Deno uses a scheme of its own, `http+unix`, in
 * which a router does not find the path.
 */
function withPlainUrl(request: Request): Request {
  return new Request(new URL(request.url.replace(/^http\+unix:/, 'http:')), request);
}
