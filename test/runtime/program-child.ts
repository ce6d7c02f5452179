/** Starts the program that is named, prints its first output and ends at once, as a server that is told to end. */
import { createPrograms } from '../../src/runtime/programs.ts';

const limits = { outputBytes: 1000, timeouts: { firstByte: 60_000, idle: 60_000 }, total: 60_000 };
const path = process.argv[2] ?? '';
const reply = await createPrograms().run({ path, arguments: [], input: '', limits, signal: undefined });
process.stdout.write((await reply.read()) ?? '');
process.exit(0);
