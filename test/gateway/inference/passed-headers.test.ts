import { describe, expect, test } from 'bun:test';
import type { HeaderMap, Reply } from '../../../src/core/ports.ts';
import { headersDown, withHeaders } from '../../../src/gateway/inference/passed-headers.ts';

describe('the headers of a request', () => {
  const signed: HeaderMap = {
    authorization: 'Bearer key',
    'x-api-key': 'key',
    'user-agent': 'ola',
    'anthropic-beta': 'oauth-1, b',
  };

  test('have those of the protocol, never in the place of a credential or of a header of ola’s own', () => {
    const added = {
      authorization: 'x',
      'x-api-key': 'x',
      'user-agent': 'x',
      host: 'x',
      'content-length': '1',
      'anthropic-version': '1',
    };
    expect(withHeaders(signed, added)).toEqual({ ...signed, 'anthropic-version': '1' });
  });

  test('join betas, each once', () => {
    expect(withHeaders(signed, { 'anthropic-beta': 'b,c' })['anthropic-beta']).toBe('oauth-1, b, c');
    expect(withHeaders({}, { 'anthropic-beta': 'b, c' })['anthropic-beta']).toBe('b, c');
  });

  test('are the same object again, so that the head of a request is made once', () => {
    const added = { a: 'b' };
    expect(withHeaders(signed, null)).toBe(signed);
    expect(withHeaders(signed, added)).toBe(withHeaders(signed, added));
    expect(withHeaders({ ...signed }, added)).not.toBe(withHeaders(signed, added));
  });
});

describe('the headers of an answer', () => {
  const redact = (text: string) => text.replaceAll('SECRET', '[REDACTED]');
  const down = (headers: HeaderMap, passed: Parameters<typeof headersDown>[1] = { names: ['one'], prefixes: ['x-limit-'] }) => {
    const reply: Pick<Reply, 'header' | 'headers'> = {
      header: (name) => headers[name] ?? null,
      headers: () => Object.entries(headers),
    };
    return headersDown(reply as Reply, passed, redact);
  };

  test('are those of the lists, and the id of the upstream’s request under a name of its own', () => {
    const given = { one: '1', two: '2', 'x-limit-a': 'a', 'x-limits': 'b', 'set-cookie': 'c', 'x-request-id': 'r' };
    expect(down(given)).toEqual({ one: '1', 'x-limit-a': 'a', 'x-ola-upstream-request-id': 'r' });
    expect(down({ 'request-id': 'a', 'x-request-id': 'b' })).toEqual({ 'x-ola-upstream-request-id': 'a' });
    expect(down({ two: '2' })).toBeNull();
    for (const odd of ['a b', 'a,b', '<a>', 'x'.repeat(129)]) expect([odd, down({ 'request-id': odd })]).toEqual([odd, null]);
  });

  test('are the id alone for a client of another protocol', () => {
    expect(down({ one: '1', 'request-id': 'r' }, null)).toEqual({ 'x-ola-upstream-request-id': 'r' });
  });

  test('are plain, short, few and without a secret', () => {
    for (const odd of ['é', 'a\u0000', 'a\r\nb: c', '', 'x'.repeat(1025)])
      expect([odd, down({ one: odd, 'x-limit-a': odd })]).toEqual([odd, null]);
    expect(down({ one: 'a SECRET' })).toEqual({ one: 'a [REDACTED]' });
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`x-limit-${n}`, 'v']));
    expect(Object.keys(down(many) ?? {})).toHaveLength(64);
    expect(down({ 'x-limit-a b': 'v' })).toBeNull();
  });
});
