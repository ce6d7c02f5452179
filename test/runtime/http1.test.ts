import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { HeadFlaw } from '../../src/core/ports.ts';
import { createBodyReader, type Framing, headEnd, MalformedBody, MalformedHead, parseHead } from '../../src/runtime/http1.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('the end of a head', () => {
  const heads: readonly (readonly [string, number])[] = [
    ['HTTP/1.1 200 OK\r\n\r\nbody', 19],
    ['HTTP/1.1 200 OK\r\na: b\r\n\r\n', 25],
    ['HTTP/1.1 200 OK\n\nbody', 17],
    ['HTTP/1.1 200 OK\na: b\r\n\r\n', 24],
  ];
  for (const [text, at] of heads) {
    test(`of ${JSON.stringify(text)}`, () => {
      expect(headEnd(bytes(text))).toBe(at);
      for (let cut = 0; cut < at; cut++) {
        expect(headEnd(bytes(text.slice(0, cut)))).toBe(-1);
        expect(headEnd(bytes(text), Math.max(0, cut - 2))).toBe(at);
      }
    });
  }
});

describe('a head', () => {
  test('gives status, headers in lower case, the same name joined', () => {
    const head = parseHead('HTTP/1.1 429 Too Many\r\nRetry-After:  7 \r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 12\r\n\r\n', 'POST');
    expect(head.status).toBe(429);
    expect([...head.headers]).toEqual([
      ['retry-after', '7'],
      ['x-a', '1, 2'],
      ['content-length', '12'],
    ]);
    expect(head).toMatchObject({ persistent: true, framing: { kind: 'length', bytes: 12 } });
  });

  const framings: readonly (readonly [string, string, Partial<Framing>])[] = [
    ['HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n', 'POST', { kind: 'chunked' }],
    ['HTTP/1.1 200 OK\r\n\r\n', 'POST', { kind: 'close' }],
    ['HTTP/1.1 204 No Content\r\n\r\n', 'POST', { kind: 'length', bytes: 0 }],
    ['HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n', 'GET', { kind: 'length', bytes: 0 }],
    ['HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n', 'HEAD', { kind: 'length', bytes: 0 }],
    ['HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n', 'POST', { kind: 'length', bytes: 0 }],
    ['HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\n', 'POST', { kind: 'length', bytes: 5 }],
    ['HTTP/1.1 200 OK\r\ncontent-length: 5, 5,5\r\n\r\n', 'POST', { kind: 'length', bytes: 5 }],
  ];
  for (const [text, method, framing] of framings) {
    test(`frames the answer to ${method} ${JSON.stringify(text)}`, () => {
      expect(parseHead(text, method).framing).toMatchObject(framing);
    });
  }

  test('says whether the connection stays', () => {
    const persistent = (text: string) => parseHead(`${text}\r\n\r\n`, 'POST').persistent;
    expect(persistent('HTTP/1.1 200 OK')).toBe(true);
    expect(persistent('HTTP/1.1 200 OK\r\nConnection: Close')).toBe(false);
    expect(persistent('HTTP/1.0 200 OK')).toBe(false);
    expect(persistent('HTTP/1.0 200 OK\r\nconnection: keep-alive')).toBe(true);
    expect(persistent('HTTP/1.0 200 OK\r\nconnection: keep-alive, close')).toBe(false);
    // Where the other side may have meant another end of the body than ours.
    expect(persistent('HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked')).toBe(false);
    expect(persistent('HTTP/1.1 204 No Content\r\ncontent-length: 0')).toBe(true);
    expect(persistent('HTTP/1.1 204 No Content\r\ncontent-length: 5')).toBe(false);
    expect(persistent('HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked')).toBe(false);
  });

  const malformed: readonly (readonly [HeadFlaw, string])[] = [
    ['no_status_line', ''],
    ['no_status_line', 'nonsense\r\n\r\n'],
    ['no_status_line', 'HTTP/2 200 OK\r\n\r\n'],
    ['no_status_line', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['no_status_line', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['no_status_line', 'HTTP/1.1  200 OK\r\n\r\n'],
    ['no_status_line', 'http/1.1 200 OK\r\n\r\n'],
    ['nameless_line', 'HTTP/1.1 200 OK\r\nno colon\r\n\r\n'],
    ['nameless_line', 'HTTP/1.1 200 OK\r\n: nameless\r\n\r\n'],
    ['nameless_line', 'HTTP/1.1 200 OK\r\nspace : before\r\n\r\n'],
    ['folded_line', 'HTTP/1.1 200 OK\r\na: b\r\n folded\r\n\r\n'],
    ['folded_line', 'HTTP/1.1 200 OK\r\na: b\r\n\tfolded: c\r\n\r\n'],
    ['control_character', 'HTTP/1.1 200 OK\r\na: b\rcontent-length: 5\r\n\r\n'],
    ['control_character', 'HTTP/1.1 200 OK\r\na: b\r\r\n\r\n'],
    ['control_character', 'HTTP/1.1 200 OK\r\na: b\0\r\n\r\n'],
    ['several_lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    ['several_lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5, 05\r\n\r\n'],
    ['several_lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5,\r\n\r\n'],
    ['bad_length', 'HTTP/1.1 200 OK\r\ncontent-length: \r\n\r\n'],
    ['bad_length', 'HTTP/1.1 200 OK\r\ncontent-length: x, x\r\n\r\n'],
    ['bad_length', 'HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n'],
    ['bad_length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'],
    ['bad_length', 'HTTP/1.1 200 OK\r\ncontent-length: 0x10\r\n\r\n'],
    ['bad_length', 'HTTP/1.1 200 OK\r\ncontent-length: 9999999999999999\r\n\r\n'],
    ['length_and_coding', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['several_codings', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n'],
    ['several_codings', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['unknown_coding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n'],
    ['too_many_lines', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(257)}\r\n`],
  ];
  for (const [flaw, text] of malformed) {
    test(`refuses ${JSON.stringify(text.slice(0, 80))}`, () => {
      let thrown: unknown;
      try {
        parseHead(text, 'POST');
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(MalformedHead);
      expect(thrown).toMatchObject({ flaw });
    });
  }

  test('may have 256 header lines', () => {
    expect(parseHead(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(256)}\r\n`, 'POST').status).toBe(200);
  });
});

/** All content of a body that comes in these pieces. */
function read(framing: Framing, pieces: readonly Buffer[]) {
  const reader = createBodyReader(framing);
  // What is taken may be changed in place, so everybody gets a copy.
  const content = Buffer.concat(pieces.map((piece) => Buffer.from(reader.take(Buffer.from(piece)))));
  return { content: content.toString('latin1'), done: reader.done, surplus: reader.surplus, end: reader.end() };
}

const chunked: Framing = { kind: 'chunked', bytes: 0 };

function cut(whole: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...[...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b), whole.length];
  return at.slice(1).map((to, index) => whole.subarray(at[index], to));
}

describe('a body', () => {
  test('that is chunked comes out the same however it is framed and cut', () => {
    const chunk = fc.record({
      content: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      extension: fc.constantFrom('', ';a=b', ' ', ';x="y"'),
    });
    fc.assert(
      fc.property(
        fc.array(chunk),
        fc.constantFrom('', 'trailer: a\r\n', 'a: b\r\nc: d\r\n'),
        fc.array(fc.nat()),
        (chunks, trailer, places) => {
          const framed = chunks.map(({ content, extension }) =>
            Buffer.concat([bytes(`${content.length.toString(16)}${extension}\r\n`), content, bytes('\r\n')]),
          );
          const whole = Buffer.concat([...framed, bytes(`0\r\n${trailer}\r\n`)]);
          const content = Buffer.concat(chunks.map((each) => each.content)).toString('latin1');
          expect(read(chunked, cut(whole, places))).toEqual({ content, done: true, surplus: false, end: true });
          for (let at = 0; at < whole.length; at++)
            expect(read(chunked, [whole.subarray(0, at)])).toMatchObject({ done: false, end: false });
        },
      ),
      { numRuns: 60 },
    );
  });

  const broken: readonly string[] = [
    'x\r\n',
    '\r\n',
    '-1\r\n',
    '1\r\nabc',
    `${'f'.repeat(13)}\r\n`,
    `1;${'e'.repeat(5000)}`,
    `0\r\n${'t'.repeat(64 * 1024 + 1)}`,
    '0x1\r\n',
    '1\na\n0\n\n',
    '1\r\na\n',
    '1\r\na\r\r\n',
    '1\r\naXY',
    '1\r\na\rX',
    '1\ra',
    '1 2\r\n',
    '1;x\ny\r\n',
    '0\r\n\n',
    '0\r\nXX\n',
    `1${' '.repeat(5000)}`,
  ];
  for (const text of broken) {
    test(`that is chunked wrongly is refused: ${JSON.stringify(text.slice(0, 40))}`, () => {
      expect(() => read(chunked, [bytes(text)])).toThrow(MalformedBody);
    });
  }

  test('with a length is done at its last byte, and tells what nobody asked for', () => {
    const length: Framing = { kind: 'length', bytes: 5 };
    expect(read(length, [bytes('he'), bytes('llo')])).toEqual({ content: 'hello', done: true, surplus: false, end: true });
    expect(read(length, [bytes('hell')])).toEqual({ content: 'hell', done: false, surplus: false, end: false });
    expect(read(length, [bytes('hello!')])).toEqual({ content: 'hello', done: true, surplus: true, end: true });
    expect(read({ kind: 'length', bytes: 0 }, [])).toMatchObject({ done: true });
    expect(read(chunked, [bytes('0\r\n\r\nHTTP/1.1 200 OK')])).toMatchObject({ content: '', done: true, surplus: true });
  });

  test('without either ends with the connection', () => {
    expect(read({ kind: 'close', bytes: 0 }, [bytes('a'), bytes('b')])).toEqual({
      content: 'ab',
      done: false,
      surplus: false,
      end: true,
    });
  });
});
