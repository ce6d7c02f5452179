/**
 * Runs under Deno: takes the steps of remote.ts from standard input, a JSON line each, and prints their outcomes.
 * With the argument `still`, the dialer's clock moves by steps alone.
 */
import process from 'node:process';
import { createInterface } from 'node:readline';
import { DialError, type Reply } from '../../src/core/ports.ts';
import { createDialer } from '../../src/runtime/dial.ts';
import { createClock } from '../clock.ts';
import { type Outcome, type Step, toldHeaders } from './steps.ts';

const clock = createClock();
let stillTime = 0;
const isStill = process.argv.includes('still');
const dial = isStill ? createDialer(() => stillTime) : createDialer();
const aborts = new Map<number, AbortController>();
const replies = new Map<number, Reply>();

for await (const line of createInterface({ input: process.stdin })) void take(JSON.parse(line) as Step);
process.exit(0);

async function take(step: Step): Promise<void> {
  const outcome = await outcomeOf(step).catch(failed);
  process.stdout.write(`${JSON.stringify({ id: step.id, ...outcome })}\n`);
}

async function outcomeOf(step: Step): Promise<Outcome> {
  if (step.do === 'dial') {
    const abort = new AbortController();
    aborts.set(step.call, abort);
    const reply = await dial({ ...step.request, ca: step.request.ca, signal: abort.signal }, step.address);
    replies.set(step.call, reply);
    return { status: reply.status, headers: Object.fromEntries(toldHeaders.map((name) => [name, reply.header(name)])) };
  }
  if (step.do === 'read') {
    const bytes = (await replies.get(step.call)?.read()) ?? null;
    return { bytes: bytes === null ? null : Buffer.from(bytes).toString('base64') };
  }
  if (step.do === 'advance' && isStill) stillTime += step.ms;
  else if (step.do === 'advance') clock.advance(step.ms);
  else if (step.do === 'cancel') replies.get(step.call)?.cancel();
  else aborts.get(step.call)?.abort();
  return {};
}

function failed(error: unknown): Outcome {
  if (error instanceof DialError) return { failure: error.failure, detail: error.detail, name: error.name };
  return { name: error instanceof Error ? error.name : String(error) };
}
