/** The vendor's part, as a process: a raw socket listener that answers with canned bytes as fast as this machine can. */
import { readMessage } from './http1.ts';
import { endWithParent, readJob, reply, type UpstreamJob } from './job.ts';
import { messagesPath } from './messages.ts';
import { cannedAnswers, chunkIntervalMs, models, pieces } from './traffic.ts';

interface Peer {
  received: string;
  /** What the socket did not take yet. */
  unsent: Buffer | null;
  ticker: Timer | null;
}

const job = readJob<UpstreamJob>();

function write(socket: Bun.Socket<Peer>, bytes: Buffer): void {
  const peer = socket.data;
  const all = peer.unsent === null ? bytes : Buffer.concat([peer.unsent, bytes]);
  const sent = Math.max(0, socket.write(all));
  peer.unsent = sent < all.length ? all.subarray(sent) : null;
}

function writeSlowly(socket: Bun.Socket<Peer>): void {
  let next = 0;
  const step = (): void => {
    const piece = pieces.slow[next++];
    if (piece !== undefined) write(socket, piece);
    if (next >= pieces.slow.length) stopTicker(socket.data);
  };
  socket.data.ticker = setInterval(step, chunkIntervalMs);
  step();
}

/** Each piece by a write of its own, with the other connections' turns between: none comes together with the next. */
function writeApart(socket: Bun.Socket<Peer>, next = 0): void {
  const piece = pieces.apart[next];
  if (piece === undefined) return;
  write(socket, piece);
  setImmediate(writeApart, socket, next + 1);
}

function stopTicker(peer: Peer): void {
  if (peer.ticker !== null) clearInterval(peer.ticker);
  peer.ticker = null;
}

/** The key and the model have to be the upstream's own: a gateway that forgets to swap them must not look fast. */
function answer(socket: Bun.Socket<Peer>, head: string, body: string): void {
  const streams = body.includes('"stream":true');
  const isMessage = head.startsWith(`POST ${messagesPath} `);
  if (!head.includes(isMessage ? `x-api-key: ${job.key}` : `Bearer ${job.key}`)) write(socket, cannedAnswers.refused);
  else if (streams && body.includes(`"model":"${models.slow}"`)) writeSlowly(socket);
  else if (streams && body.includes(`"model":"${models.apart}"`)) writeApart(socket);
  else if (!body.includes(`"model":"${models.json}"`)) write(socket, cannedAnswers.misread);
  else if (isMessage) write(socket, streams ? cannedAnswers.messageStream : cannedAnswers.message);
  else write(socket, streams ? cannedAnswers.stream : cannedAnswers.json);
}

const listener = Bun.listen<Peer>({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open(socket) {
      socket.data = { received: '', unsent: null, ticker: null };
    },
    data(socket, bytes) {
      const peer = socket.data;
      const text = bytes.toString('latin1');
      peer.received = peer.received === '' ? text : peer.received + text;
      const request = readMessage(peer.received);
      if (request === null) return;
      peer.received = '';
      answer(socket, request.head, request.body);
    },
    drain(socket) {
      if (socket.data.unsent !== null) write(socket, Buffer.alloc(0));
    },
    close(socket) {
      stopTicker(socket.data);
    },
    error(socket) {
      socket.end();
    },
  },
});
endWithParent();
reply({ port: listener.port });
