import { describe, expect, test } from 'bun:test';
import type { Route } from '../../src/http/route.ts';
import { chooseVerb, groupsOf } from '../../src/http/verbs.ts';

const route = (method: Route['method'], path: string): Route => ({
  method,
  path,
  scope: 'none',
  summary: path,
  run: () => new Response(),
});
const routes = [
  route('GET', '/v1/models/*'),
  route('POST', '/v1/models/*:make'),
  route('POST', '/v1/models/*:count'),
  route('POST', '/v1/models/:id'),
];

describe('routes with a verb behind the last segment', () => {
  test('are one route of the router, others are their own', () => {
    expect(groupsOf(routes).map(({ method, path, verbs }) => [method, path, verbs && [...verbs.keys()]])).toEqual([
      ['GET', '/v1/models/*', null],
      ['POST', '/v1/models/*', ['make', 'count']],
      ['POST', '/v1/models/:id', null],
    ]);
  });

  test('are chosen by the verb, with the model decoded once', () => {
    const verbs = groupsOf(routes)[1]!.verbs!;
    const chosen = (rest: string) => {
      const found = chooseVerb(verbs, { '*': rest });
      return found && [found.route.summary, found.params['*']];
    };
    expect(chosen('a/b:make')).toEqual(['/v1/models/*:make', 'a/b']);
    expect(chosen('a%2Fb%253A:count')).toEqual(['/v1/models/*:count', 'a/b%3A']);
    expect(chosen('a:b:make')).toEqual(['/v1/models/*:make', 'a:b']);
    expect(chosen('a/b%3Amake')).toEqual(['/v1/models/*:make', 'a/b']);
    expect([chosen('a/b'), chosen('a/b:other'), chosen('a/b:makes'), chosen('%E0%A4%A')]).toEqual([null, null, null, null]);
  });
});
