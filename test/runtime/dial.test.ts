import { afterAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { createDialer, dial } from '../../src/runtime/dial.ts';
import { resolve } from '../../src/runtime/resolve.ts';
import { createClock } from '../clock.ts';
import { dialContract, failureOf, keptConnectionContract, lateAnswersContract, proxyContract } from '../contract/dial.ts';

const clock = createClock();
afterAll(clock.restore);
dialContract(dial, clock.advance);
proxyContract([process.execPath, join(import.meta.dir, 'dial-child.ts')]);
lateAnswersContract([process.execPath, join(import.meta.dir, '../contract/late-answers-child.ts')]);

let stillTime = 0;
keptConnectionContract({
  dial: createDialer(() => stillTime),
  advance(ms) {
    stillTime += ms;
  },
});

test('the system’s resolver answers for localhost and rejects a name that is none', async () => {
  expect(await resolve('localhost')).toContain('127.0.0.1');
  expect(await failureOf(resolve('no-such-host.invalid'))).toBeInstanceOf(Error);
});
