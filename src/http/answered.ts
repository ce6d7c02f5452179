/** Adds each request to the log of requests once: an inference call when it has ended, every other request when its answer leaves. */
import { OlaError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { EndedRequest, RequestLog } from '../core/request-log.ts';
import type { UsageRow } from '../core/usage.ts';
import { type Call, pathOf } from './call.ts';

export interface Answered {
  /** Whether requests are logged now. */
  on(): boolean;
  /** A call of a model has ended: with it everything is known that its usage row has. */
  ended(call: Call, row: UsageRow): void;
  /** An answer leaves. */
  answered(call: Call, response: Response): void;
}

/** Characters of a client's text that are kept until it has been redacted: a cut secret would not be recognised. */
const mostKept = 1000;

export function createAnswered(requests: RequestLog, now: Clock): Answered {
  return {
    on: requests.on,
    ended(call, row) {
      call.told = true;
      requests.add({
        requestId: row.requestId,
        subject: row.subject,
        tokenId: row.tokenId,
        method: call.method,
        route: row.endpoint,
        at: row.startedAt + row.latencyMs,
        status: row.status,
        code: row.error,
        requested: row.requested.slice(0, mostKept),
        provider: row.provider,
        model: row.model,
        failedAttempts: row.attempts?.length ?? 0,
        firstByteMs: row.firstByteMs,
        totalMs: row.latencyMs,
        promptTokens: row.tokens.prompt,
        completionTokens: row.tokens.completion,
        routine: false,
      });
    },
    answered(call, response) {
      if (call.told) return;
      call.told = true;
      const at = now();
      const code = response.headers.get('x-ola-code');
      const known = whatIsKnown(call);
      requests.add({
        ...known,
        at,
        // The client that left is answered 400, which it does not read.
        status: code === 'client_closed_request' ? 499 : response.status,
        code,
        ...noModel,
        // The clock may have been set back meanwhile.
        totalMs: Math.max(0, at - call.startedAt),
        routine: response.status < 400 && isRoutine(known.route),
      });
    },
  };
}

const noModel = {
  requested: null,
  provider: null,
  model: null,
  failedAttempts: 0,
  firstByteMs: null,
  promptTokens: null,
  completionTokens: null,
} as const;

function whatIsKnown({ caller, method, request, requestId, route }: Call) {
  const known = caller instanceof OlaError ? null : caller;
  return {
    requestId,
    subject: known?.subject ?? null,
    tokenId: known?.tokenId ?? null,
    method,
    route: route ?? pathOf(request.url).slice(0, mostKept),
  } satisfies Partial<EndedRequest>;
}

function isRoutine(route: string): boolean {
  return route === '/health' || route.startsWith('/static/');
}
