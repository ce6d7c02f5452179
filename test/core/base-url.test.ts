import { describe, expect, test } from 'bun:test';
import { hasSecretParameter, lacksVersion, queryShape, splitQuery, urlOf, withoutEndpoint } from '../../src/core/base-url.ts';

describe('a base URL', () => {
  test.each([
    ['https://a.example/v1', 'https://a.example/v1/chat/completions'],
    ['https://a.example/v1///', 'https://a.example/v1/chat/completions'],
    ['https://a.example', 'https://a.example/chat/completions'],
    ['https://a.example/v1?', 'https://a.example/v1/chat/completions'],
    ['https://a.example/d/?api-version=2024-10-21', 'https://a.example/d/chat/completions?api-version=2024-10-21'],
    ['https://a.example?a=/b/?c', 'https://a.example/chat/completions?a=/b/?c'],
  ])('%s leads a chat to %s', (baseUrl, chat) => expect(urlOf(baseUrl, '/chat/completions')).toBe(chat));

  test('puts its query behind the query of a path', () => {
    expect(urlOf('https://a.example/v1?b=2', '/x?a=1')).toBe('https://a.example/v1/x?a=1&b=2');
  });

  test('has its query from the first question mark on', () => {
    expect(splitQuery('https://h?@evil.example/')).toEqual({ base: 'https://h', query: '?@evil.example/' });
  });
});

describe('the query', () => {
  test.each(['', '?a=b', '?api-version=2024-10-21&x=%20y', "?a=/:@!$'()*+,;=~._-"])('%p may be sent', (query) =>
    expect(queryShape.test(query)).toBe(true),
  );
  test.each(['a', '?', '?a b', '?a#b', '?a\r\nX: 1', '?é', '?"', '?a\\b', '?a|b'])('%p may not', (query) =>
    expect(queryShape.test(query)).toBe(false),
  );

  test.each([
    ...['key', 'api_key', 'apikey', 'API-KEY', 'subscription-key', 'token', 'access_token', 'sig', 'signature', 'code', 'pwd'],
    ...['password', 'client_secret', 'X-Amz-Credential', 'Authorization', 'sessionid', 'k%65y', 'jwt'],
  ])('with a parameter %p holds a secret', (name) => {
    for (const query of [`?${name}=x`, `?a=1&${name}=`, `?a=1;${name}=x`, `?${name}`])
      expect(hasSecretParameter(query)).toBe(true);
  });
  test.each([
    ...['sk-abc', 'gsk_12345678', 'AIzaSyA1', 'ghp_16C7e42F292c6912E7', 'eyJhbGciOi', 'Bearer%20x', 'Bearer+x'],
    ...['0123456789abcdef0123456789abcdef', 'aGVsbG8gd29ybGQgMTIzNDU2Nzg5', 'x.0123456789abcdef01234'],
  ])('with the value %p holds a secret', (value) => {
    for (const query of [`?a=${value}`, `?${value}`, `?a=b=${value}`]) expect(hasSecretParameter(query)).toBe(true);
  });
  test.each([
    ...[
      '?api-version=2024-10-21',
      '?api-version=2024-08-01-preview',
      '?version=preview',
      '?project=my-gpt-4o-deployment-2024-08-06',
    ],
    ...['?tenant=550e8400-e29b-41d4-a716-446655440000', '?codename=eu&zone=b', '?path=/a/b', '?a=%zz', ''],
  ])('%p holds none', (query) => expect(hasSecretParameter(query)).toBe(false));
});

describe('an endpoint at the end', () => {
  test.each([
    ['https://a.example/v1/chat/completions', 'https://a.example/v1'],
    ['https://a.example/v1/chat/completions/', 'https://a.example/v1'],
    ['https://a.example/v1/Chat/Completions', 'https://a.example/v1'],
    ['https://a.example/v1/completions', 'https://a.example/v1'],
    ['https://a.example/v1/embeddings', 'https://a.example/v1'],
    ['https://a.example/v1/models', 'https://a.example/v1'],
    ['https://a.example/v1beta/models', 'https://a.example/v1beta'],
    ['https://a.example/v1/responses', 'https://a.example/v1'],
    ['https://a.example/v1/messages', 'https://a.example/v1'],
    ['https://a.example/chat/completions', 'https://a.example'],
    ['https://a.example/d/chat/completions?api-version=1', 'https://a.example/d?api-version=1'],
  ])('of %s is cut off', (given, kept) => expect(withoutEndpoint(given)).toBe(kept));
  test.each([
    ...[
      'https://a.example/v1',
      'https://a.example',
      'https://x.services.ai.azure.com/models',
      'https://a.example/v1?x=/completions',
    ],
    ...[
      'https://a.example/chat',
      'https://a.example/mychat/completionsx',
      'https://completions',
      'https://a.example/v1/my-models',
    ],
  ])('of %s is none', (given) => expect(withoutEndpoint(given)).toBeNull());
});

test('a version stands in the path, or is a parameter', () => {
  for (const url of ['/v1', '/openai/v1', '/v4/', '/v1beta', '/v1.5', '/v1beta/openai', '/d?api-version=1', '?Version=2'])
    expect([url, lacksVersion(`https://a.example${url}`)]).toEqual([url, false]);
  for (const url of ['', '/', '/api', '/openai', '/vision', '?v=1', '/api?x=/v1/'])
    expect([url, lacksVersion(`https://v1.example${url}`)]).toEqual([url, true]);
});
