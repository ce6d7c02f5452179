/** Errors of OpenAI's API, both ways: an upstream's refusal read, and ola's own written. Pure: the gateway decides what follows. */
import { errorEnvelope, type OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { FailureKind, ReadHeader, UpstreamFailure } from '../../core/protocol.ts';

/** Phrases by which vendors say that a prompt is too long (reference: provider catalog 3.5). */
const overflowPhrases =
  /prompt is too long|exceeds? (?:the |max )?(?:context window|max(?:imum)? (?:context |allowed input )?length)|prompt exceeds max length|context window (?:exceeded|exceeds limit)|maximum (?:prompt|context) length is|reduce the length of the messages|longer than the model's context length|exceeds the available context size|greater than the context length|exceeded model token limit|too large for model with|range of input length should be|context_length_exceeded|too many tokens|token limit exceeded/i;

export function readFailure(status: number, _header: ReadHeader, body: string): UpstreamFailure {
  const error = errorObject(body);
  const message = text(error?.['message']);
  const code = text(error?.['code']);
  const kind = classify(status, message ?? '', code ?? text(error?.['type']) ?? '');
  return { kind, status, message, param: text(error?.['param']), code };
}

/** `{error: {...}}`, or the bare `{message, ...}` and `{error: "text"}` that some compatible servers send. */
function errorObject(body: string): Record<string, unknown> | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return null;
  }
  if (!isObject(parsed)) return null;
  if (isObject(parsed['error'])) return parsed['error'];
  if (typeof parsed['error'] === 'string') return { message: parsed['error'] };
  return 'message' in parsed ? parsed : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function classify(status: number, message: string, code: string): FailureKind {
  if (status === 429 && /insufficient_quota|billing/i.test(code)) return 'billing';
  if (status === 429) return 'rate_limit';
  if (status === 401 || status === 403) return 'auth';
  if (status === 402) return 'billing';
  if (status === 408 || status === 504) return 'timeout';
  if (status === 409 || status === 503 || status === 529) return 'overloaded';
  if (status >= 500) return 'server_error';
  if (/content_filter|content_policy/i.test(code)) return 'content_filter';
  if (status === 413 || overflowPhrases.test(message) || /context_length_exceeded/.test(code)) return 'context_overflow';
  return 'invalid_request';
}

/** OpenAI's error object is ola's own envelope too. */
export function errorBody(error: OlaError): string {
  return JSON.stringify(errorEnvelope(error));
}

const encoder = new TextEncoder();

/** An error is one event, and `[DONE]` does not follow it. */
export function errorEvent(error: OlaError): Uint8Array {
  return encoder.encode(`data: ${errorBody(error)}\n\n`);
}
