/** Calls each port by address and by name, and prints the statuses and failures as JSON. */
import { DialError } from '../../src/core/ports.ts';
import { dial } from '../../src/runtime/dial.ts';
import { authority } from '../egress/upstream.ts';

const ports = process.argv.slice(2).map(Number);
const seen: (number | string)[] = [];
for (const [at, port] of ports.entries()) {
  for (const hostname of ['127.0.0.1', 'upstream.example']) {
    const base = {
      port,
      path: '/',
      method: 'GET',
      headers: {},
      body: null,
      signal: undefined,
      timeouts: { connect: 5000, firstByte: 5000, idle: 5000 },
    };
    const call = dial({ ...base, hostname, secure: at > 0, ca: authority }, '127.0.0.1');
    seen.push(
      await call.then(
        (response) => response.status,
        (error: unknown) => (error instanceof DialError ? error.failure : String(error)),
      ),
    );
  }
}
process.stdout.write(JSON.stringify(seen));
process.exit(0);
