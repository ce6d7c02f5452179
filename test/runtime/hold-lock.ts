/** A process that takes a home's lock, says what came of it, and holds it until it is killed or told to leave. Argument: the home. */
import { writeSync } from 'node:fs';
import { takeHomeLock } from '../../src/runtime/lock.ts';

const facts = { pid: process.pid, version: '1.2.3', address: null, configFile: null, startedAt: 1 };
const lock = takeHomeLock(process.argv[2] ?? '', facts);
if ('release' in lock) {
  lock.update({ ...facts, address: 'http://127.0.0.1:8080' });
  writeSync(1, 'held\n');
  for await (const _ of Bun.stdin.stream()) break;
  lock.release();
} else {
  writeSync(1, `${JSON.stringify(lock)}\n`);
}
