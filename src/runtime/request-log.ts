/** Writes the log of requests in batches, so that a request pays for one object and no more. */
import type { LogLevel } from '../core/ports.ts';
import type { Redact } from '../core/redaction.ts';
import type { EndedRequest, RequestLog } from '../core/request-log.ts';
import { asJsonLine, asTextLine, callerOf, type ShownRequest } from './request-line.ts';

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
    for (const each of ready) callerWidth = Math.max(callerWidth, Math.min(callerOf(each).length, callerColumns.most));
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
  const names = requests.map(({ tokenId }) => (tokenId === null ? null : nameOf(tokenId)));
  const clean = cleaner(valuesOf(requests, names), redact);
  return requests.map(({ requestId, subject, method, route, requested, provider, model }, index) => ({
    requestId: ownRequestId.test(requestId) ? requestId : cut(clean(requestId), 128),
    subject: cut(clean(subject), 64),
    name: cut(clean(names[index] ?? null), 40),
    method: cut(clean(method), 16),
    route: cut(clean(route), 120),
    requested: cut(clean(requested), 100),
    provider: cut(clean(provider), 64),
    model: cut(clean(model), 100),
  }));
}

/** The ids that ola makes have nothing to redact. */
const ownRequestId = /^req_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The different values of a batch: its requests have most of them in common. */
function valuesOf(requests: readonly EndedRequest[], names: readonly (string | null)[]): Set<string> {
  const values = new Set<string>();
  for (const { requestId, subject, method, route, requested, provider, model } of requests) {
    if (!ownRequestId.test(requestId)) values.add(requestId);
    values.add(method).add(route);
    if (subject !== null) values.add(subject);
    if (requested !== null) values.add(requested);
    if (provider !== null) values.add(provider);
    if (model !== null) values.add(model);
  }
  for (const name of names) if (name !== null) values.add(name);
  return values;
}

/** Redacts all values in one go: the redactor looks for every secret that is held. @returns the clean form of a value */
function cleaner(values: ReadonlySet<string>, redact: Redact): (value: string | null) => string {
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
