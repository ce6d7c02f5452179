/** One request as a line of the log, as JSON or for people. */
import type { EndedRequest } from '../core/request-log.ts';

/** What others chose of a request, made fit to be shown; empty where there is nothing. */
export interface ShownRequest {
  readonly requestId: string;
  /** Shared by requests that differ in nothing but their ids. */
  readonly kind: ShownKind;
}

export interface ShownKind {
  readonly subject: string;
  /** The name of the token. */
  readonly name: string;
  readonly method: string;
  readonly route: string;
  readonly requested: string;
  readonly provider: string;
  readonly model: string;
}

let newest = { at: Number.NaN, text: '' };

/** The time as ISO 8601 has it; many requests end in the same millisecond. */
function timeOf(at: number): string {
  if (newest.at !== at) newest = { at, text: new Date(at).toISOString() };
  return newest.text;
}

/** Columns of the method with the route. */
const routeWidth = 27;

/** The members of a line that its kind has, as JSON: requests of one kind come in runs. */
let members: { readonly kind: ShownKind; readonly target: string; readonly who: string } | null = null;

function membersOf(kind: ShownKind) {
  if (members?.kind === kind) return members;
  const { method, route, subject, name, requested, provider, model } = kind;
  const who = {
    principal: subject || undefined,
    token: name || undefined,
    model: requested || undefined,
    provider: provider || undefined,
    upstreamModel: model || undefined,
  };
  members = { kind, target: JSON.stringify({ method, route }).slice(1, -1), who: JSON.stringify(who).slice(1, -1) };
  return members;
}

/** By hand but for the values: all of them together take `JSON.stringify` three times as long. */
export function asJsonLine({ requestId, kind }: ShownRequest, request: EndedRequest): string {
  const { at, status, code, failedAttempts, firstByteMs, totalMs, promptTokens, completionTokens, routine } = request;
  const { target, who } = membersOf(kind);
  let line = `{"time":"${timeOf(at)}","level":"${routine ? 'debug' : 'info'}","message":"request","request":${JSON.stringify(requestId)},${target},"status":${status}`;
  if (code !== null) line += `,"code":${JSON.stringify(code)}`;
  if (who !== '') line += `,${who}`;
  if (failedAttempts !== 0) line += `,"failedAttempts":${failedAttempts}`;
  if (firstByteMs !== null) line += `,"firstByteMs":${firstByteMs}`;
  line += `,"totalMs":${totalMs}`;
  if (promptTokens !== null) line += `,"promptTokens":${promptTokens}`;
  if (completionTokens !== null) line += `,"completionTokens":${completionTokens}`;
  return `${line}}\n`;
}

/** The caller in a line for people. */
export function callerOf({ name, subject }: ShownKind): string {
  return word(name || subject || '-');
}

/** `12:01:33  POST /v1/chat/completions  200  laptop        groq/llama -> groq  180/820 ms  29+64 tokens  req_…` */
export function asTextLine({ requestId, kind }: ShownRequest, request: EndedRequest, callerWidth: number): string {
  const { at, status, code, firstByteMs, totalMs } = request;
  const parts = [
    timeOf(at).slice(11, 19),
    `${word(kind.method)} ${word(kind.route)}`.padEnd(routeWidth),
    String(status),
    callerOf(kind).padEnd(callerWidth),
    code,
    modelOf(kind, request),
    `${firstByteMs === null || firstByteMs === totalMs ? '' : `${firstByteMs}/`}${totalMs} ms`,
    tokensOf(request),
    word(requestId),
  ];
  return `${parts.filter((part) => part !== null).join('  ')}\n`;
}

function modelOf({ requested, provider, model }: ShownKind, { failedAttempts }: EndedRequest): string | null {
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
