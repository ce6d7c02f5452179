/** Streams for clients of responses, read by two independent readers: OpenAI's accumulator (in e2e) and the AI SDK's. */
import { describe, expect, test } from 'bun:test';
import { createOpenResponses } from '@ai-sdk/open-responses';
import { unfold } from '../../../src/core/answers.ts';
import type { AnswerEnd, Part, Step } from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { encodeAnswer } from '../../../src/protocols/openai-responses/encode-answer.ts';
import { errorEvent } from '../../../src/protocols/openai-responses/errors.ts';
import { answerOf, stop, textPart, toolCall } from '../../contract/hub/scene.ts';
import { encoded, eventsOf, type Fields, making } from './fixtures.ts';

const tokens = { prompt: 40, completion: 9, cacheRead: 20, cacheWrite: null, reasoning: 3 };
const usual = answerOf(
  [
    { type: 'reasoning', text: 'Hm.', signature: 'sig' },
    textPart('Let me see.'),
    toolCall('call_1'),
    toolCall('call_2', '{"city":"Oslo"}'),
  ],
  { tokens },
);

/** The AI SDK asks a server that answers this. */
function asks(body: string | Uint8Array, type: string) {
  const fetch = () => Promise.resolve(new Response(body as BodyInit, { headers: { 'content-type': type } }));
  return createOpenResponses({ name: 'ola', url: 'http://ola.example/v1/responses', fetch: fetch as never })('m');
}
const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hello' }] }];

async function partsOf(body: string): Promise<Fields[]> {
  const { stream } = await asks(body, 'text/event-stream').doStream({ prompt });
  const parts: Fields[] = [];
  for await (const part of stream as unknown as AsyncIterable<Fields>) parts.push(part);
  return parts;
}

describe('the AI SDK reads', () => {
  test('a whole answer: text, calls, tokens, the end', async () => {
    const read = await asks(encodeAnswer(usual, making), 'application/json').doGenerate({ prompt });
    // It shows the summary of reasoning in streams alone.
    expect(read.content.map(({ type }) => type)).toEqual(['text', 'tool-call', 'tool-call']);
    expect(read.content.filter((part) => part.type === 'tool-call').map(({ toolCallId, input }) => [toolCallId, input])).toEqual([
      ['call_1', '{"city":"Rome"}'],
      ['call_2', '{"city":"Oslo"}'],
    ]);
    expect(read.finishReason.unified).toBe('tool-calls');
    expect(read.usage).toMatchObject({ inputTokens: { total: 40, cacheRead: 20 }, outputTokens: { total: 9, reasoning: 3 } });
  });

  test('a stream: the same, and reasoning', async () => {
    const parts = await partsOf(encoded(unfold(usual)));
    expect(parts.filter(({ type }) => type === 'error')).toEqual([]);
    const textOf = (type: string) =>
      parts
        .filter((part) => part['type'] === type)
        .map(({ delta }) => delta)
        .join('');
    expect([textOf('reasoning-delta'), textOf('text-delta')]).toEqual(['Hm.', 'Let me see.']);
    expect(parts.filter(({ type }) => type === 'tool-call')).toMatchObject([
      { toolCallId: 'call_1', toolName: 'weather', input: '{"city":"Rome"}' },
      { toolCallId: 'call_2', input: '{"city":"Oslo"}' },
    ]);
    expect(parts.at(-1)).toMatchObject({
      type: 'finish',
      finishReason: { unified: 'tool-calls' },
      usage: { inputTokens: { total: 40 } },
    });
  });

  test('that an answer was cut by its length', async () => {
    const cut = answerOf([textPart('Half')], { end: { ...stop, reason: 'length' } });
    const parts = await partsOf(encoded(unfold(cut)));
    expect(parts.at(-1)).toMatchObject({ type: 'finish', finishReason: { unified: 'length' } });
  });

  test('that a stream failed', async () => {
    const error = new TextDecoder().decode(errorEvent(new OlaError('upstream_truncated', 'It broke off.')));
    const parts = await partsOf(encoded([...unfold(usual)].slice(0, 4)) + error);
    expect(JSON.stringify(parts.at(-1))).toContain('error');
    expect(parts).not.toContainEqual(expect.objectContaining({ finishReason: expect.objectContaining({ unified: 'stop' }) }));
  });
});

const begin: Step = { type: 'begin', id: 'id-1', model: 'm' };
const ending = (reason: AnswerEnd['reason'] = 'stop'): Step => ({ type: 'end', end: { ...stop, reason } });
const part = (index: number, of: Part): Step => ({ type: 'partBegin', index, part: of });
const delta = (index: number, text: string): Step => ({ type: 'partDelta', index, text });
const close = (index: number): Step => ({ type: 'partEnd', index });

