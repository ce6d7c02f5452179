/** Whole answers, from Anthropic and for its clients. */
import { describe, expect, test } from 'bun:test';
import type { Answer, AnswerEnd, EndReason, Part } from '../../../src/core/conversation.ts';
import { noTokenCounts, type TokenCounts } from '../../../src/core/usage.ts';
import { decodeAnswer } from '../../../src/protocols/anthropic-messages/decode-answer.ts';
import { encodeAnswer } from '../../../src/protocols/anthropic-messages/encode-answer.ts';
import { call, image, text, thought } from './conversations.ts';
import { type Fields, making } from './fixtures.ts';

const message = (rest: Fields) =>
  JSON.stringify({ id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: 'end_turn', ...rest });

function read(rest: Fields): Answer {
  const answer = decodeAnswer(message(rest));
  if ('kind' in answer) throw new Error(answer.message ?? answer.kind);
  return answer;
}

const stopped: AnswerEnd = { reason: 'stop', sequence: null, unknown: null };

function written(parts: readonly Part[], rest: Partial<Answer> = {}): Fields {
  const answer: Answer = { id: null, model: null, parts, tokens: noTokenCounts, end: stopped, ...rest };
  return JSON.parse(encodeAnswer(answer, making)) as Fields;
}

describe('stop reasons', () => {
  const read2 = (reason: string | null) =>
    read({ stop_reason: reason, stop_sequence: reason === 'stop_sequence' ? 'END' : null }).end;
  const rows: readonly [string, EndReason][] = [
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'toolCalls'],
    ['refusal', 'refusal'],
    ['sensitive', 'contentFilter'],
    ['pause_turn', 'pause'],
  ];
  for (const [word, reason] of rows) {
    test(`${word} is ${reason}`, () =>
      expect(read2(word)).toEqual({ reason, sequence: word === 'stop_sequence' ? 'END' : null, unknown: null }));
  }

  test('an unknown one ends the answer and is told', () => {
    expect(read2('compaction')).toEqual({ reason: 'stop', sequence: null, unknown: 'compaction' });
    expect(read2('toString').unknown).toBe('toString');
    expect(read2(null)).toEqual(stopped);
  });

  test('each end has a word for clients', () => {
    const word = (reason: EndReason, sequence: string | null = null) =>
      written([text('a')], { end: { reason, sequence, unknown: null } })['stop_reason'];
    const reasons = ['stop', 'length', 'toolCalls', 'contentFilter', 'refusal', 'pause'] as const;
    expect(reasons.map((reason) => word(reason))).toEqual([
      'end_turn',
      'max_tokens',
      'tool_use',
      'refusal',
      'refusal',
      'pause_turn',
    ]);
    expect(word('stop', 'END')).toBe('stop_sequence');
  });
});

describe('litellm#25517: tokens of the cache', () => {
  test('count once in the prompt, and apart', () => {
    const usage = {
      input_tokens: 21,
      cache_creation_input_tokens: 188_086,
      cache_read_input_tokens: 300,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 187_986 },
      output_tokens: 393,
      output_tokens_details: { thinking_tokens: 200 },
    };
    const tokens: TokenCounts = {
      prompt: 188_407,
      completion: 393,
      cacheRead: 300,
      cacheWrite: 188_086,
      cacheWriteHour: 187_986,
      reasoning: 200,
    };
    expect(read({ usage }).tokens).toEqual(tokens);
    expect(written([], { tokens })['usage']).toEqual(usage);
  });

  test('are unknown where nothing is told, and 0 for clients, which expect a number', () => {
    expect(read({}).tokens).toEqual(noTokenCounts);
    expect(read({ usage: { input_tokens: 5, output_tokens: 2, cache_read_input_tokens: null } }).tokens).toEqual({
      prompt: 5,
      completion: 2,
      cacheRead: null,
      cacheWrite: null,
      reasoning: null,
    });
    expect(written([])['usage']).toEqual({ input_tokens: 0, output_tokens: 0 });
  });
});

