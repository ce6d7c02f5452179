import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fold } from '../../../src/core/answers.ts';
import type { Step } from '../../../src/core/conversation.ts';
import { decodeAnswer } from '../../../src/protocols/ollama/decode-answer.ts';
import { streamDecoder } from '../../../src/protocols/ollama/decode-stream.ts';
import { line } from './samples.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dir, '../fixtures/ollama', `${name}.ndjson`), 'utf8');
const encoder = new TextEncoder();

function read(text: string, end: 'orderly' | 'broken' = 'orderly') {
  const decoder = streamDecoder();
  const steps: Step[] = [];
  const take = (step: Step) => void steps.push(step);
  decoder.push(encoder.encode(text), take);
  if (end === 'orderly') decoder.finish(take);
  const { fault, failure } = decoder;
  decoder.close();
  return { steps, fault, failure, ended: steps.at(-1)?.type === 'end' };
}

const said = (content: string) => ({ message: { role: 'assistant', content }, done: false });
const end = (more: object = {}) =>
  line({ message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', ...more });

describe('a stream', () => {
  test('litellm#6135, #7094: thinks, speaks and calls tools before its last line, which says `stop`: it ends with tool calls', () => {
    const { steps, fault } = read(fixture('thinking-and-tools'));
    expect(fault).toBeNull();
    const { parts, end: ended, tokens, model } = fold(steps);
    expect(model).toBe('qwen3');
    expect(parts).toEqual([
      { type: 'reasoning', text: 'The user asks for two cities.' },
      { type: 'text', text: 'I look them up.' },
      {
        type: 'toolCall',
        id: '',
        name: 'get_weather',
        kind: 'function',
        arguments: '{"city":"Bern","station":12345678901234567890}',
      },
      { type: 'toolCall', id: '', name: 'get_weather', kind: 'function', arguments: '{"city":"Zürich"}' },
    ]);
    expect(ended).toEqual({ reason: 'toolCalls', sequence: null, unknown: null });
    expect(tokens).toMatchObject({ prompt: 26, completion: 282 });
  });

  test('litellm#5245: may have no content where it calls tools', () => {
    for (const content of [null, undefined]) {
      const message = { role: 'assistant', content, tool_calls: [{ function: { name: 'a', arguments: {} } }] };
      const { steps, fault } = read(
        line({ message, done: false }) + line({ message: { role: 'assistant', content }, done: true }),
      );
      expect([fault, fold(steps).parts.map(({ type }) => type)]).toEqual([null, ['toolCall']]);
    }
  });

  test('that says an error in the middle has failed, in its words', () => {
    const { fault, failure, ended } = read(fixture('error-in-the-middle'));
    expect([fault, failure?.message, failure?.status, ended]).toEqual([
      'upstream_error',
      'an error was encountered while running the model',
      502,
      false,
    ]);
  });

  test.each([
    ['too many requests', 429, 'rate_limit'],
    ['server busy, please try again.  maximum pending requests exceeded', 503, 'overloaded'],
    ['unauthorized', 401, 'auth'],
    ['model "m" not found', 404, 'invalid_request'],
    ['the input length exceeds the context length', 400, 'context_overflow'],
  ])('of the error %p has the status %p', (error, status, kind) => {
    expect(read(`${JSON.stringify({ error })}\n`).failure).toMatchObject({ status, kind });
  });

  test('of an error of Ollama’s cloud has the status that stands beside it', () => {
    const { failure } = read('{"StatusCode":402,"Status":"402 Payment Required","error":"please upgrade"}\n');
    expect(failure).toMatchObject({ status: 402, kind: 'billing', message: 'please upgrade' });
  });

  test('is complete with `done: true` alone, whatever ends its bytes', () => {
    for (const text of ['', line(said('Hi')), line(said('Hi')) + end().slice(0, -3), '\n\n']) {
      expect([text, read(text).ended]).toEqual([text, false]);
    }
    expect(read(line(said('Hi')) + end(), 'broken').ended).toBe(true);
    // The last line may lack its line feed where the upstream ended in order.
    expect(read(line(said('Hi')) + end().trim()).ended).toBe(true);
    expect(read(line(said('Hi')) + end().trim(), 'broken').ended).toBe(false);
  });

  test('has nothing behind its last line', () => {
    const { steps } = read(line(said('Hi')) + end() + line(said('More')) + end());
    expect(fold(steps).parts).toEqual([{ type: 'text', text: 'Hi' }]);
    expect(steps.filter(({ type }) => type === 'end')).toHaveLength(1);
  });

  test('that is none of Ollama’s is a fault: a page, another protocol’s events, half of a line', () => {
    for (const text of ['<html>\n', 'data: {"choices":[]}\n\n', '{"message":\n', '{"a":1}}\n'])
      expect([text, read(text).fault]).toEqual([text, 'malformed_event']);
  });

  test('passes over lines that carry nothing: blank ones, values that are no objects, members that are not known', () => {
    const odd = '\r\n   \nnull\n[1]\n"ping"\n{"status":"pulling"}\n{}\n';
    const { steps, fault } = read(odd + line(said('Hi')) + odd + end());
    expect([fault, fold(steps).parts]).toEqual([null, [{ type: 'text', text: 'Hi' }]]);
  });

  test('with carriage returns and a byte order mark is the same', () => {
    const { steps } = read(`\uFEFF${line(said('Hi')).trim()}\r\n${end().trim()}\r\n`);
    expect(fold(steps).parts).toEqual([{ type: 'text', text: 'Hi' }]);
  });

  test('counts what the server told: nothing where it told nothing, or no number', () => {
    for (const counts of [{}, { prompt_eval_count: null, eval_count: 'many' }, { prompt_eval_count: -1, eval_count: 1.5 }])
      expect(fold(read(line(said('Hi')) + end(counts)).steps).tokens).toMatchObject({ prompt: null, completion: null });
    expect(fold(read(end({ eval_count: 3 })).steps).tokens).toMatchObject({ prompt: null, completion: 3 });
  });

  test('may call with arguments as text, without any, and with odd calls in between, which are none', () => {
    const calls = [
      { function: { name: 'a', arguments: '{"x":1}' } },
      { function: { name: 'b' } },
      { function: { name: '' } },
      { function: {} },
      null,
      { id: 'call_7', function: { name: 'c', arguments: { y: 2 } } },
      { id: 'call_7', function: { name: 'd', arguments: {} } },
    ];
    const { steps, fault } = read(line({ message: { role: 'assistant', content: '', tool_calls: calls }, done: false }) + end());
    const made = fold(steps).parts.map((part) => (part.type === 'toolCall' ? [part.name, part.id, part.arguments] : []));
    expect(fault).toBeNull();
    expect(made).toEqual([
      ['a', '', '{"x":1}'],
      ['b', '', ''],
      ['c', 'call_7', '{"y":2}'],
      ['d', 'call_7_3', '{}'],
    ]);
  });

  test('of a line that is longer than an answer may be is given up, and frees what it held', () => {
    const decoder = streamDecoder();
    const piece = new Uint8Array(33 * 1024 * 1024);
    for (let at = 0; at < 2; at++) decoder.push(piece, () => undefined);
    expect(decoder.fault).toBe('oversized_event');
    decoder.close();
    // All of them together would be more than the process may hold.
    for (let at = 0; at < 4; at++) {
      const other = streamDecoder();
      other.push(piece, () => undefined);
      expect(other.fault).toBeNull();
      other.close();
    }
  });
});

describe('a whole answer', () => {
  test('may be printed over several lines, or come as the lines of a stream', () => {
    const pretty = JSON.stringify(JSON.parse(line({ message: { role: 'assistant', content: 'a\nb' }, done: true })), null, 2);
    expect(decodeAnswer(pretty)).toMatchObject({ parts: [{ type: 'text', text: 'a\nb' }] });
    expect(decodeAnswer(fixture('thinking-and-tools'))).toMatchObject({ end: { reason: 'toolCalls' } });
  });

  test('that is not done is none', () => {
    expect(decodeAnswer(line(said('Hi')))).toMatchObject({ kind: 'malformed' });
    expect(decodeAnswer(fixture('error-in-the-middle'))).toMatchObject({ kind: 'server_error', status: 502 });
  });

  test('to a request that only loads a model is an empty one', () => {
    expect(decodeAnswer(end({ done_reason: 'load' }))).toMatchObject({ parts: [], end: { reason: 'stop', unknown: null } });
  });
});
