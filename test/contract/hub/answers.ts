/** Answers and their streams, told and read by one protocol. */
import { describe, expect, test } from 'bun:test';
import { fold } from '../../../src/core/answers.ts';
import type { Answer, Part, Step } from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import { noTokenCounts } from '../../../src/core/usage.ts';
import { plainJson } from './contents.ts';
import { answerOf, eventsOf, readStream, type Speaker, stepsOf, stop, textPart, toolCall, wholeOf } from './scene.ts';

const encoder = new TextEncoder();
const noHeaders = () => null;

const unicode = answerOf([textPart('a\u0000b\u2028c😀d\u00e9€')]);
const usual = answerOf([textPart('Let me see. '), toolCall('call_1'), toolCall('call_2', '{"city":"Oslo"}')], {
  tokens: { prompt: 40, completion: 9, cacheRead: 20, cacheWrite: 5, reasoning: 3 },
});
const begin: Step = { type: 'begin', id: 'id-1', model: 'm' };
const halfArguments = '{"file":"a","content":"half';

export function answerContract(speaker: Speaker): void {
  const { chat, protocol, sample } = speaker;
  const whole = (answer: Answer): Answer => {
    const read = chat.decodeAnswer(wholeOf(speaker, answer));
    if ('kind' in read) throw new Error(`its own answer is read as a failure: ${read.message}`);
    return read;
  };
  const streamed = (steps: readonly Step[], cut: (events: string[]) => readonly (string | Uint8Array)[] = (events) => events) => {
    const { steps: read, fault, ended } = readStream(speaker, cut(eventsOf(speaker, steps)));
    expect([fault, ended]).toEqual([null, true]);
    return fold(read);
  };
  const both = (answer: Answer) => [whole(answer), streamed(stepsOf(answer))];

  describe(`${protocol.id}: an answer`, () => {
    test('may be empty, and is complete then', () => {
      for (const read of both(answerOf([]))) {
        expect(read.parts).toEqual([]);
        expect(read.end.reason).toBe('stop');
      }
    });

    test('has its text unchanged, wherever its stream is cut into pieces', () => {
      for (const read of both(unicode)) expect(read.parts).toMatchObject([textPart('a\u0000b\u2028c😀d\u00e9€')]);
      const bytes = encoder.encode(eventsOf(speaker, stepsOf(unicode)).join(''));
      const expected = fold(readStream(speaker, [bytes]).steps);
      for (let at = 0; at <= bytes.length; at++)
        expect(fold(readStream(speaker, [bytes.slice(0, at), bytes.slice(at)]).steps)).toEqual(expected);
      expect(
        fold(
          readStream(
            speaker,
            [...bytes].map((byte) => Uint8Array.of(byte)),
          ).steps,
        ),
      ).toEqual(expected);
    });

    test('is JSON that any parser reads, whatever its text', () => {
      for (const text of ['\ud800', '\u2028', '\u0000', '"\\', '\n\n', 'data: [DONE]\n\n', '😀']) {
        const answer = answerOf([textPart(text)]);
        expect(new TextDecoder('utf-8', { fatal: true }).decode(encoder.encode(wholeOf(speaker, answer)))).toBe(
          wholeOf(speaker, answer),
        );
        for (const read of both(answer)) expect([[textPart(text)], [textPart(text.toWellFormed())]]).toContainEqual(bare(read));
      }
    });

    test('keeps parallel tool calls apart, one behind the other or mixed', () => {
      const calls = usual.parts.slice(1);
      const mixed: Step[] = [
        begin,
        { type: 'partBegin', index: 0, part: toolCall('call_1', '') },
        { type: 'partBegin', index: 1, part: toolCall('call_2', '') },
        { type: 'partDelta', index: 0, text: '{"city":' },
        { type: 'partDelta', index: 1, text: '{"city":"Os' },
        { type: 'partDelta', index: 0, text: '"Rome"}' },
        { type: 'partEnd', index: 0 },
        { type: 'partDelta', index: 1, text: 'lo"}' },
        { type: 'partEnd', index: 1 },
        { type: 'usage', tokens: noTokenCounts },
        { type: 'end', end: { ...stop, reason: 'toolCalls' } },
      ];
      for (const read of [...both({ ...usual, parts: calls }), streamed(mixed)]) {
        expect(callsIn(read)).toEqual(callsIn(usual));
        expect(read.end.reason).toBe('toolCalls');
      }
    });

    test('has text and tool calls, both', () => {
      for (const read of both(usual)) {
        expect(read.parts.map(({ type }) => type)).toEqual(['text', 'toolCall', 'toolCall']);
        expect(read.parts[0]).toMatchObject(textPart('Let me see. '));
      }
    });

    test('gives a call without arguments an empty object', () => {
      for (const read of both(answerOf([toolCall('call_1', ''), toolCall('call_2', '{}')])))
        expect(read.parts.map((part) => (part.type === 'toolCall' ? plainJson(part.arguments || '{}') : ''))).toEqual([
          '{}',
          '{}',
        ]);
    });

    test('keeps the digits of big numbers in arguments', () => {
      for (const read of both(answerOf([toolCall('call_1', '{"id":12345678901234567890}')])))
        expect(read.parts).toMatchObject([{ arguments: '{"id":12345678901234567890}' }]);
    });

    test('has two calls of one id as two', () => {
      for (const read of both(answerOf([toolCall('call_1'), toolCall('call_1', '{"city":"Oslo"}')]))) {
        expect(callsIn(read).map(([, args]) => args)).toEqual(['{"city":"Rome"}', '{"city":"Oslo"}']);
        const ids = read.parts.map((part) => (part.type === 'toolCall' ? part.id : ''));
        expect(new Set(ids).size).toBe(2);
      }
    });

    test('D10: that is cut by its length inside a tool call has the pieces or nothing of it, and ends so', () => {
      const cut = answerOf([textPart('Hi'), toolCall('call_1', halfArguments)], { end: { ...stop, reason: 'length' } });
      const open = stepsOf(cut).filter((step) => step.type !== 'partEnd' || step.index !== 1);
      for (const read of [...both(cut), streamed(open)]) {
        expect(read.end.reason).toBe('length');
        expect([[], [halfArguments]]).toContainEqual(callsIn(read).map(([, args]) => args));
      }
      const pieces = sample.wholeCalls === true ? [] : [halfArguments];
      expect(callsIn(streamed(stepsOf(cut))).map(([, args]) => args)).toEqual(pieces);
    });

    test('keeps its kinds of tokens apart', () => {
      const { answer: fates } = chat.fields;
      for (const { tokens } of both(usual)) {
        if (fates.promptTokens === 'carried') expect(tokens.prompt).toBe(40);
        if (fates.completionTokens === 'carried') expect(tokens.completion).toBe(9);
        if (fates.cacheReadTokens === 'carried') expect(tokens.cacheRead).toBe(20);
        if (fates.cacheWriteTokens === 'carried') expect(tokens.cacheWrite).toBe(5);
        if (fates.reasoningTokens === 'carried') expect(tokens.reasoning).toBe(3);
      }
    });

    test('with an end that is not known ends as usual, and says the word', () => {
      const { word, answer, stream } = sample.unknownEnd;
      const read = chat.decodeAnswer(answer);
      for (const each of [read, fold(readStream(speaker, [stream]).steps)]) {
        expect(each).toMatchObject({ parts: [textPart('Hi')], end: { reason: 'stop', unknown: word } });
      }
    });

    test('that is none is a failure, and not repeated', () => {
      for (const text of ['', 'null', '[]', '<html>CANARY</html>', '{"CANARY":', '{}', wholeOf(speaker, usual).slice(0, -1)]) {
        const read = chat.decodeAnswer(text);
        expect([text, read]).toEqual([text, expect.objectContaining({ kind: 'malformed' })]);
        expect(JSON.stringify(read)).not.toContain('CANARY');
      }
    });

    test('in place of which an error comes is that failure', () => {
      const error = new OlaError('upstream_http_error', 'Too many requests of you', { status: 429 });
      const read = chat.decodeAnswer(protocol.errorBody(error));
      expect(read).toMatchObject({ kind: 'rate_limit', status: 429 });
      expect(JSON.stringify(read)).toContain('Too many requests of you');
    });

    test('a prompt that is too long is told apart', () => {
      const { status, body } = sample.tooLong;
      expect(protocol.readFailure(status, noHeaders, body).kind).toBe('context_overflow');
    });
  });

  describe(`${protocol.id}: a stream`, () => {
    const events = eventsOf(speaker, stepsOf(usual));
    const complete = fold(readStream(speaker, events).steps);

    test('begins with `begin`, and ends with `end` alone and last', () => {
      const types = readStream(speaker, events).steps.map(({ type }) => type);
      expect(types[0]).toBe('begin');
      expect(types.filter((type) => type === 'end')).toEqual(['end']);
      expect(types.at(-1)).toBe('end');
    });

    test('that breaks off is never complete, wherever it is cut', () => {
      const bytes = encoder.encode(events.join(''));
      const last = encoder.encode(events.at(-1) ?? '').length;
      for (const at of [...cutsBehind(events), ...Array.from({ length: last }, (_, back) => bytes.length - last + back)])
        expect([at, readStream(speaker, [bytes.slice(0, at)], 'broken').ended]).toEqual([at, false]);
    });

    test('that ends too early is complete only when nothing but its usage is missing', () => {
      for (let count = 0; count < events.length; count++) {
        const { steps, ended } = readStream(speaker, events.slice(0, count));
        if (!ended) continue;
        const { parts, end } = fold(steps);
        expect([count, parts, end]).toEqual([count, [...complete.parts], complete.end]);
      }
    });

    test('that says an error fails, at its beginning and in the middle', () => {
      const error = protocol.errorEvent(new OlaError('upstream_http_error', 'Too many requests of you', { status: 429 }));
      for (const before of [0, 1, Math.floor(events.length / 2)]) {
        const read = readStream(speaker, [...events.slice(0, before), error, ...events.slice(before)]);
        expect([before, read.fault, read.failure, read.ended]).toEqual([before, 'upstream_error', 'rate_limit', false]);
      }
    });

    test('may have events of a type that is not known, anywhere before its end', () => {
      for (let at = 0; at < events.length; at++) {
        const read = readStream(speaker, [...events.slice(0, at), sample.unknownEvent, ...events.slice(at)]);
        expect([at, read.fault, fold(read.steps)]).toEqual([at, null, complete]);
      }
    });

    test('shares nothing with another one', () => {
      const [one, other] = [chat.streamDecoder(), chat.streamDecoder()];
      const steps: [Step[], Step[]] = [[], []];
      for (const event of events) {
        one.push(encoder.encode(event), (step) => void steps[0].push(step));
        other.push(encoder.encode(event), (step) => void steps[1].push(step));
      }
      expect(fold(steps[0])).toEqual(fold(steps[1]));
      expect(fold(steps[0]).parts).toEqual(complete.parts);
    });
  });
}

/** Offsets behind each event but the last, in bytes. */
function cutsBehind(events: readonly string[]): number[] {
  let at = 0;
  return events.slice(0, -1).map((event) => {
    at += encoder.encode(event).length;
    return at;
  });
}

const bare = ({ parts }: Answer) => parts.map(({ extras: _, ...part }) => part);

function callsIn({ parts }: { readonly parts: readonly Part[] }): (readonly [string, string])[] {
  return parts.flatMap((part) => (part.type === 'toolCall' ? [[part.name, plainJson(part.arguments)] as const] : []));
}
