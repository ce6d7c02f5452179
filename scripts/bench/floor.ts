/**
 * What Bun costs, as a process: the smallest natural reverse proxy, one `Bun.serve` and one `fetch`, no rule of any kind.
 * A gateway on the same runtime cannot be faster than this; how near it comes is the measure.
 */
import { endWithParent, type FloorJob, readJob, reply } from './job.ts';

const job = readJob<FloorJob>();
const upstream = `http://127.0.0.1:${job.upstreamPort}`;

/** Reader to `pull`: twice as fast as handing the fetch body on. */
function relay(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

async function forward(request: Request): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.delete('host');
  const answer = await fetch(upstream + new URL(request.url).pathname, {
    method: request.method,
    headers,
    body: job.request === 'buffer' ? await request.arrayBuffer() : request.body,
  });
  const type = answer.headers.get('content-type') ?? '';
  if (type.startsWith('text/event-stream') && answer.body !== null) {
    return new Response(relay(answer.body), { status: answer.status, headers: { 'content-type': type } });
  }
  const body = job.answer === 'buffer' ? await answer.arrayBuffer() : answer.body;
  return new Response(body, { status: answer.status, headers: { 'content-type': type } });
}

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 30,
  development: false,
  reusePort: false,
  fetch: forward,
});
endWithParent();
reply({ port: server.port });