describe('answers of upstreams', () => {
  test('an answer without blocks is complete and empty', () => {
    expect(read({ content: [] })).toMatchObject({ parts: [], end: stopped });
  });

  test('a block that only Anthropic knows is kept as it is', () => {
    const value = { type: 'code_execution_tool_result', content: { x: 1 } };
    expect(read({ content: [value] }).parts).toEqual([
      { type: 'opaque', protocol: 'anthropic-messages', name: 'code_execution_tool_result', value },
    ]);
  });

  test('a block whose type is a member of every object is one of an unknown type', () => {
    for (const type of ['constructor', 'toString', '__proto__'])
      expect(read({ content: [{ type }] }).parts).toMatchObject([{ type: 'opaque', name: type }]);
  });

  test('D10: a call that the length limit left without arguments has none', () => {
    const content = [
      { type: 'tool_use', id: 'a', name: 'f', input: {} },
      { type: 'tool_use', id: 'b', name: 'f', input: {} },
    ];
    const args = (reason: string) =>
      read({ content, stop_reason: reason }).parts.map((part) => part.type === 'toolCall' && part.arguments);
    expect(args('max_tokens')).toEqual(['{}', '']);
    expect(args('tool_use')).toEqual(['{}', '{}']);
  });

  test('what is no message is a broken protocol, and an error under 200 a failure', () => {
    for (const body of [
      '',
      'x',
      '[]',
      'null',
      '{}',
      '{"content":"x"}',
      message({ content: [7] }),
      message({ content: [{ type: 'tool_use' }] }),
    ])
      expect(decodeAnswer(body)).toMatchObject({ kind: 'malformed' });
    const error = JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
    expect(decodeAnswer(error)).toMatchObject({ kind: 'overloaded', status: 529, message: 'Overloaded', body: error });
  });
});

describe('answers for clients', () => {
  test('id and model are made where the upstream gave none', () => {
    expect(written([])).toMatchObject({ id: 'msg_req-1', type: 'message', role: 'assistant', model: 'asked/model', content: [] });
    expect(written([], { id: 'chatcmpl-1', model: 'm' })).toMatchObject({ id: 'chatcmpl-1', model: 'm' });
  });

  test('big numbers of arguments keep their digits', () => {
    const answer: Answer = {
      id: null,
      model: null,
      parts: [call('a', '{"id":12345678901234567890}')],
      tokens: noTokenCounts,
      end: { ...stopped, reason: 'toolCalls' },
    };
    expect(encodeAnswer(answer, making)).toContain('"input":{"id":12345678901234567890}');
  });

  test('CLIProxyAPI#425: reasoning, text and calls all come, in their order', () => {
    const parts = [thought('ola-r1.x.sig'), text('I look.'), call('a', '{"x":1}'), thought()];
    expect(written(parts, { end: { ...stopped, reason: 'toolCalls' } })['content']).toEqual([
      { type: 'thinking', thinking: 'I think.', signature: 'ola-r1.x.sig' },
      { type: 'text', text: 'I look.' },
      { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
      { type: 'thinking', thinking: 'I think.', signature: '' },
    ]);
  });

  test('encrypted reasoning has a block of its own, behind its summary', () => {
    const redacted = { type: 'reasoning', text: '', redacted: 'enc' } as const;
    expect(written([redacted])['content']).toEqual([{ type: 'redacted_thinking', data: 'enc' }]);
    expect(written([{ ...redacted, text: 'S' }])['content']).toEqual([
      { type: 'thinking', thinking: 'S', signature: '' },
      { type: 'redacted_thinking', data: 'enc' },
    ]);
  });

  test('D10: a call that the length limit cut is left out, and the stop reason stays', () => {
    const length = { ...stopped, reason: 'length' } as const;
    for (const cut of ['{"file":"a","content":"half', ''])
      expect(written([text('a'), call('x', cut)], { end: length })).toMatchObject({
        content: [{ type: 'text', text: 'a' }],
        stop_reason: 'max_tokens',
      });
    expect(written([call('x', '{"a":1}')], { end: length })['content']).toMatchObject([{ input: { a: 1 } }]);
  });

  test('arguments that are no object are shown as a text where the answer was not cut; none are {}', () => {
    const end = { ...stopped, reason: 'toolCalls' } as const;
    expect(written([call('x', '{bad'), call('y', '')], { end })['content']).toMatchObject([
      { input: { unparsed_arguments: '{bad' } },
      { input: {} },
    ]);
  });

  test('a refusal is a text with its stop reason, whatever the upstream’s was', () => {
    expect(written([{ type: 'refusal', text: 'No.' }])).toMatchObject({
      content: [{ type: 'text', text: 'No.' }],
      stop_reason: 'refusal',
    });
  });

  test('blocks of other protocols are left out', () => {
    const foreign = { type: 'opaque', protocol: 'x', name: 'y', value: { secret: 1 } } as const;
    expect(written([foreign, image, text('a')])['content']).toEqual([{ type: 'text', text: 'a' }]);
  });
});
