/** Headers that a protocol passes on: a client's to the upstream, and an upstream's to the client. Pure. */
import { joinedLists } from '../../core/header-lists.ts';
import type { HeaderMap, Reply } from '../../core/ports.ts';
import type { PassedHeaders } from '../../core/protocol.ts';
import type { Redact } from '../../core/redaction.ts';

/** Headers that the candidate or the connection sets: those of credentials, and those that say how a body is read. */
const ownHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'cookie',
  'host',
  'via',
  'user-agent',
  'connection',
  'accept-encoding',
  'content-type',
  'content-length',
  'transfer-encoding',
]);

/** By the signed headers, then by the added ones. The head of a request is cached by the identity of its headers. */
const merged = new WeakMap<HeaderMap, WeakMap<HeaderMap, HeaderMap>>();

/** The signed headers with those of a protocol: the same object again for the same two maps. */
export function withHeaders(signed: HeaderMap, added: HeaderMap | null): HeaderMap {
  if (added === null) return signed;
  const ofSigned = merged.get(signed) ?? new WeakMap<HeaderMap, HeaderMap>();
  merged.set(signed, ofSigned);
  const known = ofSigned.get(added) ?? merge(signed, added);
  ofSigned.set(added, known);
  return known;
}

function merge(signed: HeaderMap, added: HeaderMap): HeaderMap {
  const both: Record<string, string> = { ...signed };
  for (const [name, value] of Object.entries(added)) {
    if (ownHeaders.has(name)) continue;
    const before = signed[name];
    // A login and its client may each need betas.
    both[name] = name === 'anthropic-beta' && before !== undefined ? joinedLists(before, value) : value;
  }
  return both;
}

/** Headers of one answer. */
const mostPassed = 64;
const safeName = /^[a-z0-9_-]{1,64}$/;
/** Visible ASCII and spaces, at most 1 KiB. */
const safeValue = /^[\x20-\x7e]{1,1024}$/;
/** Headers in which vendors name a request. */
const requestIds = ['request-id', 'x-request-id'] as const;
/** An id as people pass it on to a vendor's support. */
const idShape = /^[\w.:/+=-]{1,128}$/;

/**
 * The headers of an upstream's answer that go down to the client.
 * @param passed those of the protocol; null: the client speaks another one than the upstream
 * @returns null: there are none
 */
export function headersDown(reply: Reply, passed: PassedHeaders | null, redact: Redact): HeaderMap | null {
  let down: Record<string, string> | null = null;
  let left = mostPassed;
  const pass = (name: string, value: string | null) => {
    if (value === null || left === 0 || !safeName.test(name) || !safeValue.test(value)) return;
    const shown = redact(value);
    if (!safeValue.test(shown)) return;
    down ??= {};
    down[name] = shown;
    left--;
  };
  pass('x-ola-upstream-request-id', requestIds.map((name) => reply.header(name)).find(isId) ?? null);
  if (passed === null) return down;
  for (const name of passed.names) pass(name, reply.header(name));
  if (passed.prefixes.length === 0) return down;
  for (const [name, value] of reply.headers()) {
    for (const prefix of passed.prefixes) {
      if (name.startsWith(prefix)) {
        pass(name, value);
        break;
      }
    }
  }
  return down;
}

function isId(value: string | null): boolean {
  return value !== null && idShape.test(value);
}
