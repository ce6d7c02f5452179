import { expect, test } from 'bun:test';
import { isLoopbackHost } from '../../src/serve/anonymous.ts';

test('an address is of this machine alone when it is a loopback one; all addresses are not, however they are spelt', () => {
  for (const host of ['localhost', '127.0.0.1', '127.8.9.10', '::1']) expect([host, isLoopbackHost(host)]).toEqual([host, true]);
  const others = ['0.0.0.0', '::', '0', '', '*', '::0', '::ffff:0.0.0.0', '10.0.0.5', '128.0.0.1', '1127.0.0.1', 'fe80::1'];
  for (const host of [...others, 'localhost.evil.example', '127.0.0.1.evil.example', '127.0.0.1:1', 'x127.0.0.1', '127.0.0']) {
    expect([host, isLoopbackHost(host)]).toEqual([host, false]);
  }
});
