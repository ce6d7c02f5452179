/** Histories on their way to Google: order, calls and their results, signatures, media. */
import { describe, expect, test } from 'bun:test';
import type { Part } from '../../../src/core/conversation.ts';
import { assistant, call, failed, image, refusalOf, result, sent, system, text, thought, user } from './conversations.ts';

const bypass = 'skip_thought_signature_validator';
const signed = (signature: string, words = ''): Part => ({ type: 'reasoning', text: words, signature });
const withSource = (source: object, kind = 'image'): Part =>
  ({ type: 'media', kind, source: { mime: null, detail: null, ...source }, name: null, field: 'messages.0.content.0' }) as Part;

describe('turns', () => {
  test('keep their order and their roles; empty texts are left out', () => {
    const { contents } = sent({ turns: [user('a', ''), assistant('b'), user(''), user('c')] });
    expect(contents).toEqual([
      { role: 'user', parts: [{ text: 'a' }] },
      { role: 'model', parts: [{ text: 'b' }] },
      { role: 'user', parts: [{ text: 'c' }] },
    ]);
  });

  test('begin with the user’s, also where the conversation begins with the assistant’s', () => {
    const { contents } = sent({ turns: [assistant('hi'), user('a')] });
    expect(contents.map(({ role }) => role)).toEqual(['user', 'model', 'user']);
  });

  test('with nothing in them are refused', () => {
    expect(refusalOf(() => sent({ turns: [user('')] })).facts.param).toBe('messages');
  });

  test('D08: instructions in the middle stay in their place, as a marked text behind the results', () => {
    const turns = [user('a'), assistant(call('c')), user(result('c', 'r')), system('Be brief.'), user('b')];
    const { contents, body } = sent({ system: [text('S')], turns });
    expect(body['systemInstruction']).toEqual({ parts: [{ text: 'S' }] });
    expect(contents.slice(2)).toEqual([
      { role: 'user', parts: [{ functionResponse: { id: 'c', name: 'f', response: { output: 'r' } } }] },
      { role: 'user', parts: [{ text: '<system>\nBe brief.\n</system>' }, { text: 'b' }] },
    ]);
  });

  test('D08: a turn more leaves the bytes before it as they were', () => {
    const turns = [user('a'), assistant(call('c')), user(result('c', 'r')), system('N1')];
    const before = sent({ system: [text('S')], turns }).text;
    const after = sent({ system: [text('S')], turns: [...turns, assistant('ok'), system('N2')] }).text;
    expect(after.startsWith(before.slice(0, -2))).toBe(true);
  });

  test('have no lone surrogates: Google refuses them', () => {
    expect(sent({ turns: [user('a\ud800b')] }).contents[0]?.parts).toEqual([{ text: 'a\ufffdb' }]);
    const { contents } = sent({ turns: [user('a'), assistant(call('c', '{"x":"\\ud800"}')), user('b')] });
    expect(contents[1]?.parts[0]).toMatchObject({ functionCall: { args: { x: '\ufffd' } } });
  });
});

