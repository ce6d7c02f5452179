import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { ProviderQuirks } from '../../../src/core/providers.ts';
import {
  encodeChat,
  encodeCompletion,
  encodeModel,
  type RequestFields,
} from '../../../src/protocols/openai-completions/request.ts';
import { checkEmbeddingInput } from '../../../src/protocols/openai-completions/routes.ts';

type Fields = Record<string, unknown>;

const encode = (text: string, model = 'up/stream "id" é', quirks: ProviderQuirks = {}) =>
  encodeChat(text, JSON.parse(text) as RequestFields, model, quirks);

/** What the upstream is to read: the request with the model replaced, and usage asked for in a stream. */
function wanted(text: string, model: string): Fields {
  const request = JSON.parse(text) as Fields;
  const options = request['stream_options'] as Fields | null | undefined;
  const stream = request['stream'] === true ? { stream_options: { ...options, include_usage: true } } : {};
  return { ...request, ...stream, model };
}

const space = fc.constantFrom('', '', ' ', '\n', '\t', '\r\n  ');
const escaped = (text: string) => text.replace(/./g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
const modelName = fc.oneof(
  fc.constantFrom('gpt-5', 'openai/gpt-5', 'a"b\\c', 'é😀', 'model', '"model"', '', 'a/b'),
  fc.string({ unit: 'grapheme', maxLength: 10 }),
);
const value = fc.oneof(
  fc.jsonValue({ depthSize: 'small' }).map((json) => JSON.stringify(json)),
  fc.constantFrom(
    ...['"model"', '"say \\"model\\": x"', '{"model":"inner"}', '[{"model":1},"model"]', '{"a":{"model":["model"]}}'],
    ...['"\\\\"', '"\\\\\\""', '"{"', '"}]"', '1.50', '-1.0', '1E2', '"\\ud83d\\ude00"', '"\\ud83d"', '"a\\/b"'],
  ),
);
const otherKey = fc.constantFrom(
  ...['"messages"', '"temperature"', '"metadata"', '"x"', '"__proto__"', '"Model"', '"model "', '"my\\"model"', '"\\\\"', '""'],
);
const member = fc.tuple(otherKey, space, space, value).map(([name, a, b, json]) => `${name}${a}:${b}${json}`);

/** A model written in one of the ways that JSON allows: escaped, or said twice. */
const modelMember = fc
  .tuple(modelName, fc.constantFrom('plain', 'plain', 'plain', 'escaped key', 'escaped letter', 'escaped value'), space, space)
  .map(([name, way, a, b]) => {
    const key = way === 'escaped key' ? `"${escaped('model')}"` : way === 'escaped letter' ? '"mod\\u0065l"' : '"model"';
    const json = way === 'escaped value' && /^[\x20-\x7e]+$/.test(name) ? `"${escaped(name)}"` : JSON.stringify(name);
    return `${key}${a}:${b}${json}`;
  });
const streamMembers = fc.constantFrom(
  ...[[], [], ['"stream":true'], ['"stream":true'], ['"stream": false'], ['"stream":null']],
  ...[
    ['"stream":true', '"stream_options":{"include_usage":true}'],
    ['"stream":true', '"stream_options":{"include_usage":false}'],
  ],
  ...[
    ['"stream":true', '"stream_options":null'],
    ['"stream":true', '"stream_options":{"x":1}'],
  ],
  ['"stream":true', '"str\\u0065am_options":{"include_usage":true}'],
);

interface Written {
  readonly before: readonly string[];
  readonly models: readonly string[];
  readonly after: readonly string[];
  readonly stream: readonly string[];
  readonly streamFirst: boolean;
  readonly gap: string;
}

const text = fc
  .record<Written>({
    before: fc.array(member, { maxLength: 3 }),
    models: fc.array(modelMember, { minLength: 0, maxLength: 2 }),
    after: fc.array(member, { maxLength: 3 }),
    stream: streamMembers,
    streamFirst: fc.boolean(),
    gap: space,
  })
  .map(({ before, models, after, stream, streamFirst, gap }) => {
    const middle = [...before, ...models, ...after];
    const all = streamFirst ? [...stream, ...middle] : [...middle, ...stream];
    return `${gap}{${gap}${all.join(`${gap},${gap}`)}${gap}}${gap}`;
  });

describe('the body that goes on', () => {
  test('says what the client said, but for the model and the wish for usage, however it is written', () => {
    fc.assert(
      fc.property(text, modelName, (body, model) => {
        expect(JSON.parse(encode(body, model).text)).toEqual(wanted(body, model));
      }),
      { numRuns: 1500 },
    );
  });

  const spliced: readonly [name: string, given: string, expected: string][] = [
    ['model first', '{"model":"a/b","messages":[ {"role":"user"} ]}', '{"model":"M","messages":[ {"role":"user"} ]}'],
    ['model last', '{"messages":[ {"role":"user"} ],"model":"a/b"}', '{"messages":[ {"role":"user"} ],"model":"M"}'],
    ['model in the middle', '{"n":1.50, "model" : "a/b" , "x":{} }', '{"n":1.50, "model" : "M" , "x":{} }'],
    [
      'a stream',
      '{"model":"a/b","stream":true,"x":1e2}',
      '{"stream_options":{"include_usage":true},"model":"M","stream":true,"x":1e2}',
    ],
    ['numbers that no number can hold', '{"model":"a","seed":12345678901234567890}', '{"model":"M","seed":12345678901234567890}'],
  ];
  for (const [name, given, expected] of spliced) {
    test(`is the client's own text with the model cut in: ${name}`, () => expect(encode(given, 'M').text).toBe(expected));
  }

  test('does not take a model that is not the top one for it', () => {
    const table = [
      '{"metadata":{"model":"x"},"model":"x"}',
      '{"model":"x","tools":[{"model":"x"}]}',
      '{"messages":["model"],"model":"x"}',
      '{"x":"model","model":"x"}',
      '{"my\\"model":"x","model":"x"}',
      '{"x":"\\\\","model":"x"}',
      '{"x":"{[","model":"x"}',
    ];
    for (const body of table) expect(JSON.parse(encode(body, 'M').text)).toEqual({ ...(JSON.parse(body) as Fields), model: 'M' });
  });

  test('names one model where the client named two, one of them escaped', () => {
    for (const body of ['{"model":"x","mod\\u0065l":"x"}', '{"mod\\u0065l":"x","model":"x"}', '{"model":"x","model":"y"}']) {
      expect(JSON.parse(encode(body, 'M').text)).toEqual({ model: 'M' });
    }
  });

  test('does not mind how the model is spelled', () => {
    for (const name of ['"a\\/b"', '"\\u0070lain"', '"\\ud83d\\ude00"', '"\\u002f\\"x"', '"a\\u002Fb"']) {
      const body = `{"x":1,"model":${name},"y":2}`;
      expect(JSON.parse(encode(body, 'M').text)).toEqual({ x: 1, model: 'M', y: 2 });
    }
  });

  test('has a model even where the client named none', () => {
    for (const body of ['{"messages":[]}', '{"model":null,"messages":[]}', '{"model":"","messages":[]}']) {
      expect(JSON.parse(encode(body, 'M').text)).toEqual({ model: 'M', messages: [] });
    }
  });

  test('of megabytes is not written anew, and is right', () => {
    const content = 'Grüße "quoted" \\ \n\u2028 😀 '.repeat(60_000);
    const body = JSON.stringify({ messages: [{ role: 'user', content }], model: 'a/b', stream: true });
    const encoded = encode(body, 'M').text;
    expect(encoded).toBe(`{"stream_options":{"include_usage":true},${body.slice(1).replace('"model":"a/b"', '"model":"M"')}`);
  });
});

describe('usage in a stream', () => {
  test('is asked for in any case, and given to the client only when it asked', () => {
    const asked = encode('{"model":"a","stream":true,"stream_options":{"include_usage":true,"x":1}}');
    expect(asked.usageAsked).toBe(true);
    expect(JSON.parse(asked.text)).toMatchObject({ stream_options: { include_usage: true, x: 1 } });
    for (const options of ['', ',"stream_options":null', ',"stream_options":{}', ',"stream_options":{"include_usage":false}']) {
      const { text, usageAsked } = encode(`{"model":"a","stream":true${options}}`);
      expect(usageAsked).toBe(false);
      expect(JSON.parse(text)).toMatchObject({ stream_options: { include_usage: true } });
    }
  });

  test('is not asked for where there is no stream', () => {
    for (const stream of ['false', 'null']) {
      expect(JSON.parse(encode(`{"model":"a","stream":${stream}}`).text)).not.toHaveProperty('stream_options');
    }
  });
});

describe('quirks', () => {
  test('noStreamUsage: stream_options do not go on, whether the client sent them or not', () => {
    const quirks: ProviderQuirks = { noStreamUsage: true };
    for (const options of ['', ',"stream_options":{"include_usage":true}', ',"stream_options":null']) {
      const body = encode(`{"model":"a","stream":true${options},"x":1}`, 'M', quirks).text;
      expect(JSON.parse(body)).toEqual({ model: 'M', stream: true, x: 1 });
    }
  });

  test('maxTokensOnly: max_completion_tokens is said as max_tokens', () => {
    const quirks: ProviderQuirks = { maxTokensOnly: true };
    expect(JSON.parse(encode('{"model":"a","max_completion_tokens":5}', 'M', quirks).text)).toEqual({
      model: 'M',
      max_tokens: 5,
    });
    expect(JSON.parse(encode('{"model":"a","max_tokens":5}', 'M', quirks).text)).toEqual({ model: 'M', max_tokens: 5 });
    expect(JSON.parse(encode('{"model":"a"}', 'M', quirks).text)).toEqual({ model: 'M' });
  });

  test('together, with usage asked for where it may be', () => {
    const body = '{"model":"a","stream":true,"max_completion_tokens":5,"stream_options":{"x":1}}';
    expect(JSON.parse(encode(body, 'M', { maxTokensOnly: true }).text)).toEqual({
      model: 'M',
      stream: true,
      max_tokens: 5,
      stream_options: { x: 1, include_usage: true },
    });
    expect(JSON.parse(encode(body, 'M', { maxTokensOnly: true, noStreamUsage: true }).text)).toEqual({
      model: 'M',
      stream: true,
      max_tokens: 5,
    });
  });

  test('none: nothing is renamed or dropped', () => {
    const body = '{"model":"M","max_completion_tokens":5,"store":true,"reasoning_effort":"low"}';
    expect(encode(body, 'M').text).toBe(body);
  });
});

describe('a legacy completion', () => {
  const completion = (text: string, quirks: ProviderQuirks = {}) =>
    encodeCompletion(text, JSON.parse(text) as RequestFields, 'up', quirks);

  test('asks for usage in a stream, once, and says whether the client did', () => {
    expect(completion('{"prompt":"x","model":"a/b","stream":true}')).toEqual({
      text: '{"stream_options":{"include_usage":true},"prompt":"x","model":"up","stream":true}',
      usageAsked: false,
      usageAdded: true,
    });
    expect(completion('{"model":"a/b","stream":true,"stream_options":{"include_usage":false,"x":1}}')).toEqual({
      text: '{"model":"up","stream":true,"stream_options":{"include_usage":true,"x":1}}',
      usageAsked: false,
      usageAdded: true,
    });
    const asked = '{"model":"up","stream":true,"stream_options":{"include_usage":true}}';
    expect(completion(asked)).toEqual({ text: asked, usageAsked: true, usageAdded: false });
    expect(completion('{"model":"a/b","stream":false,"seed":12345678901234567890}').text).toBe(
      '{"model":"up","stream":false,"seed":12345678901234567890}',
    );
  });

  test('where the vendor refuses stream_options none go, and of the other quirks none counts', () => {
    const quirks: ProviderQuirks = { noStreamUsage: true, maxTokensOnly: true, noStore: true, noDeveloperRole: true };
    expect(completion('{"model":"a/b","stream":true,"stream_options":{"include_usage":true},"store":true}', quirks).text).toBe(
      '{"model":"up","stream":true,"store":true}',
    );
    expect(completion('{"model":"a/b","stream":true}', quirks).text).toBe('{"model":"up","stream":true}');
  });
});

test('all else has its model replaced, put in when it is not there, and nothing else changed', () => {
  const model = (text: string) => encodeModel(text, JSON.parse(text) as RequestFields, 'up');
  expect(model('{"a":{"model":1.0},"model" : "a/b","stream":true}').text).toBe(
    '{"a":{"model":1.0},"model" : "up","stream":true}',
  );
  expect(model('{"n":1.0}').text).toBe('{"model":"up","n":1.0}');
  expect(model('{"model":null}').text).toBe('{"model":"up"}');
  expect(model('{"mod\\u0065l":"a","model":"b"}').text).toBe('{"mod\\u0065l":"up","model":"up"}');
});

test('any words and any tokens are an input of embeddings; one empty or odd item among them makes it none', () => {
  const words = fc.array(fc.string({ minLength: 1 }), { minLength: 1 });
  const tokens = fc.array(fc.nat(), { minLength: 1 });
  const good = fc.oneof(fc.string({ minLength: 1 }), words, tokens, fc.array(tokens, { minLength: 1 }));
  fc.assert(fc.property(good, (input) => expect(() => checkEmbeddingInput(input)).not.toThrow()));
  const lists = fc.oneof<fc.Arbitrary<unknown[]>[]>(words, tokens, fc.array(tokens, { minLength: 1 }));
  const odd = fc.constantFrom('', [], null, true, 1.5, -1, {}, [1.5], [[1]], Number.NaN);
  fc.assert(
    fc.property(lists, odd, fc.nat(), (list, item, at) => {
      const place = at % (list.length + 1);
      const broken = [...list.slice(0, place), item, ...list.slice(place)];
      expect(() => checkEmbeddingInput(broken)).toThrow("'input' must be");
    }),
  );
});
