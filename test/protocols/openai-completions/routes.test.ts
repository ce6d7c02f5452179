import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { OlaError } from '../../../src/core/errors.ts';
import { clientRoutes } from '../../../src/protocols/openai-completions/routes.ts';

const chat = clientRoutes.find(({ path }) => path === '/v1/chat/completions');

/** `taken`, or the status and the field of the refusal. */
function verdict(text: string): string {
  try {
    chat?.peek({ text, fields: JSON.parse(text) as Record<string, unknown> }, {});
    return 'taken';
  } catch (error) {
    if (error instanceof OlaError) return `${error.status} ${error.facts.param}`;
    throw error;
  }
}

const read = ['model', 'messages', 'input', 'stream', 'stream_options', 'stream_format', 'n', 'encoding_format'];
const names = [...read, 'max_tokens', 'max_completion_tokens', 'store', 'reasoning_effort'];
const escapedAt = (name: string, at: number) => {
  const hex = name.charCodeAt(at).toString(16).padStart(4, '0');
  return `${name.slice(0, at)}\\u${hex}${name.slice(at + 1)}`;
};

describe('a second spelling of a field that ola reads', () => {
  test.each(names)('%s: twice, with escapes, with white space, in another case', (name) => {
    expect(verdict(`{"x":1,"${name}":1}`)).toBe('taken');
    expect(verdict(`{"${name}":1,"x":"y","${name}":1}`)).toBe(`400 ${name}`);
    for (const space of [' ', '\n', '\t', '\r\n  ']) {
      expect(verdict(`{"${name}":1,"x":2,"${name}"${space}:1}`)).toBe(`400 ${name}`);
      expect(verdict(`{"${name}"${space}:1,"x":2,"${name}"${space}:1}`)).toBe(`400 ${name}`);
    }
    for (let at = 0; at < name.length; at++) {
      expect(verdict(`{"${name}":1,"${escapedAt(name, at)}":1}`)).toBe(`400 ${name}`);
      expect(verdict(`{"${escapedAt(name, at)}":1,"${escapedAt(name, at)}":1}`)).toBe(`400 ${name}`);
      expect(verdict(`{"${escapedAt(name, at)}":1}`)).toBe('taken');
    }
    const other = name[0]?.toUpperCase() + name.slice(1);
    expect(verdict(`{"${name}":1,"${other}":1}`)).toBe(`400 ${other}`);
    expect(verdict(`{"${other}":1}`)).toBe(`400 ${other}`);
    expect(verdict(`{"\\u${name[0]?.toUpperCase().charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}":1}`)).toBe(
      `400 ${other}`,
    );
  });

  test('is one in the letters that other readers fold too', () => {
    for (const other of ['\u017ftream', 'max_to\u212aens', 'STREAM', 'mODEL', 'me\u017f\u017fages']) {
      expect(verdict(`{"${other}":1}`)).toBe(`400 ${other}`);
    }
    for (const other of [
      'model ',
      ' model',
      'models',
      'mod\u0435l',
      'm\u00f6del',
      'temperature',
      'Temperature',
      '__proto__',
      '',
    ]) {
      expect(verdict(`{"model":"m","${other}":1}`)).toBe('taken');
    }
  });

  test('is none inside messages, tools and texts', () => {
    const message = { role: 'user', model: 'x', content: '"model": "y", \\u006d "stream":true,', stream: 1, Model: 'z' };
    const tools = [{ parameters: { properties: { model: {}, messages: {}, stream: {}, n: {}, input: {} } } }];
    const body = { model: 'm', stream: true, n: 1, max_tokens: 5, messages: [message, message], tools, metadata: { model: 'x' } };
    for (const gap of [undefined, 1]) expect(verdict(JSON.stringify(body, null, gap))).toBe('taken');
  });

  test('is found wherever it stands, and nothing else is', () => {
    const key = fc.constantFrom(...names, 'temperature', 'user', 'x');
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom('model', '"model":', 'ends in model', ': "stream" :'));
    const space = fc.constantFrom('', '', ' ', '\n');
    const member = fc.tuple(key, space, value, fc.nat(30), fc.boolean());
    fc.assert(
      fc.property(fc.array(member, { maxLength: 6 }), (members) => {
        const text = `{${members
          .map(
            ([name, gap, inner, at, spelled]) =>
              `"${spelled ? escapedAt(name, at % name.length) : name}"${gap}:${JSON.stringify(inner)}`,
          )
          .join(', ')}}`;
        const twice = names.some((name) => members.filter(([each]) => each === name).length > 1);
        expect(verdict(text) === 'taken').toBe(!twice);
      }),
    );
  });
});