describe('the events', () => {
  test('are numbered from 0, and items stand one behind the other, though their pieces come mixed', () => {
    const events = eventsOf(
      encoded([
        begin,
        part(0, toolCall('call_1', '')),
        part(1, toolCall('call_2', '')),
        delta(1, '{"b":2}'),
        delta(0, '{"a":'),
        close(1),
        delta(0, '1}'),
        close(0),
        ending('toolCalls'),
      ]),
    );
    expect(events.map((each) => each['sequence_number'])).toEqual(events.map((_, at) => at));
    const places = events.flatMap((each) => (typeof each['output_index'] === 'number' ? [each['output_index']] : []));
    expect(places).toEqual([...places].sort());
    expect(events.at(-1)).toMatchObject({
      response: {
        output: [
          { call_id: 'call_1', arguments: '{"a":1}' },
          { call_id: 'call_2', arguments: '{"b":2}' },
        ],
      },
    });
  });

  test('repeat at the end what their pieces said, under the same ids', () => {
    const events = eventsOf(encoded(unfold(usual)));
    const { response } = events.at(-1) as { response: { output: readonly Fields[] } };
    const doneItems = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
    expect(response.output).toEqual(doneItems as Fields[]);
    const begun = events.filter(({ type }) => type === 'response.output_item.added').map(({ item }) => (item as Fields)['id']);
    expect(response.output.map(({ id }) => id)).toEqual(begun);
    expect(new Set(begun).size).toBe(4);
    for (const id of begun) expect(String(id).length).toBeLessThanOrEqual(64);
  });

  test('of a custom tool carry its raw text', () => {
    const patch: Part = { type: 'toolCall', kind: 'custom', id: 'call_p', name: 'apply_patch', arguments: '' };
    const events = eventsOf(
      encoded([begin, part(0, patch), delta(0, '*** "Begin'), delta(0, ' Patch'), close(0), ending('toolCalls')]),
    );
    expect(events.filter(({ type }) => String(type).includes('custom_tool_call_input'))).toMatchObject([
      { type: 'response.custom_tool_call_input.delta', delta: '*** "Begin' },
      { type: 'response.custom_tool_call_input.delta', delta: ' Patch' },
      { type: 'response.custom_tool_call_input.done', input: '*** "Begin Patch' },
    ]);
  });

  test('never part a pair of surrogates', () => {
    const events = eventsOf(
      encoded([begin, part(0, textPart('')), delta(0, 'a\ud83d'), delta(0, '\ude00b'), delta(0, '\ud83d'), close(0), ending()]),
    );
    const deltas = events.filter(({ type }) => type === 'response.output_text.delta').map((each) => each['delta']);
    expect(deltas).toEqual(['a', '😀b', '\ufffd']);
    expect(events.at(-1)).toMatchObject({ response: { output: [{ content: [{ text: 'a😀b\ufffd' }] }] } });
  });

  test('D10: a call that is cut says that it is incomplete, with its pieces', () => {
    const events = eventsOf(encoded([begin, part(0, toolCall('call_1', '')), delta(0, '{"a":"ha'), ending('length')]));
    expect(events.at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: {
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
        output: [{ type: 'function_call', status: 'incomplete', arguments: '{"a":"ha' }],
      },
    });
  });

  test('say at the beginning that the response runs, and never that it is stored', () => {
    const request = {
      store: true,
      instructions: 'Be brief.',
      tools: [{ type: 'function', name: 'f' }],
      reasoning: { effort: 'low' },
    };
    const events = eventsOf(encoded([begin, ending()], { request }));
    for (const each of events)
      expect(each['response']).toMatchObject({
        store: false,
        instructions: 'Be brief.',
        reasoning: { effort: 'low', summary: null },
      });
    expect(events.map((each) => (each['response'] as Fields)['status'])).toEqual(['in_progress', 'in_progress', 'completed']);
    expect(events[0]!['response']).toMatchObject({
      tools: [{ type: 'function', name: 'f', strict: null }],
      usage: null,
      output: [],
    });
  });

  test('begin by themselves where the upstream tells no beginning', () => {
    const events = eventsOf(encoded([part(0, textPart('Hi')), close(0), { type: 'usage', tokens: noTokenCounts }, ending()]));
    expect(events[0]).toMatchObject({ type: 'response.created', response: { id: 'resp_req-1', model: 'asked/model' } });
  });
});

test('an answer that a filter cut is incomplete; a refusal in words is complete', () => {
  const statusOf = (reason: AnswerEnd['reason'], ...parts: readonly Part[]) => {
    const answer = JSON.parse(encodeAnswer(answerOf(parts, { end: { ...stop, reason } }), making)) as Fields;
    return [answer['status'], answer['incomplete_details']];
  };
  const filtered = ['incomplete', { reason: 'content_filter' }];
  expect(statusOf('contentFilter', textPart('Hi'))).toEqual(filtered);
  expect(statusOf('refusal', textPart('Hi'))).toEqual(filtered);
  expect(statusOf('refusal', { type: 'refusal', text: 'No.' })).toEqual(['completed', null]);
  expect(statusOf('pause', textPart('Hi'))).toEqual(['completed', null]);
});

test('an error has OpenAI’s envelope, in a body and in a stream', () => {
  const text = new TextDecoder().decode(errorEvent(new OlaError('upstream_http_error', 'Slow down', { status: 429 })));
  expect(eventsOf(text)).toMatchObject([
    {
      type: 'response.failed',
      response: { status: 'failed', error: { message: 'Slow down' } },
      error: { message: 'Slow down', type: 'rate_limit_error' },
    },
  ]);
});
