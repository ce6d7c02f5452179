import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { OlaError } from '../../src/core/errors.ts';
import { boundaryOf, fieldOf, formContentType, readForm, withField } from '../../src/core/multipart.ts';

interface Part {
  readonly head: string;
  readonly value: Uint8Array;
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const text = (each: Uint8Array) => Buffer.from(each).toString('latin1');
const field = (name: string, value: string): Part => ({
  head: `Content-Disposition: form-data; name="${name}"`,
  value: bytes(value),
});
const file = (name: string, value: Uint8Array): Part => ({
  head: `Content-Disposition: form-data; name="${name}"; filename="a b.png"\r\nContent-Type: image/png`,
  value,
});
const written = (parts: readonly Part[], boundary = 'x') =>
  bytes(`${parts.map(({ head, value }) => `--${boundary}\r\n${head}\r\n\r\n${text(value)}\r\n`).join('')}--${boundary}--\r\n`);

function refusal(body: string | Uint8Array<ArrayBuffer>, name?: string): string {
  try {
    const form = readForm(typeof body === 'string' ? bytes(body) : body, 'x');
    if (name !== undefined) fieldOf(form, name, 10);
    return 'taken';
  } catch (error) {
    if (!(error instanceof OlaError)) throw error;
    return `${error.status} ${error.code} ${error.facts.param ?? ''} ${error.message}`;
  }
}

describe('any form', () => {
  const name = fc.stringMatching(/^[a-z_]{1,12}(?:\[\])?$/).filter((each) => each !== 'model');
  const value = fc.uint8Array({ maxLength: 300 }).map((each) => Uint8Array.from(each));
  const part = fc.oneof(
    fc.tuple(name, value).map(([key, inner]): Part => ({ ...field(key, ''), value: inner })),
    fc.tuple(name, value).map(([key, inner]) => file(key, inner)),
  );
  const boundary = fc.stringMatching(/^[0-9A-Za-z'()+_,./:=?-]{12,40}$/);

  test('comes back part by part, and only its model changes', () => {
    const model = fc.string({ maxLength: 40 }).map((each) => each.toWellFormed());
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.nat(8), model, fc.string(), boundary, (parts, at, old, raw, b) => {
        const fresh = raw.toWellFormed();
        const before = parts.slice(0, at);
        const after = parts.slice(at);
        const all = (given: string) => written([...before, { ...field('model', ''), value: utf8(given) }, ...after], b);
        const form = readForm(all(old), b);
        expect(form.parts).toHaveLength(parts.length + 1);
        const read = form.parts.map(({ start, end }) => text(form.bytes.subarray(start, end)));
        expect(read).toEqual([
          ...before.map((each) => text(each.value)),
          text(utf8(old)),
          ...after.map((each) => text(each.value)),
        ]);
        expect(fieldOf(form, 'model', 1000)).toBe(old);
        const changed = withField(form, 'model', fresh);
        expect(text(changed)).toBe(text(all(fresh)));
        expect(fieldOf(readForm(changed, b), 'model', 10_000)).toBe(fresh);
      }),
    );
  });

  test('without a model gets one in front, and nothing else changes', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), boundary, (parts, b) => {
        const whole = written(parts, b);
        const changed = withField(readForm(whole, b), 'model', 'up-1');
        expect(text(changed)).toEndWith(text(whole));
        const again = readForm(changed, b);
        expect([fieldOf(again, 'model', 10), again.parts.length]).toEqual(['up-1', parts.length + 1]);
      }),
    );
  });

  test('cut anywhere is refused; with any byte changed it is refused or its parts still stand one behind the other', () => {
    const whole = written([field('model', 'a/b'), file('image', bytes('\r\n--\r\n')), field('n', '2')]);
    const last = whole.length - 2;
    for (let end = 0; end < last; end++) expect(refusal(whole.slice(0, end)), String(end)).toStartWith('400 invalid_request');
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const broken = whole.slice();
        broken[at] = byte;
        try {
          let end = 0;
          for (const each of readForm(broken, 'x').parts) {
            expect(each.start).toBeGreaterThan(end);
            expect(each.end).toBeGreaterThanOrEqual(each.start);
            end = each.end;
          }
          expect(end).toBeLessThan(broken.length);
        } catch (error) {
          expect(error).toBeInstanceOf(OlaError);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('made by the platform’s own writer is read', async () => {
    const form = new FormData();
    form.append('model', 'acme/é');
    form.append('image[]', new File([new Uint8Array([0, 13, 10, 45, 45])], 'q"uo\nte.png', { type: 'image/png' }));
    const request = new Request('http://x/', { method: 'POST', body: form });
    const found = boundaryOf(request.headers.get('content-type') ?? '') ?? '';
    const read = readForm(new Uint8Array(await request.arrayBuffer()), found);
    expect(read.parts.map((each) => [each.name, each.file, each.end - each.start])).toEqual([
      ['model', false, 7],
      ['image[]', true, 5],
    ]);
    expect(fieldOf(read, 'model', 100)).toBe('acme/é');
  });
});

function utf8(given: string): Uint8Array {
  return new TextEncoder().encode(given);
}

const head = (lines: string, value = 'v') => `--x\r\n${lines}\r\n\r\n${value}\r\n--x--`;
const plain = 'Content-Disposition: form-data; name="a"';

describe('what two readers could read in two ways is refused', () => {
  test.each([
    ['nothing', ''],
    ['no parts', '--x--'],
    ['another boundary', head(plain).replaceAll('--x', '--y')],
    ['words before the first boundary', `hello\r\n${head(plain)}`],
    ['words behind the last', `${head(plain)}\r\nhello`],
    ['a part behind the last boundary', `${head(plain)}\r\n${head('Content-Disposition: form-data; name="model"')}`],
    ['lines that end in LF', head(plain).replaceAll('\r\n', '\n')],
    ['a boundary behind a bare LF', head(plain, 'v\n--x\nmore')],
    ['a boundary in the middle of a line', head(plain, 'v --x')],
    ['a part that begins in the middle of a line', head(plain, `v --x\r\n${plain}\r\n\r\nw`)],
    ['a part that begins behind a bare LF', head(plain, `v\n--x\r\n${plain}\r\n\r\nw`)],
    ['a boundary that goes on', head(plain, 'v\r\n--xy\r\nmore')],
    ['a boundary with a space behind it', head(plain).replace('--x\r\n', '--x \r\n')],
    ['a boundary in a head', head(`${plain}\r\n--x: 1`)],
    ['a value without a line of its own', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n--x--'],
    ['no head', '--x\r\n\r\n\r\n--x--'],
    ['a head without an end', `--x\r\n${plain}\r\n--x--`],
    ['a head that is too long', head(`${plain}\r\nX-A: ${'a'.repeat(5000)}`)],
    ['a folded line', head(`${plain}\r\n  ; filename="b"`)],
    ['a bare CR in a head', head(`${plain}; b="\r"`)],
    ['NUL in a head', head(`${plain}; b="\0"`)],
    ['no disposition', head('Content-Type: text/plain')],
    ['two dispositions', head(`${plain}\r\n${plain}`)],
    ['another disposition', head('Content-Disposition: attachment; name="a"')],
    ['no name', head('Content-Disposition: form-data')],
    ['two names', head(`${plain}; name="b"`)],
    ['a name in another encoding', head("Content-Disposition: form-data; name*=UTF-8''model")],
    ['two names, one encoded', head(`${plain}; name*=UTF-8''model`)],
    ['a name with an escape', head('Content-Disposition: form-data; name="mod\\el"')],
    ['a name that does not end', head('Content-Disposition: form-data; name="a')],
    ['a form inside', head(`${plain}\r\nContent-Type: multipart/mixed; boundary=y`)],
    ['base64', head(`${plain}\r\nContent-Transfer-Encoding: base64`)],
    ['65 parts', written(Array.from({ length: 65 }, (_, index) => field(`f${index}`, '1')))],
  ])('%s', (_, body) => expect(refusal(body)).toStartWith('400 invalid_request'));

  test('one line end in front of the first boundary is dropped, and nothing else may stand there', () => {
    const whole = written([field('a', '1'), file('b', bytes('2'))]);
    const form = readForm(bytes(`\r\n${text(whole)}`), 'x');
    expect(fieldOf(form, 'a', 10)).toBe('1');
    expect(text(withField(form, 'a', '22'))).toBe(text(written([field('a', '22'), file('b', bytes('2'))])));
    expect(text(withField(form, 'model', 'm'))).toBe(
      text(written([field('model', 'm'), field('a', '1'), file('b', bytes('2'))])),
    );
    for (const front of ['\n', '\r', '\r\n\r\n', ' \r\n']) expect(refusal(`${front}${text(whole)}`)).toStartWith('400');
  });

  test('64 parts are taken, and so are a last line end, and a type of text', () => {
    expect(refusal(written(Array.from({ length: 64 }, (_, index) => field(`f${index}`, '1'))))).toBe('taken');
    expect(refusal(`${head(plain)}\r\n`)).toBe('taken');
    expect(refusal(head(`content-disposition:form-data;name=a\r\nContent-Type: text/plain; charset=UTF-8`), 'a')).toBe('taken');
  });
});

describe('a field that is read', () => {
  const a = field('a', '1');
  test.each([
    ['twice', written([a, a]), 'more than once'],
    ['a file', written([file('a', bytes('1'))]), 'not a file'],
    ['of a text type and a file', head(`${plain}; filename=""\r\nContent-Type: text/plain`), 'not a file'],
    ['in UTF-16', head(`${plain}\r\nContent-Type: text/plain; charset=utf-16`, 'vw'), 'charset'],
    ['in ISO-8859-1 and not ASCII', head(`${plain}\r\nContent-Type: text/plain; charset=ISO-8859-1`, '\xc3\xa9'), 'charset'],
    ['in a charset that is unknown', head(`${plain}\r\nContent-Type: text/plain; charset=ibm037`), 'charset'],
    ['in two charsets', head(`${plain}\r\nContent-Type: text/plain; charset=utf-8; charset="utf-16"`), 'charset'],
    ['too long', written([field('a', '12345678901')]), 'longer than'],
    ['not UTF-8', written([field('a', '\xff')]), 'not UTF-8'],
  ])('%s is refused by its name', (_, body, words) => {
    const refused = refusal(body, 'a');
    expect(refused).toStartWith('400 invalid_request a ');
    expect(refused).toContain(words);
  });

  test.each([
    'text/plain; charset=ISO-8859-1',
    'text/plain; charset="windows-1252"',
    'text/plain;charset=Shift_JIS',
    'text/plain; charset=ascii; format=flowed',
    'text/plain; charset=UTF8',
    'application/json',
    'application/json; charset=utf-8',
    'text/html',
    'application/octet-stream',
    'nonsense',
  ])('of type %p is a field', (type) => {
    const form = readForm(bytes(head(`${plain}\r\nContent-Type: ${type}`, 'acme/m-1')), 'x');
    expect(fieldOf(form, 'a', 10)).toBe('acme/m-1');
    expect(text(withField(form, 'a', 'up'))).toBe(head(`${plain}\r\nContent-Type: ${type}`, 'up'));
  });

  test('of another charset takes no new value that is not ASCII', () => {
    const form = readForm(bytes(head(`${plain}\r\nContent-Type: text/plain; charset=ISO-8859-1`)), 'x');
    expect(() => withField(form, 'a', 'é')).toThrow('charset');
  });

  test('that nobody asks for may stand twice', () => expect(refusal(written([a, a]), 'b')).toBe('taken'));

  test('a new value cannot end its part', () => {
    const form = readForm(written([field('model', 'm')]), 'x');
    for (const value of ['--x', 'a\r\n--x--', '--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nother'])
      expect(() => withField(form, 'model', value)).toThrow('boundary');
  });
});

describe('the boundary', () => {
  test.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data;BOUNDARY="a b"', 'a b'],
    ['multipart/form-data; charset=utf-8; boundary=----WebKitFormBoundaryx', '----WebKitFormBoundaryx'],
    ['multipart/form-data; boundary=a=b?', 'a=b?'],
    [`multipart/form-data; boundary=${'a'.repeat(70)}`, 'a'.repeat(70)],
  ])('%p', (type, boundary) => {
    expect(boundaryOf(type)).toBe(boundary);
    expect(boundaryOf(formContentType(boundary))).toBe(boundary);
  });

  test.each([
    '',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=""',
    'multipart/form-data; boundary="a',
    'multipart/form-data; boundary="a "',
    'multipart/form-data; boundary=a; boundary=b',
    'multipart/form-data; boundary=a; ;',
    'multipart/form-data; boundary=é',
    'multipart/form-data, text/plain; boundary=a',
    'multipart/mixed; boundary=a',
    'application/x-www-form-urlencoded; boundary=a',
    `multipart/form-data; boundary=${'a'.repeat(71)}`,
  ])('%p names none', (type) => expect(boundaryOf(type)).toBeNull());
});
