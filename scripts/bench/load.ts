/** The clients' part, as a process: raw keep-alive sockets that check every answer and count only the right ones. */
import { readMessage } from './http1.ts';
import { endWithParent, type LoadJob, type LoadResult, readJob, reply } from './job.ts';
import { createHistogram } from './statistics.ts';
import { answerProblem, requestBytes } from './traffic.ts';

interface Flight {
  received: string;
  sentAt: number;
  /** Between the request and the end of its answer. */
  waiting: boolean;
}

/** Called once an answer, right or wrong; true asks for the next request on that connection. */
type Settle = (problem: string | null, microseconds: number) => boolean;

/** How long the last answers may take once the time is up. */
const drainSeconds = 2;
const connectionLimit = 700;

/** Opens one connection and sends its first request. */
async function open(job: LoadJob, bytes: Buffer, settle: Settle): Promise<void> {
  const send = (socket: Bun.Socket<Flight>): void => {
    socket.data = { received: '', sentAt: performance.now(), waiting: true };
    if (socket.write(bytes) !== bytes.length) settled(socket, 'the request did not fit into the socket');
  };
  const settled = (socket: Bun.Socket<Flight>, problem: string | null): void => {
    const flight = socket.data;
    flight.waiting = false;
    const again = settle(problem, (performance.now() - flight.sentAt) * 1000);
    if (again && problem === null) send(socket);
    else socket.end();
  };
  await Bun.connect<Flight>({
    hostname: '127.0.0.1',
    port: job.port,
    data: { received: '', sentAt: 0, waiting: true },
    socket: {
      open: send,
      data(socket, chunk) {
        const flight = socket.data;
        const text = chunk.toString('latin1');
        flight.received = flight.received === '' ? text : flight.received + text;
        const problem = judge(job, flight.received);
        if (problem !== undefined) settled(socket, problem);
      },
      close(socket) {
        if (socket.data.waiting) settled(socket, 'closed before the answer was whole');
      },
      error(socket, error) {
        if (socket.data.waiting) settled(socket, error.message);
      },
    },
  });
}

/** @returns undefined while the answer is not whole, else what is wrong with it, or null */
function judge({ kind, form }: LoadJob, received: string): string | null | undefined {
  try {
    const answer = readMessage(received);
    return answer === null ? undefined : answerProblem(kind, form, answer);
  } catch (error) {
    return error instanceof Error ? error.message : 'broken framing';
  }
}

async function run(job: LoadJob): Promise<LoadResult> {
  if (job.connections > connectionLimit) throw new Error(`more than ${connectionLimit} connections`);
  const histogram = createHistogram();
  let [completed, errors, inFlight] = [0, 0, job.connections];
  let firstError: string | null = null;
  let [counting, stopping] = [job.once, job.once];
  const settle: Settle = (problem, microseconds) => {
    if (problem !== null) {
      errors++;
      firstError ??= problem;
    } else if (counting) {
      completed++;
      histogram.record(microseconds);
    }
    if (stopping || problem !== null) inFlight--;
    return !stopping;
  };
  const allSettled = async (seconds: number): Promise<void> => {
    for (const end = performance.now() + seconds * 1000; inFlight > 0 && performance.now() < end; ) await Bun.sleep(5);
  };
  const startedAt = performance.now();
  const bytes = requestBytes(job.kind, job.form, job);
  // One after the other: a burst of connects overflows the listener's backlog, which would measure the kernel's retry.
  for (let n = 0; n < job.connections; n++) {
    await open(job, bytes, settle).catch((error: unknown) => settle(error instanceof Error ? error.message : 'no connection', 0));
  }
  if (!job.once) await Bun.sleep(job.warmSeconds * 1000);
  const from = job.once ? startedAt : performance.now();
  counting = true;
  if (job.once) await allSettled(job.seconds);
  else await Bun.sleep(job.seconds * 1000);
  counting = false;
  const elapsed = (performance.now() - from) / 1000;
  stopping = true;
  await allSettled(drainSeconds);
  if (inFlight > 0) {
    errors += inFlight;
    firstError ??= `${inFlight} answers did not come in time`;
  }
  return {
    completed,
    errors,
    firstError,
    perSecond: completed / elapsed,
    p50: histogram.percentile(0.5),
    p99: histogram.percentile(0.99),
  };
}

endWithParent();
reply(await run(readJob<LoadJob>()));
process.exit(0);
