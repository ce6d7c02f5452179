import { expect, test } from 'bun:test';
import { joinedLists } from '../../src/core/header-lists.ts';

test.each<[one: string | undefined, other: string, joined: string]>([
  [undefined, 'oauth-1', 'oauth-1'],
  ['', 'oauth-1', 'oauth-1'],
  ['a-1', 'oauth-1', 'a-1, oauth-1'],
  ['a-1,b-1', ' b-1 , c-1 ', 'a-1, b-1, c-1'],
  ['a-1, , oauth-1,', 'oauth-1', 'a-1, oauth-1'],
])('the lists %p and %p have each member once: %s', (one, other, joined) => {
  expect(joinedLists(one, other)).toBe(joined);
});
