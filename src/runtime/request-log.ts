/** Writes the log of requests in batches, so that a request pays for one object and no more. */
import type { LogLevel } from '../core/ports.ts';
import type { Redact } from '../core/redaction.ts';
import type { EndedRequest, RequestLog } from '../core/request-log.ts';
import { asJsonLine, asTextLine, callerOf, type ShownKind, type ShownRequest } from './request-line.ts';

export interface RequestLogOptions {
  readonly level: LogLevel;
  readonly format: 'pretty' | 'json';
  readonly enabled: () => boolean;
  readonly write: (text: string) => void;
  /** Characters that were written before and that the reader of the log has not taken yet. */
  readonly unwritten: () => number;
  readonly redact: Redact;
  /** The name of a token by its id. */
  readonly nameOf: (id: string) => string | null;
}

export interface WrittenRequestLog extends RequestLog {
  /** Writes the lines that wait. */
  flush(): void;
}

/** Lines that are written at once. */
const mostLines = 200;
/** Longest time from the end of a request to its line, in milliseconds. */
const delayMs = 100;
/** Columns of the caller: as many as the longest one so far has, within these. */
const callerColumns = { least: 12, most: 24 };
/** Characters that may wait for a reader that does not read; what comes then is counted and left out. */
const mostUnwritten = 8 * 1024 * 1024;

export function createRequestLog(options: RequestLogOptions): WrittenRequestLog {
  const { level, format, enabled, write, unwritten, redact, nameOf } = options;
  const line = format === 'json' ? asJsonLine : asTextLine;
  const debug = level === 'debug';
  const shows = debug || level === 'info';
  let waiting: EndedRequest[] = [];
  let leftOut = 0;
  let callerWidth = callerColumns.least;
  let timer: ReturnType<typeof setTimeout> | null = null;

  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const requests = waiting;
    waiting = [];
    if (requests.length === 0) return;
    if (unwritten() > mostUnwritten) {
      leftOut += requests.length;
      return;
    }
    const ready = shown(requests, redact, nameOf);
    if (format === 'pretty')
      for (const each of ready) callerWidth = Math.max(callerWidth, Math.min(callerOf(each.kind).length, callerColumns.most));
    const lines = ready.map((each, index) => line(each, requests[index] as EndedRequest, callerWidth));
    write(gap(leftOut, format) + lines.join(''));
    leftOut = 0;
  }

  return {
    on: () => shows && enabled(),
    add(request) {
      if (!shows || (request.routine && !debug)) return;
      waiting.push(request);
      if (waiting.length === mostLines) flush();
      else timer ??= setTimeout(flush, delayMs);
    },
    flush,
  };
}

/** Says how many lines are missing. */
function gap(leftOut: number, format: 'pretty' | 'json'): string {
  if (leftOut === 0) return '';
  const message = 'requests are missing here, because the log was not read fast enough';
  return format === 'json'
    ? `${JSON.stringify({ time: new Date().toISOString(), level: 'warn', message, requests: leftOut })}\n`
    : `          ${leftOut} ${message}\n`;
}

/** What others chose, fit to be shown. It is cut after the redaction, which would not find a part of a secret. */
function shown(requests: readonly EndedRequest[], redact: Redact, nameOf: (id: string) => string | null): ShownRequest[] {
  // Requests that differ in nothing but their ids come in runs: the first of a run is made fit for all.
  const firsts = requests.filter((request, index) => !isAlike(request, requests[index - 1]));
  const names = firsts.map(({ tokenId }) => (tokenId === null ? null : nameOf(tokenId)));
  const foreign = new Set(requests.map(({ requestId }) => requestId).filter((id) => !ownRequestId.test(id)));
  const clean = cleaner(valuesOf(firsts, [...foreign, ...names]), redact);
  const kinds = firsts.map((request, index) => kindOf(request, names[index] ?? null, clean));
  let run = -1;
  return requests.map((request) => {
    if (request === firsts[run + 1]) run++;
    const { requestId } = request;
    return { requestId: foreign.has(requestId) ? cut(clean(requestId), 128) : requestId, kind: kinds[run] as ShownKind };
  });
}

function isAlike(one: EndedRequest, other: EndedRequest | undefined): boolean {
  return (
    other !== undefined &&
    one.model === other.model &&
    one.provider === other.provider &&
    one.requested === other.requested &&
    one.route === other.route &&
    one.method === other.method &&
    one.tokenId === other.tokenId &&
    one.subject === other.subject
  );
}

type Clean = (value: string | null) => string;

function kindOf(request: EndedRequest, name: string | null, clean: Clean): ShownKind {
  return {
    subject: cut(clean(request.subject), 64),
    name: cut(clean(name), 40),
    method: cut(clean(request.method), 16),
    route: cut(clean(request.route), 120),
    requested: cut(clean(request.requested), 100),
    provider: cut(clean(request.provider), 64),
    model: cut(clean(request.model), 100),
  };
}

/** The ids that ola makes have nothing to redact. */
const ownRequestId = /^req_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The different values of a batch. */
function valuesOf(firsts: readonly EndedRequest[], others: readonly (string | null)[]): Set<string> {
  const values = new Set<string>();
  const add = (value: string | null) => void (value !== null && values.add(value));
  for (const { subject, method, route, requested, provider, model } of firsts)
    for (const value of [subject, method, route, requested, provider, model]) add(value);
  others.forEach(add);
  return values;
}

/** Redacts all values in one go: the redactor looks for every secret that is held. @returns the clean form of a value */
function cleaner(values: ReadonlySet<string>, redact: Redact): Clean {
  const plain = [...values].map(withoutControls);
  const whole = redact(plain.join('\n')).split('\n');
  // A secret with a line break in it could reach over two values.
  const clean = whole.length === plain.length ? whole : plain.map(redact);
  const byValue = new Map([...values].map((value, index) => [value, clean[index] ?? '']));
  return (value) => (value === null ? '' : (byValue.get(value) ?? ''));
}

/** Nothing may drive a terminal, break a line or hide a part of it (CWE-150, CWE-117). */
function withoutControls(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
}

function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\u{D800}-\u{DBFF}]$/u, '')}…`;
}
