import { describe, expect, test } from 'bun:test';
import { answered, chunk, decodeText, done, fragment, outline, type Seen, stop } from './chat-parts.ts';

const calls = ({ answer }: Seen) =>
  answer.parts.flatMap((part) => (part.type === 'toolCall' ? [[part.id, part.name, part.arguments]] : []));

describe('tool calls', () => {
  const begin = (index: number, id: string, name: string, args = '') =>
    fragment(index, { name, arguments: args }, { id, type: 'function' });
  const more = (index: number, args: string) => fragment(index, { arguments: args });

  test('CLIProxyAPI#876, litellm#17246: text and calls both come, and a later `stop` does not undo them', () => {
    const seen = answered(
      chunk({ content: 'see' }) + begin(0, 'c', 'f', '{}') + chunk({}, 'tool_calls') + chunk({}, 'stop') + done,
    );
    expect(seen.answer.end.reason).toBe('toolCalls');
    expect(seen.answer.parts.map(({ type }) => type)).toEqual(['text', 'toolCall']);
    expect(answered(begin(0, 'c', 'f', '{}') + stop).answer.end.reason).toBe('toolCalls');
    expect(answered(begin(0, 'c', 'f', '{}') + chunk({}, 'odd') + done).answer.end).toMatchObject({
      reason: 'toolCalls',
      unknown: 'odd',
    });
  });

  test('CLIProxyAPI#425: reasoning before a call does not hide it', () => {
    const seen = answered(
      chunk({ reasoning_content: 'hm' }) + begin(0, 'c', 'f') + more(0, '{}') + chunk({}, 'tool_calls') + done,
    );
    expect(seen.answer.parts.map(({ type }) => type)).toEqual(['reasoning', 'toolCall']);
  });

  test('litellm#29491: arguments in the first chunk with the name', () => {
    expect(calls(answered(begin(0, 'c', 'f', '{"a":1}') + stop))).toEqual([['c', 'f', '{"a":1}']]);
  });

  test('agno#3826: indexes missing, ids and names repeated or absent', () => {
    const of = (...items: object[]) => items.map((item) => chunk({ tool_calls: [item] })).join('') + stop;
    const piece = (id: string | undefined, name: string | undefined, args: string) => ({
      ...(id === undefined ? {} : { id }),
      function: { ...(name === undefined ? {} : { name }), arguments: args },
    });
    const two = [
      ['a', 'f', '{"x":1}'],
      ['b', 'g', '{"y":2}'],
    ];
    const noIndex = of(
      piece('a', 'f', '{"x"'),
      piece(undefined, undefined, ':1}'),
      piece('b', 'g', '{"y":'),
      piece('', '', '2}'),
    );
    expect(calls(answered(noIndex))).toEqual(two);
    const repeated = of(piece('a', 'f', '{"x"'), piece('a', 'f', ':1}'), piece('b', 'g', '{"y":'), piece('b', 'g', '2}'));
    expect(calls(answered(repeated))).toEqual(two);
    const allZero = [begin(0, 'a', 'f', '{"x":1}'), begin(0, 'b', 'g', '{"y":'), more(0, '2}'), stop].join('');
    expect(calls(answered(allZero))).toEqual(two);
    const sameId = begin(0, 'a', 'f', '{}') + begin(1, 'a', 'g', '{}') + stop;
    expect(calls(answered(sameId))).toEqual([
      ['a', 'f', '{}'],
      ['a_2', 'g', '{}'],
    ]);
    const noIds = of(piece(undefined, 'f', '{}'), piece(undefined, 'g', '{}'));
    expect(calls(answered(noIds)).map(([id, name]) => [id, name])).toEqual([
      ['call_chatcmpl-7_0', 'f'],
      ['call_chatcmpl-7_1', 'g'],
    ]);
    const named = fragment(0, { name: 'get_' }, { id: 'a' }) + fragment(0, { name: 'weather' }) + more(0, '{}') + stop;
    expect(calls(answered(named))).toEqual([['a', 'get_weather', '{}']]);
    const late = fragment(0, { arguments: '{"x"' }, { id: 'a' }) + fragment(0, { name: 'f', arguments: ':1}' }) + stop;
    expect(calls(answered(late))).toEqual([['a', 'f', '{"x":1}']]);
  });

  test('arguments as an object, a call without any, the legacy form, a custom tool', () => {
    const object = chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: { x: [1] } } }] });
    expect(calls(answered(object + stop))).toEqual([['a', 'f', '{"x":[1]}']]);
    expect(calls(answered(begin(0, 'a', 'f') + begin(1, 'b', 'g') + stop))).toEqual([
      ['a', 'f', ''],
      ['b', 'g', ''],
    ]);
    const legacy = chunk({ function_call: { name: 'f', arguments: '{"x"' } }) + chunk({ function_call: { arguments: ':1}' } });
    expect(answered(legacy + chunk({}, 'function_call') + done).answer).toMatchObject({
      parts: [{ name: 'f', arguments: '{"x":1}' }],
      end: { reason: 'toolCalls' },
    });
    const custom = chunk({ tool_calls: [{ index: 0, id: 'a', type: 'custom', custom: { name: 'sh', input: 'ls' } }] });
    const customMore = chunk({ tool_calls: [{ index: 0, custom: { input: ' -l' } }] });
    expect(answered(custom + customMore + stop).answer.parts).toEqual([
      { type: 'toolCall', id: 'a', name: 'sh', kind: 'custom', arguments: 'ls -l' },
    ]);
  });

  test('CLIProxyAPI#1579: an empty call is none; arguments without a name are a fault', () => {
    const empty = chunk({ content: 'a', tool_calls: [{ index: 0, id: 'x', type: 'function', function: { arguments: '' } }] });
    expect(answered(empty + stop).answer).toMatchObject({ parts: [{ type: 'text' }], end: { reason: 'stop' } });
    expect(decodeText(more(0, '{"x":1}') + stop)).toMatchObject({ fault: 'malformed_event', ended: false });
  });

  test('a call ends when another begins and its arguments are complete, else its end waits', () => {
    const complete = answered(begin(0, 'a', 'f', '{"s":"}\\"') + more(0, '"}') + begin(1, 'b', 'g', '{}') + stop);
    expect(outline(complete.steps)).toEqual(['partBegin 0', 'partEnd 0', 'partBegin 1', 'partEnd 1']);
    const interleaved = answered(
      begin(0, 'a', 'f', '{"s":"}') + begin(1, 'b', 'g', '{"y":') + more(0, '"}') + more(1, '2}') + stop,
    );
    expect(outline(interleaved.steps)).toEqual(['partBegin 0', 'partBegin 1', 'partEnd 0', 'partEnd 1']);
    expect(calls(interleaved)).toEqual([
      ['a', 'f', '{"s":"}"}'],
      ['b', 'g', '{"y":2}'],
    ]);
  });

  test('a delta of a call that has ended is a fault, unless it is blank', () => {
    const two = begin(0, 'a', 'f', '{}') + begin(1, 'b', 'g', '{}');
    expect(calls(answered(two + more(0, ' ') + more(0, '') + stop))).toHaveLength(2);
    expect(decodeText(two + more(0, '{"again":1}') + stop)).toMatchObject({ fault: 'malformed_event', ended: false });
  });

  test('D10: a limit inside a call stays a limit, its arguments as far as they came', () => {
    const half = begin(0, 'a', 'f') + more(0, '{"file":"a",') + more(0, '"content":"half');
    const seen = answered(half + chunk({}, 'length') + done);
    expect(seen.answer.end.reason).toBe('length');
    expect(calls(seen)).toEqual([['a', 'f', '{"file":"a","content":"half']]);
  });
});
