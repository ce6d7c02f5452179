import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createEventCutter, find, namedRun, type ParsedEvent, parseEvent, plainRun } from '../../src/core/sse.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const noLimit = 1_000_000;

interface Seen {
  /** Each whole event, as its own copy. */
  readonly events: Uint8Array[];
  readonly held: Uint8Array;
}

function cut(chunks: readonly Uint8Array[], limit = noLimit): Seen {
  const cutter = createEventCutter(limit);
  const events: Uint8Array[] = [];
  for (const chunk of chunks) {
    cutter.push(chunk, (bytes, start, end) => {
      events.push(bytes.slice(start, end));
      return true;
    });
  }
  return { events, held: cutter.held().slice() };
}

/** What carries something: a lone line end between two events is nobody's event. */
const meaning = ({ events }: Seen): ParsedEvent[] =>
  events.map((event) => parseEvent(event)).filter(({ name, data }) => name !== '' || data !== null);

const read = (text: string): ParsedEvent[] => meaning(cut([encoder.encode(text)]));
const join = (parts: readonly Uint8Array[]) => Buffer.concat(parts);

/** The bytes in pieces, cut at the given places. */
function pieces(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

const oneByOne = (bytes: Uint8Array) => Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));

/** The standard read line by line (WHATWG HTML, 9.2.6), on text that is all there. */
function standard(text: string): ParsedEvent[] {
  const lines = text.split(/\r\n|\r|\n/);
  lines.pop();
  const events: ParsedEvent[] = [];
  let name = '';
  let data: string[] = [];
  for (const line of lines) {
    if (line === '') {
      if (name !== '' || data.length > 0) events.push({ name, data: data.length === 0 ? null : data.join('\n') });
      name = '';
      data = [];
      continue;
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/su.exec(line) ?? [];
    if (field === 'data') data.push(value);
    if (field === 'event') name = value;
  }
  return events;
}

const word = fc.constantFrom(
  ...['\n', '\r', '\r\n', '\n\n', '\r\r', '\r\n\r\n', 'data', 'data:', 'data: ', 'event: e', ': comment', ':', 'id: 1', 'retry'],
  ...[' ', 'x', '{"a":1}', 'é', '😀', '[DONE]', '"data:'],
);
const stream = fc.array(word, { maxLength: 40 }).map((words) => words.join(''));
const places = fc.array(fc.nat(400), { maxLength: 12 });

describe('an event ends at a blank line', () => {
  const framings: readonly [string, string][] = [
    ['LF', 'event: a\ndata: 1\n\ndata: 2\n\n'],
    ['CR', 'event: a\rdata: 1\r\rdata: 2\r\r'],
    ['CRLF', 'event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n'],
    ['mixed', 'event: a\r\ndata: 1\n\r\ndata: 2\r\n\n'],
    ['comments', ': hello\n\nevent: a\n: in between\ndata: 1\n\n:\n\ndata: 2\n\n'],
    ['no space after the colon', 'event:a\ndata:1\n\ndata:2\n\n'],
    ['other fields', 'id: 7\nevent: a\nretry: 10\ndata: 1\n\nid\ndata: 2\n\n'],
    ['blank lines more than needed', '\n\nevent: a\ndata: 1\n\n\n\n\ndata: 2\n\n\n'],
  ];
  for (const [name, text] of framings) {
    test(`written with ${name}`, () => {
      expect(read(text)).toEqual([
        { name: 'a', data: '1' },
        { name: '', data: '2' },
      ]);
    });
  }

  test('and not before: one line end is none', () => {
    for (const text of ['data: 1', 'data: 1\n', 'data: 1\r\n', 'data: 1\r', 'data: 1\ndata: 2\n']) {
      const { events, held } = cut([encoder.encode(text)]);
      expect(events).toEqual([]);
      expect(decoder.decode(held)).toBe(text);
    }
  });

  test('several data lines are one payload, joined by LF; only one space is taken off', () => {
    expect(read('data: {\ndata:  "a": 1\ndata\ndata: }\n\n')).toEqual([{ name: '', data: '{\n "a": 1\n\n}' }]);
  });

  test('a field that only begins like data is not data', () => {
    expect(read('database: 1\ndata : 2\n data: 3\nDATA: 4\n\n')).toEqual([]);
  });

  test('for any stream it is what the standard says', () => {
    fc.assert(
      fc.property(stream, (text) => expect(read(text)).toEqual(standard(text))),
      { numRuns: 500 },
    );
  });
});

describe('however the bytes arrive', () => {
  test('the same events are found, and visited bytes with held ones are the input', () => {
    fc.assert(
      fc.property(stream, places, (text, cuts) => {
        const bytes = encoder.encode(text);
        const whole = cut([bytes]);
        for (const chunks of [pieces(bytes, cuts), oneByOne(bytes)]) {
          const seen = cut(chunks);
          expect(meaning(seen)).toEqual(meaning(whole));
          expect(join([...seen.events, seen.held]).equals(bytes)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('where lines end in LF, the very same ranges are visited', () => {
    fc.assert(
      fc.property(stream, places, (text, cuts) => {
        const bytes = encoder.encode(text.replaceAll('\r', ''));
        expect(cut(pieces(bytes, cuts))).toEqual(cut([bytes]));
      }),
      { numRuns: 200 },
    );
  });

  test('an empty chunk changes nothing', () => {
    const empty = new Uint8Array(0);
    expect(meaning(cut([empty, encoder.encode('data: 1\n'), empty, encoder.encode('\n'), empty]))).toEqual([
      { name: '', data: '1' },
    ]);
  });
});

describe('a visitor', () => {
  test('that says stop sees no more of this chunk', () => {
    const seen: string[] = [];
    createEventCutter(noLimit).push(encoder.encode('data: 1\n\ndata: 2\n\ndata: 3\n\n'), (bytes, start, end) => {
      seen.push(decoder.decode(bytes.subarray(start, end)));
      return seen.length < 2;
    });
    expect(seen).toEqual(['data: 1\n\n', 'data: 2\n\n']);
  });

  test('is given the chunk itself for events that came in one piece', () => {
    const chunk = encoder.encode('data: 1\n\ndata: 2\n\n');
    createEventCutter(noLimit).push(chunk, (bytes) => {
      expect(bytes).toBe(chunk);
      return true;
    });
    expect.assertions(2);
  });
});

describe('the limit', () => {
  test('is one event’s: a chunk that ends a held event and brings many more is not too long', () => {
    const cutter = createEventCutter(16);
    const ends: number[] = [];
    const visit = (_: Uint8Array, start: number, end: number) => ends.push(end - start) > 0;
    cutter.push(encoder.encode('data: 1'), visit);
    cutter.push(encoder.encode('\n\ndata: 2\n\ndata: 3\n\ndata'), visit);
    expect(ends).toEqual([9, 9, 9]);
    expect(() => cutter.push(encoder.encode(': 1234567890123'), visit)).toThrow(RangeError);
  });

  const long = encoder.encode(`data: ${'x'.repeat(200)}`);

  test('refuses an event that grows past it, at once or bit by bit', () => {
    expect(() => cut([long], 100)).toThrow(RangeError);
    expect(() => cut(oneByOne(long), 100)).toThrow(RangeError);
  });

  test('counts one event, not the stream', () => {
    const chunks = Array.from({ length: 50 }, () => encoder.encode('data: 12345\n\nda')).flatMap((chunk) => [
      chunk,
      encoder.encode('ta: x\n\n'),
    ]);
    expect(meaning(cut(chunks, 100))).toHaveLength(100);
  });
});

describe('a run of plain events', () => {
  const plain = /^data: \{[^\n]*\}\n\n$/;
  const event = fc.constantFrom('data: {}\n\n', 'data: {"a":1}\n\n', 'data: [DONE]\n\n', ': hello\n\n', 'data:{}\n\n');
  const odd = fc.constantFrom('', 'data: {}\r\n\r\n', 'data: {}\n', 'data: {\ndata: }\n\n', 'event: e\ndata: {}\n\n', 'data: {');

  test('ends before the first event that is anything else, or that reaches past the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 4, arbitrary: event }, odd)), fc.nat(80), (texts, limit) => {
        const text = texts.join('');
        let expected = 0;
        for (const each of text.match(/.*?\n\n/gs) ?? []) {
          if (!plain.test(each) || expected + each.length > Math.min(limit, text.length)) break;
          expected += each.length;
        }
        expect(plainRun(encoder.encode(text), Math.min(limit, text.length))).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a run of named events', () => {
  const usual = /^(?:event: (?!er)[^\n]*\n)?data: \{[^\n]*\}\n\n$/;
  const event = fc.constantFrom('event: a\ndata: {}\n\n', 'data: {"a":1}\n\n', 'event: e\ndata: {"b":"}"}\n\n');
  const odd = fc.constantFrom(
    '',
    'event: error\ndata: {}\n\n',
    'event: ping\n\n',
    'event: a\nid: 1\ndata: {}\n\n',
    'event: a\r\ndata: {}\r\n\r\n',
    'event: a\ndata: {\ndata: }\n\n',
    'event: a\ndata: {',
    'event: a',
    ': hello\n\n',
  );

  test('ends before the first event that is anything else, may be an error, or reaches past the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 6, arbitrary: event }, odd)), fc.nat(120), (texts, limit) => {
        const text = texts.join('');
        let expected = 0;
        for (const each of text.match(/.*?\n\n/gs) ?? []) {
          if (!usual.test(each) || expected + each.length > Math.min(limit, text.length)) break;
          expected += each.length;
        }
        expect(namedRun(encoder.encode(text), Math.min(limit, text.length))).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe('find', () => {
  test('searches the view it is given, not the memory around it', () => {
    const bytes = encoder.encode('aa"usage"bb');
    const needle = encoder.encode('"usage"');
    expect(find(bytes, needle)).toBe(2);
    expect(find(bytes, needle, 3)).toBe(-1);
    expect(find(bytes.subarray(2, 9), needle)).toBe(0);
    expect(find(bytes.subarray(3), needle)).toBe(-1);
    expect(find(bytes.subarray(0, 8), needle)).toBe(-1);
  });
});
