/** Events on their way through, whatever the protocol. */
import { expect, test } from 'bun:test';
import { plainRun } from '../../src/core/sse.ts';
import { noTokenCounts } from '../../src/core/usage.ts';
import { createEventTap, type EventForm } from '../../src/protocols/event-tap.ts';
import { brokenProtocol } from '../../src/protocols/failures.ts';

const encoder = new TextEncoder();

test.each(['data:{"a":1}\n\n', 'data: {"a":1}\n\n: a comment\n\n'])(
  'a chunk of very many events is searched once, not once for each event: %j',
  (events) => {
    let searches = 0;
    const form: EventForm = {
      plainRun,
      dataOf: () => 'data: '.length,
      firstOfInterest(bytes) {
        searches++;
        return bytes.length;
      },
      failureInside: () => null,
      namedFailure: () => brokenProtocol('told a failure'),
      done: null,
    };
    const reading = { take: () => true, begun: true, answered: true, last: false, ended: true, tokens: noTokenCounts };
    const tap = createEventTap(form, reading, { thorough: false, addsDone: false });
    const chunk = encoder.encode(events.repeat(2_000));
    const out: Uint8Array[] = [];
    tap.push(chunk.slice(), (bytes) => out.push(bytes.slice()));
    tap.finish((bytes) => out.push(bytes.slice()));
    expect(new TextDecoder().decode(Buffer.concat(out)).match(/data:/g)).toHaveLength(2_000);
    // The events at the end of a chunk are judged alone, and each is searched to its own end.
    expect(searches).toBeLessThan(200);
  },
);
