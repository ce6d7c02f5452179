/** A call from beginning to end, whichever protocol and route: plan, reserve, try, answer, settle, record. */
import type { Egress } from '../../core/egress.ts';
import { asOlaError, OlaError } from '../../core/errors.ts';
import type { Clock, Log } from '../../core/ports.ts';
import type { Programs } from '../../core/programs.ts';
import type { Protocol, Translator } from '../../core/protocol.ts';
import type { Redact } from '../../core/redaction.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import type { Estimate, Limits } from '../access/limits.ts';
import { digestOf } from '../access/tokens.ts';
import type { Usage } from '../records/usage.ts';
import { createAccounts } from '../routing/accounts.ts';
import { allCooling, type Cooldowns } from '../routing/cooldowns.ts';
import { type Attempt, equalsOf, nextAttempt, type Plan, type Wanted } from '../routing/routing.ts';
import { createAddedFields } from './added-fields.ts';
import { type AttemptPorts, clientGone, tryOnce } from './attempt.ts';
import type { Answer, InferenceCall, InferenceRequest } from './call.ts';
import type { Fault } from './failures.ts';
import type { LiveCalls } from './live-calls.ts';
import { costMicros } from './pricing.ts';
import { createProgramCalls } from './program-calls.ts';
import { type Progress, usageRowOf } from './progress.ts';
import { createReasoningMemories } from './reasoning-memory.ts';
import { createSpeech } from './speech.ts';

export interface Inference {
  /** @throws OlaError, settled and recorded */
  run(call: InferenceCall, request: InferenceRequest): Promise<Answer>;
}

export interface InferencePorts {
  readonly egress: Egress;
  readonly programs: Programs;
  readonly limits: Limits;
  readonly live: LiveCalls;
  readonly usage: Usage;
  readonly cooldowns: Cooldowns;
  /** The table of protocols. */
  readonly protocols: readonly Protocol[];
  readonly translator: Translator;
  readonly planOf: (wanted: Wanted) => Plan;
  /** False for a credential that was replaced or deleted while the call ran. */
  readonly holds: (attempt: Attempt) => boolean;
  readonly redact: Redact;
  readonly now: Clock;
  readonly log: Log;
}

export function createInference(ports: InferencePorts): Inference {
  const { egress, limits, live, usage, cooldowns, redact, now, log } = ports;
  const accounts = createAccounts();
  const onFault = (attempt: Attempt, fault: Fault | null) => note(attempt, fault, false);
  const { protocols, translator } = ports;
  const memories = createReasoningMemories(digestOf, now);
  const speech = createSpeech({ protocols, translator, memories, digest: digestOf });
  const programs = createProgramCalls(ports.programs);
  const attempts: AttemptPorts = { egress, programs, redact, now, settle, onFault, addedFields: createAddedFields(), speech };

  function settle(progress: Progress, error: OlaError | null, tokens: TokenCounts, stop: string | null = null): void {
    if (progress.settled) return;
    progress.settled = true;
    live.remove(progress);
    const row = usageRowOf(progress, { error, tokens, stop, at: now() });
    progress.reservation?.settle({ tokens, costMicros: row.costMicros });
    if (error !== null && error.status >= 500) {
      log.log('warn', error.facts.logged ?? error.message, {
        request: row.requestId,
        code: error.code,
        provider: row.provider ?? undefined,
      });
    }
    usage.record(row);
    progress.call.ended?.(row);
  }

  /** Of credentials that are interchangeable, the one that has the conversation is taken, else the one that rested longest. */
  function choose(progress: Progress, plan: Plan, request: InferenceRequest): Attempt | null {
    const attempt = next(progress, plan);
    if (attempt === null || !plan.equals.has(attempt) || progress.failed.at(-1)?.next === 'same') return attempt;
    const equals = equalsOf(attempt, plan, progress.failed, cooldowns.quiet() ? null : cooldowns.standing);
    progress.conversation ??= conversationOf(progress, request);
    return accounts.choose(attempt, equals, progress.conversation);
  }

  function answered(attempt: Attempt, progress: Progress, plan: Plan, begunAt: number): void {
    if (!cooldowns.quiet()) cooldowns.succeeded(attempt.cooledAs, begunAt);
    if (plan.equals.has(attempt)) accounts.answered(attempt, progress.conversation, cooldowns.isLimited);
  }

  /** Whatever cools down is asked about only while something does. */
  function next({ failed }: Progress, plan: Plan): Attempt | null {
    return nextAttempt(plan, failed, cooldowns.quiet() ? null : cooldowns.standing);
  }

  function note(attempt: Attempt, fault: Fault | null, isLast: boolean): void {
    const { cooledAs } = attempt;
    if (fault === null || !ports.holds(attempt)) cooldowns.ended(cooledAs);
    else if (fault.of === 'upstream') cooldowns.unsteady(cooledAs);
    // A dead credential that is the only one is tried each time: the client is told what is wrong with it.
    else if (isLast && fault.reason !== 'rate_limit') cooldowns.ended(cooledAs);
    else cooldowns.failed(cooledAs, { reason: fault.reason, waitMs: fault.waitMs, isLast });
  }

  async function run(call: InferenceCall, request: InferenceRequest): Promise<Answer> {
    limits.admit(call.principal);
    const progress = newProgress(call, request, settle);
    live.add(progress);
    try {
      mustName(request);
      const { route, peek } = request;
      const plan = ports.planOf({
        name: peek.model,
        profile: call.profile,
        protocol: call.protocol.id,
        operation: route.operation,
      });
      mustServe(request, plan);
      progress.plan = plan;
      progress.reservation = limits.reserve(estimateOf(request, plan));
      const { failed } = progress;
      for (let attempt = choose(progress, plan, request); attempt !== null; attempt = choose(progress, plan, request)) {
        const startedAt = now();
        progress.attempt = attempt;
        if (!cooldowns.quiet()) cooldowns.begun(attempt.cooledAs);
        const outcome = await tryOnce(attempts, progress, attempt, request);
        if ('answer' in outcome) {
          answered(attempt, progress, plan, startedAt);
          return outcome.answer;
        }
        if (call.signal.aborted) {
          cooldowns.ended(attempt.cooledAs);
          throw outcome.error;
        }
        failed.push({ ...outcome, attempt, milliseconds: now() - startedAt });
        note(attempt, outcome.fault, next(progress, plan) === null);
      }
      throw failed.at(-1)?.error ?? allCooling(plan, cooldowns, now());
    } catch (thrown) {
      const error = call.signal.aborted ? clientGone() : asOlaError(thrown);
      settle(progress, error, noTokenCounts);
      throw error;
    }
  }

  return { run };
}

