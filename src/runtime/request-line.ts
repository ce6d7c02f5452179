/** One request as a line of the log, as JSON or for people. */
import type { EndedRequest } from '../core/request-log.ts';

/** What others chose of a request, made fit to be shown; empty where there is nothing. */
export interface ShownRequest {
  readonly requestId: string;
  readonly subject: string;
  /** The name of the token. */
  readonly name: string;
  readonly method: string;
  readonly route: string;
  readonly requested: string;
  readonly provider: string;
  readonly model: string;
}

/** Columns of the method with the route. */
const routeWidth = 27;

export function asJsonLine(shown: ShownRequest, request: EndedRequest): string {
  const { at, status, code, failedAttempts, firstByteMs, totalMs, promptTokens, completionTokens, routine } = request;
  return `${JSON.stringify({
    time: new Date(at).toISOString(),
    level: routine ? 'debug' : 'info',
    message: 'request',
    request: shown.requestId,
    method: shown.method,
    route: shown.route,
    status,
    code: code ?? undefined,
    principal: shown.subject || undefined,
    token: shown.name || undefined,
    model: shown.requested || undefined,
    provider: shown.provider || undefined,
    upstreamModel: shown.model || undefined,
    failedAttempts: failedAttempts === 0 ? undefined : failedAttempts,
    firstByteMs: firstByteMs ?? undefined,
    totalMs,
    promptTokens: promptTokens ?? undefined,
    completionTokens: completionTokens ?? undefined,
  })}\n`;
}

/** The caller in a line for people. */
export function callerOf({ name, subject }: ShownRequest): string {
  return word(name || subject || '-');
}

/** `12:01:33  POST /v1/chat/completions  200  laptop        groq/llama -> groq  180/820 ms  29+64 tokens  req_…` */
export function asTextLine(shown: ShownRequest, request: EndedRequest, callerWidth: number): string {
  const { at, status, code, firstByteMs, totalMs } = request;
  const parts = [
    new Date(at).toISOString().slice(11, 19),
    `${word(shown.method)} ${word(shown.route)}`.padEnd(routeWidth),
    String(status),
    callerOf(shown).padEnd(callerWidth),
    code,
    modelOf(shown, request),
    `${firstByteMs === null || firstByteMs === totalMs ? '' : `${firstByteMs}/`}${totalMs} ms`,
    tokensOf(request),
    word(shown.requestId),
  ];
  return `${parts.filter((part) => part !== null).join('  ')}\n`;
}

function modelOf({ requested, provider, model }: ShownRequest, { failedAttempts }: EndedRequest): string | null {
  if (requested === '' && provider === '') return null;
  const same = requested === model || requested === `${provider}/${model}`;
  const target = provider === '' ? '' : ` -> ${word(provider)}${same ? '' : `/${word(model)}`}`;
  const tries = failedAttempts === 0 ? '' : ` (${failedAttempts} failed before)`;
  return `${word(requested || 'default')}${target}${tries}`;
}

function tokensOf({ promptTokens, completionTokens }: EndedRequest): string | null {
  if (promptTokens === null && completionTokens === null) return null;
  return `${promptTokens ?? '?'}+${completionTokens ?? '?'} tokens`;
}

/** In quotes when it could be taken for several columns. */
function word(text: string): string {
  return /[\s"]/u.test(text) ? JSON.stringify(text) : text;
}
