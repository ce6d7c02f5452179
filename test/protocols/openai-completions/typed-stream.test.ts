import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createStreamTap } from '../../../src/protocols/openai-completions/stream.ts';

const encoder = new TextEncoder();

function run(text: string, cuts: readonly number[] = []) {
  const tap = createStreamTap({ usageAsked: true, typed: true, several: false });
  const emitted: Uint8Array[] = [];
  const emit = (bytes: Uint8Array) => void emitted.push(bytes);
  const bytes = encoder.encode(text);
  const places = [0, ...cuts.filter((at) => at < bytes.length).sort((a, b) => a - b), bytes.length];
  for (const [index, from] of places.slice(0, -1).entries()) tap.push(bytes.slice(from, places[index + 1]), emit);
  const early = tap.done;
  tap.finish(emit);
  return { out: Buffer.concat(emitted).toString(), early, done: tap.done, fault: tap.fault, tokens: tap.tokens };
}

const event = (type: string, more: object = {}) => `event: ${type}\r\ndata: ${JSON.stringify({ type, ...more })}\r\n\r\n`;
const plain = (type: string) => `data: {"type":"${type}","b64":"é\\n\\n"}\n\n`;
const last = event('image_edit.completed', { usage: { input_tokens: 3, output_tokens: 4, input_tokens_details: {} } });

describe('a stream of typed events', () => {
  test('is complete at its end, not before, and whole however it is cut', () => {
    const events = fc.array(fc.constantFrom(event('a.partial'), plain('b.delta'), plain('c.done')), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(events, fc.array(fc.nat(2000), { maxLength: 20 }), (before, cuts) => {
        const text = before.join('') + last;
        const seen = run(text, cuts);
        // Of a blank line that was cut in its CRLF only the CR goes on.
        const usual = (passed: string) => passed.replace(/\r\n\r\n?/g, '\r\n\r\n').trimEnd();
        expect([usual(seen.out), seen.early, seen.done, seen.fault]).toEqual([text.trimEnd(), false, true, null]);
        expect([seen.tokens.prompt, seen.tokens.completion]).toEqual([3, 4]);
      }),
    );
  });

  test('whose last line end came in two pieces is complete', () => {
    const seen = run(last, [last.length - 1]);
    // Its LF belongs to the line end that has gone.
    expect([seen.out, seen.done, seen.fault]).toEqual([last.slice(0, -1), true, null]);
  });

  test('cut anywhere before the end of its last event it is not complete', () => {
    const text = plain('a.delta') + plain('a.done');
    for (let end = 0; end < text.length - 2; end++) {
      const seen = run(text.slice(0, end));
      expect([end, seen.done, seen.fault]).toEqual([end, false, null]);
      // Half an event is never passed on.
      expect(['', plain('a.delta')]).toContain(seen.out);
    }
    for (const end of [text.length - 2, text.length - 1, text.length]) {
      const seen = run(text.slice(0, end));
      expect(seen.done).toBe(true);
      expect(seen.out.trimEnd()).toBe(text.trimEnd());
      expect(seen.out).toEndWith('\n\n');
    }
  });

  test.each([
    ['a type that is none', 'data: {"type":7}\n\n'],
    ['no type', 'data: {"text":"done"}\n\n'],
    ['a type that only sounds like it', plain('a.undone')],
    ['nothing', ''],
    ['a comment', ': done\n\n'],
  ])('is not complete with %s', (_, text) => expect([run(text).done, run(text).fault]).toEqual([false, null]));

  test('is complete at once with [DONE]', () => expect(run(`${plain('x')}data: [DONE]\n\n`).early).toBe(true));

  test.each([
    ['data: {"type":"error","message":"x"}\n\n', 'upstream_error'],
    ['data: {"type":"x.done","error":{}}\n\n', 'upstream_error'],
    ['event: error\ndata: {"type":"x.done"}\n\n', 'upstream_error'],
    ['data: x\n\n', 'malformed_event'],
  ] as const)('%j ends it badly', (text, fault) => {
    const seen = run(plain('a') + text + last);
    expect([seen.out, seen.done, seen.fault]).toEqual([plain('a'), false, fault]);
  });
});