function newProgress(
  call: InferenceCall,
  { route, peek }: InferenceRequest,
  settle: (progress: Progress, error: OlaError | null, tokens: TokenCounts) => void,
): Progress {
  const progress: Progress = {
    call,
    principal: call.principal,
    keepOpen: call.keepOpen,
    route,
    peek,
    plan: null,
    attempt: null,
    reservation: null,
    conversation: null,
    failed: [],
    relay: null,
    firstByteAt: null,
    settled: false,
    held: false,
    seenAt: null,
    slot: -1,
    abandon: (error) => settle(progress, error, noTokenCounts),
  };
  return progress;
}

/** A caller's conversations are its own. Null: nothing in the request tells which one it belongs to. */
function conversationOf({ call }: Progress, { route, body }: InferenceRequest): string | null {
  const told = call.session() ?? route.conversation?.(body) ?? null;
  return told === null ? null : digestOf(`${call.principal.subject} ${told}`);
}

/** Characters of one token, on average. */
const charactersPerToken = 4;
/** Tokens reserved for an answer at most, whatever the client permits. */
const mostReserved = 4096;

/** The use that a call may come to, before it is known. */
function estimateOf({ route, body, peek }: InferenceRequest, { price }: Plan): Estimate {
  // Vendors count tokens free of charge.
  if (route.operation === 'count') return { tokens: 0, costMicros: 0 };
  const prompt = 'text' in body ? Math.ceil(body.text.length / charactersPerToken) : 0;
  const completion = Math.min(peek.maxTokens ?? mostReserved, mostReserved);
  const cost = price === undefined ? null : costMicros(price, { ...noTokenCounts, prompt, completion });
  return { tokens: prompt + completion, costMicros: cost };
}

function mustName({ route, peek }: InferenceRequest): void {
  if (route.needsModel === null) return;
  const name = (peek.model ?? '').trim();
  if (name === '' || name === 'default') throw new OlaError('model_not_found', route.needsModel, { param: 'model' });
}

function mustServe({ route }: InferenceRequest, { provider }: Plan): void {
  if (route.operation !== 'embeddings' || !provider.noEmbeddings) return;
  const message = `Provider '${provider.id}' has no embeddings; name a model of a provider that has, for example \`openai/text-embedding-3-small\`.`;
  throw new OlaError('embeddings_not_supported', message, { param: 'model', details: { provider: provider.id } });
}
