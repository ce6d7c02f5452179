import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { fold, unfold } from '../../../src/core/answers.ts';
import type { Answer, EndReason, Part, Step } from '../../../src/core/conversation.ts';
import type { Making } from '../../../src/core/protocol.ts';
import type { ProviderQuirks } from '../../../src/core/providers.ts';
import { chat } from '../../../src/protocols/openai-completions/chat.ts';
import { upstreamModel } from '../upstream-model.ts';
import { digest, making } from './chat-parts.ts';

const folder = join(import.meta.dir, '../fixtures/openai-completions/chat');
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

interface Fixture {
  readonly quirks: ProviderQuirks;
  readonly request: Readonly<Record<string, unknown>>;
}

describe('a request of this protocol reaches an upstream of it equal as JSON', () => {
  test('there are fixtures', () => {
    expect(names.length).toBeGreaterThan(4);
  });

  for (const name of names) {
    const { quirks, request } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Fixture;
    test(name, () => {
      const encoded = chat.encodeRequest(chat.decodeRequest(request), upstreamModel('m', { quirks }), digest);
      expect(JSON.parse(encoded.body)).toEqual(request);
      expect(encoded.dropped).toEqual([]);
      expect(encoded.path).toBe('/chat/completions');
    });
  }
});

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const part: fc.Arbitrary<Part> = fc.oneof(
  text.map((value): Part => ({ type: 'text', text: value })),
  fc
    .record({
      text,
      signature: fc.option(text, { nil: undefined }),
      redacted: fc.option(text, { nil: undefined }),
      id: fc.option(text, { nil: undefined }),
    })
    .map(
      ({ text: value, signature, redacted, id }): Part => ({
        type: 'reasoning',
        text: value,
        ...(signature === undefined ? {} : { signature }),
        ...(redacted === undefined ? {} : { redacted }),
        ...(id === undefined ? {} : { id }),
      }),
    ),
  fc
    .record({ name: text, kind: fc.constantFrom('function' as const, 'custom' as const), arguments: fc.oneof(fc.json(), text) })
    .map((call): Part => ({ type: 'toolCall', id: '', ...call })),
  text.map((value): Part => ({ type: 'refusal', text: value })),
);
const count = fc.option(fc.nat(100_000));
const answers = fc
  .record({
    id: fc.option(text),
    model: fc.option(text),
    parts: fc.array(part, { maxLength: 6 }),
    tokens: fc.record({ prompt: count, completion: count, cacheRead: count, cacheWrite: count, reasoning: count }),
    reason: fc.constantFrom<EndReason>('stop', 'length', 'toolCalls', 'contentFilter', 'refusal', 'pause'),
  })
  .map(
    ({ reason, parts, ...rest }): Answer => ({
      ...rest,
      parts: parts.map((each, at) => (each.type === 'toolCall' ? { ...each, id: `call_${at}` } : each)),
      end: { reason, sequence: null, unknown: null },
    }),
  );

/** The answer as a chat client is told it: the fates of its parts and its end. */
function fated(answer: Answer, { id, model }: Making): Answer {
  const hasCalls = answer.parts.some(({ type }) => type === 'toolCall');
  const hasRefusal = answer.parts.some(({ type }) => type === 'refusal');
  const { reason } = answer.end;
  const told = reason === 'refusal' ? 'contentFilter' : reason === 'pause' ? 'stop' : reason;
  const free = told === 'stop' || told === 'toolCalls';
  return {
    id: answer.id ?? `chatcmpl-${id}`,
    model: answer.model ?? model,
    parts: answer.parts.reduce<Part[]>(joinAlike, []),
    tokens: answer.tokens,
    end: { ...answer.end, reason: !free ? told : hasCalls ? 'toolCalls' : hasRefusal ? 'refusal' : 'stop' },
  };
}

/** Two texts in a row are one on the wire. */
function joinAlike(parts: Part[], next: Part): Part[] {
  const last = parts.at(-1);
  if ((last?.type === 'text' || last?.type === 'refusal') && next.type === last.type)
    return [...parts.slice(0, -1), { ...last, text: last.text + next.text }];
  return [...parts, next];
}

/** The same steps with each text cut in two, and the signature behind it. */
function* cut(answer: Answer): Generator<Step> {
  for (const step of unfold(answer)) {
    const whole = step.type === 'partBegin' ? step.part : null;
    if (step.type !== 'partBegin' || whole === null || whole.type === 'media' || whole.type === 'opaque') yield step;
    else if (whole.type === 'toolCall') {
      yield { ...step, part: { ...whole, arguments: '' } };
      for (const piece of halves(whole.arguments)) yield { type: 'partDelta', index: step.index, text: piece };
    } else if (whole.type !== 'toolResult') {
      yield { ...step, part: { ...whole, text: '' } };
      for (const piece of halves(whole.text)) yield { type: 'partDelta', index: step.index, text: piece };
    }
  }
}

const halves = (value: string): readonly string[] => {
  const characters = [...value];
  const middle = characters.length >> 1;
  return [characters.slice(0, middle).join(''), characters.slice(middle).join('')];
};

function decoded(stream: string): Answer {
  const decoder = chat.streamDecoder();
  const steps: Step[] = [];
  decoder.push(new TextEncoder().encode(stream), (step) => steps.push(step));
  expect(decoder.fault).toBeNull();
  expect(steps.at(-1)?.type).toBe('end');
  decoder.close();
  return fold(steps);
}

const asked: Making = { ...making, request: { stream_options: { include_usage: true } } };
const encoded = (steps: Iterable<Step>) => {
  const encoder = chat.streamEncoder(asked);
  return [...steps].map((step) => encoder.encode(step)).join('');
};

describe('an answer that is told to a client and read again is the same but for its fates', () => {
  test('as a stream, in pieces and in whole parts', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        expect(decoded(encoded(cut(answer)))).toEqual(fated(answer, asked));
        expect(decoded(encoded(unfold(answer)))).toEqual(fated(answer, asked));
      }),
    );
  });

  test('as a whole', () => {
    const order: readonly Part['type'][] = ['reasoning', 'text', 'refusal', 'toolCall'];
    const sorted = (parts: readonly Part[]) => order.flatMap((type) => parts.filter((each) => each.type === type));
    fc.assert(
      fc.property(answers, (answer) => {
        const inOrder = { ...answer, parts: sorted(answer.parts) };
        expect(chat.decodeAnswer(chat.encodeAnswer(answer, asked))).toEqual(fated(inOrder, asked));
      }),
    );
  });
});