describe('calls and results', () => {
  test('of one answer stand together, in the order of the calls, whatever order they came in', () => {
    const turns = [
      user('a'),
      assistant(call('1', '{"x":1}'), call('2', '{}', 'g')),
      user(result('2', 'two'), result('1', 'one')),
    ];
    const { contents } = sent({ turns });
    expect(contents[1]?.parts).toMatchObject([
      { functionCall: { id: '1', name: 'f', args: { x: 1 } } },
      { functionCall: { id: '2', name: 'g', args: {} } },
    ]);
    expect(contents[2]?.parts).toEqual([
      { functionResponse: { id: '1', name: 'f', response: { output: 'one' } } },
      { functionResponse: { id: '2', name: 'g', response: { output: 'two' } } },
    ]);
  });

  test('that failed say so; a call without a result gets one that says it is missing', () => {
    const { contents } = sent({ turns: [user('a'), assistant(call('1'), call('2')), user(failed('1', 'boom'))] });
    expect(contents[2]?.parts).toMatchObject([
      { functionResponse: { response: { error: 'boom' } } },
      { functionResponse: { response: { error: expect.stringContaining('no result') } } },
    ]);
  });

  test('without a call become texts of the user', () => {
    const { contents } = sent({ turns: [user('a', result('gone', 'r'))] });
    expect(JSON.stringify(contents)).not.toContain('functionResponse');
    expect(JSON.stringify(contents)).toContain('id gone');
  });

  test('keep integers above 2^53 and the text of numbers', () => {
    const args = '{"id":12345678901234567890,"x":1.0}';
    expect(sent({ turns: [user('a'), assistant(call('c', args))] }).text).toContain(`"args":${args}`);
  });

  test('that were cut by the length limit are no empty call', () => {
    const { contents } = sent({ turns: [user('a'), assistant(call('c', '{"file":"a'))] });
    expect(contents[1]?.parts[0]).toMatchObject({ functionCall: { args: { unparsed_arguments: '{"file":"a' } } });
  });

  test('D01: ids over Google’s form are fitted, pair by pair, the same in every turn', () => {
    const ids = ['functions.Bash:0', 'functions_Bash_0', 'a.b', 'a:b', 'x'.repeat(86)];
    const turns = [user('a'), assistant(...ids.map((id) => call(id))), user(...ids.map((id) => result(id, id)))];
    const { contents, text: body } = sent({ turns });
    const called = contents[1]?.parts.map((part) => (part['functionCall'] as { id: string }).id) ?? [];
    const answered = contents[2]?.parts.map((part) => (part['functionResponse'] as { id: string }).id);
    expect(answered).toEqual(called);
    expect(new Set(called).size).toBe(ids.length);
    for (const id of called) expect(id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(called[1]).toBe('functions_Bash_0');
    expect(sent({ turns }).text).toBe(body);
  });

  test('of Gemini before 3 have no ids: its API finds results by name and place', () => {
    const turns = [user('a'), assistant(call('1'), call('2')), user(result('2', 'two'), result('1', 'one'))];
    const { contents } = sent({ turns }, { plainCalls: true });
    expect(contents[1]?.parts).toEqual([{ functionCall: { name: 'f', args: {} } }, { functionCall: { name: 'f', args: {} } }]);
    expect(contents[2]?.parts).toMatchObject([
      { functionResponse: { name: 'f', response: { output: 'one' } } },
      { functionResponse: { name: 'f', response: { output: 'two' } } },
    ]);
  });
});

describe('litellm#16893: thought signatures', () => {
  test('stand on the call that they led to; of parallel calls the first one alone has one', () => {
    const { contents, reasoningLost } = sent({
      turns: [user('a'), assistant(signed('c2ln'), call('1'), call('2')), user(result('1'))],
    });
    expect(contents[1]?.parts).toMatchObject([{ thoughtSignature: 'c2ln' }, {}]);
    expect(contents[1]?.parts[1]).not.toHaveProperty('thoughtSignature');
    expect(reasoningLost).toBe(false);
  });

  test('are held with the thought that Google showed', () => {
    const { contents } = sent({ turns: [user('a'), assistant(signed('c2ln', 'I think.'), call('1')), user(result('1'))] });
    expect(contents[1]?.parts).toMatchObject([{ text: 'I think.', thought: true }, { thoughtSignature: 'c2ln' }]);
  });

  test('of a text stand on the text, in front of it or behind it', () => {
    for (const turn of [assistant('words', signed('text.c2ln')), assistant(signed('text.c2ln'), 'words')])
      expect(sent({ turns: [user('a'), turn] }).contents[1]?.parts).toEqual([{ text: 'words', thoughtSignature: 'c2ln' }]);
    expect(sent({ turns: [user('a'), assistant(signed('text.c2ln'))] }).contents[1]?.parts).toEqual([
      { text: '', thoughtSignature: 'c2ln' },
    ]);
  });

  test('of sequential calls stand on each', () => {
    const turns = [
      user('a'),
      assistant(signed('YQ'), call('1')),
      user(result('1')),
      assistant(signed('Yg'), call('2')),
      user(result('2')),
    ];
    const marks = sent({ turns }).contents.flatMap(({ parts }) => parts.map((part) => part['thoughtSignature']));
    expect(marks.filter((each) => each !== undefined)).toEqual(['YQ', 'Yg']);
  });

  test('that are gone are replaced by the vendor’s own value, and it is said', () => {
    const turns = [user('a'), assistant(call('1'), call('2')), user(result('1'), result('2'))];
    const lost = sent({ turns, reasoning: { effort: 'low', budget: null, summary: null } });
    expect(lost.contents[1]?.parts.map((part) => part['thoughtSignature'])).toEqual([bypass, undefined]);
    expect(lost.reasoningLost).toBe(true);
    // A client that did not ask for reasoning misses none.
    expect(sent({ turns }).reasoningLost).toBe(false);
  });

  test('are asked of the turn that is going on alone', () => {
    const turns = [user('a'), assistant(call('1')), user(result('1')), assistant('done'), user('next')];
    expect(sent({ turns }).reasoningLost).toBe(false);
  });

  test('are not asked for by Gemini before 3', () => {
    const { contents, reasoningLost } = sent(
      { turns: [user('a'), assistant(call('1')), user(result('1'))] },
      { plainCalls: true },
    );
    expect(JSON.stringify(contents)).not.toContain('thoughtSignature');
    expect(reasoningLost).toBe(false);
  });

  test('of nobody: the reasoning is left out and named', () => {
    const { contents, dropped } = sent({ turns: [user('a'), assistant(thought(), 'b')] });
    expect(contents[1]?.parts).toEqual([{ text: 'b' }]);
    expect(dropped).toEqual(['reasoning']);
  });
});

describe('media', () => {
  test('go as bytes, or as the address that Google fetches', () => {
    const turns = [
      user(
        withSource({ data: 'AAAA', mime: 'image/jpg' }),
        withSource({ url: 'https://example.com/a.webp?x=1' }),
        withSource({ url: 'gs://b/doc', mime: 'application/pdf' }, 'document'),
        withSource({ text: 'häh' }, 'document'),
      ),
    ];
    expect(sent({ turns }).contents[0]?.parts).toEqual([
      { inlineData: { mimeType: 'image/jpeg', data: 'AAAA' } },
      { fileData: { mimeType: 'image/webp', fileUri: 'https://example.com/a.webp?x=1' } },
      { fileData: { mimeType: 'application/pdf', fileUri: 'gs://b/doc' } },
      { inlineData: { mimeType: 'text/plain', data: Buffer.from('häh').toString('base64') } },
    ]);
  });

  test('at an address that Google does not fetch are refused by the field', () => {
    for (const url of ['http://example.com/a.png', 'file:///etc/passwd', 'ftp://x'])
      expect(refusalOf(() => sent({ turns: [user(withSource({ url }))] })).facts.param).toBe('messages.0.content.0');
  });

  const history = [
    user('a'),
    assistant(call('1', '{}', 'shot'), call('2', '{}', 'g')),
    user(result('1', 'see', image), result('2', 'plain')),
  ];

  test('D02: an image of a result stands inside of it, once', () => {
    const { contents, text: body } = sent({ turns: history });
    expect(contents[2]?.parts).toEqual([
      {
        functionResponse: {
          id: '1',
          name: 'shot',
          response: { output: 'see' },
          parts: [{ inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }],
        },
      },
      { functionResponse: { id: '2', name: 'g', response: { output: 'plain' } } },
    ]);
    expect(body.split('iVBORw0KGgo=').length).toBe(2);
  });

  test('D02: for Gemini before 3 it follows behind all results of the turn', () => {
    const { contents, text: body } = sent({ turns: history }, { plainCalls: true });
    expect(contents[2]?.parts.map((part) => Object.keys(part))).toEqual([['functionResponse'], ['functionResponse']]);
    expect(contents[3]).toEqual({
      role: 'user',
      parts: [{ text: 'Of the result of shot:' }, { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }],
    });
    expect(body.split('iVBORw0KGgo=').length).toBe(2);
  });

  test('D02: a result of an image alone says where it is', () => {
    const { contents } = sent({ turns: [user('a'), assistant(call('1')), user(result('1', image))] });
    expect(contents[2]?.parts[0]).toMatchObject({ functionResponse: { response: { output: 'The result is attached.' } } });
  });
});

test('blocks that only another protocol knows are refused by name', () => {
  const foreign: Part = { type: 'opaque', protocol: 'x', name: 'n', value: {}, field: 'messages.0.content.1' };
  expect(refusalOf(() => sent({ turns: [user('a', foreign)] })).facts.param).toBe('messages.0.content.1');
});
