/** Random conversations and answers of what a protocol's lists call carried. */
import fc from 'fast-check';
import {
  type Answer,
  type Conversation,
  noSampling,
  type Part,
  type ReasoningPart,
  type ToolCallPart,
  type Turn,
} from '../../../src/core/conversation.ts';
import type { AnswerField, RequestField } from '../../../src/core/hub-fields.ts';
import { answerOf, conversation, type Speaker, stop, textPart, toolResult, weather } from './scene.ts';

/** Texts that are not blank, which no protocol sends, and end in no blank, which some vendors refuse. */
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).map((each) => `${each.toWellFormed()}.`);
const signature = fc.base64String({ minLength: 4, maxLength: 24 });
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify({ value }));
const base64 = fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString('base64'));

type Has<Field> = (...fields: readonly Field[]) => boolean;

/** @returns the arbitrary where each field is carried, else one of nothing */
function where<Field, Value>(has: Has<Field>, fields: readonly Field[], value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> {
  return has(...fields) ? fc.option(value, { nil: null }) : fc.constant(null);
}

/** A proof is worth something to its maker alone: between two protocols it goes wrapped, which the contract of thinking holds. */
const isProof = (field: string): boolean => field === 'signedReasoning' || field === 'redactedReasoning';

const existing = <Value>(values: readonly (Value | null)[]): Value[] => values.filter((each) => each !== null);

/** @param speakers each of them carries the conversation */
export function conversations(...speakers: readonly Speaker[]): fc.Arbitrary<Conversation> {
  const has: Has<RequestField> = (...fields) =>
    fields.every((field) => !(speakers.length > 1 && isProof(field))) &&
    fields.every((field) => speakers.every(({ chat }) => chat.fields.upstream[field] === 'carried'));
  const cache = where(has, ['cacheHint'], fc.constantFrom({ ttl: null }, { ttl: '1h' }));
  const said = fc
    .tuple(text, cache)
    .map(([each, mark]): Part => (mark === null ? textPart(each) : { ...textPart(each), cache: mark }));
  const images = [
    ...(has('imageData') ? [base64.map((data) => image({ mime: 'image/png', data }))] : []),
    ...(has('imageUrl') ? [fc.webUrl().map((url) => image({ mime: null, url }))] : []),
  ];
  const shown = images.length === 0 ? said : fc.oneof({ weight: 3, arbitrary: said }, ...images);
  const asked = fc.array(shown, { minLength: 1, maxLength: 3 }).map((parts): Turn => ({ role: 'user', parts }));
  const exchange = fc.record({
    asked,
    reasoning: where(has, ['signedReasoning'], reasoning),
    said: fc.option(text, { nil: null }),
    calls: fc.array(json, { maxLength: 2 }),
    note: where(has, ['systemInTheMiddle'], text),
  });
  return fc
    .record({
      system: has('system') ? fc.array(said, { maxLength: 2 }) : fc.constant([]),
      exchanges: fc.array(exchange, { maxLength: 3 }),
      last: asked,
      sampling: where(has, ['temperature'], fc.constantFrom(0, 0.25, 1)),
      seed: where(has, ['seed'], fc.nat()),
      stopAt: where(has, ['stop'], fc.uniqueArray(fc.constantFrom('END', '###', '\n\nHuman:'), { minLength: 1 })),
      choice: fc.constantFrom(...choices(has)),
      cacheKey: where(has, ['cacheKey'], fc.constantFrom('key-1', 'key-2')),
      stream: fc.boolean(),
    })
    .map(({ exchanges, last, sampling, stopAt, choice, seed, ...rest }) =>
      conversation({
        ...rest,
        turns: [...exchanges.flatMap(turnsOf), last],
        tools: [weather],
        toolChoice: choice,
        sampling: { ...noSampling, temperature: sampling, seed },
        stop: stopAt ?? [],
      }),
    );
}

function choices(has: Has<RequestField>): Conversation['toolChoice'][] {
  return [
    null,
    ...(has('toolChoiceNone') ? (['none'] as const) : []),
    ...(has('toolChoiceRequired') ? (['required'] as const) : []),
    ...(has('toolChoiceNamed') ? [{ name: 'weather' }] : []),
  ];
}

const image = (source: object): Part =>
  ({ type: 'media', kind: 'image', source: { detail: null, ...source }, name: null }) as Part;
const reasoning = fc
  .tuple(text, signature)
  .map(([thought, signed]): ReasoningPart => ({ type: 'reasoning', text: thought, signature: signed }));

interface Drawn {
  readonly asked: Turn;
  readonly reasoning: ReasoningPart | null;
  readonly said: string | null;
  readonly calls: readonly string[];
  readonly note: string | null;
}

/** A question, its answer with calls, their results, and a note of the system behind them. */
function turnsOf({ asked, reasoning: thought, said, calls, note }: Drawn, at: number): Turn[] {
  const made = calls.map((args, number): ToolCallPart => {
    return { type: 'toolCall', id: `call_${at}_${number}`, name: 'weather', kind: 'function', arguments: args };
  });
  const parts: Part[] = [...existing([thought]), ...(said === null ? [] : [textPart(said)]), ...made];
  const spoken = parts.every(({ type }) => type === 'reasoning') ? [...parts, textPart('Hi.')] : parts;
  return [
    asked,
    { role: 'assistant', parts: spoken },
    ...(made.length === 0 ? [] : [{ role: 'user', parts: made.map(({ id }) => toolResult(id, textPart(`of ${id}`))) } as const]),
    ...(note === null || made.length === 0 ? [] : [{ role: 'system', parts: [textPart(note)] } as const]),
  ];
}

/** @param speakers each of them carries the answer */
export function answers(...speakers: readonly Speaker[]): fc.Arbitrary<Answer> {
  const has: Has<AnswerField> = (...fields) =>
    fields.every((field) => !(speakers.length > 1 && isProof(field))) &&
    fields.every((field) => speakers.every(({ chat }) => chat.fields.answer[field] === 'carried'));
  const keepsOrder = speakers.every(({ sample }) => sample.keepsOrder);
  const joinsTexts = speakers.some(({ sample }) => sample.joinsTexts === true);
  const parts: fc.Arbitrary<Part>[] = [
    text.map(textPart),
    json.map((args): Part => ({ type: 'toolCall', id: '', name: 'weather', kind: 'function', arguments: args })),
    ...(has('signedReasoning') ? [reasoning] : []),
    ...(has('redactedReasoning') ? [signature.map((redacted): Part => ({ type: 'reasoning', text: '', redacted }))] : []),
  ];
  const count = fc.option(fc.nat(1000), { nil: null });
  const tokens = fc.record({
    prompt: fc.integer({ min: 3000, max: 9000 }),
    // Reasoning is part of it.
    completion: fc.integer({ min: 1000, max: 2000 }),
    cacheRead: count,
    cacheWrite: count,
    reasoning: count,
  });
  return fc.record({ parts: fc.array(fc.oneof(...parts), { maxLength: 5 }), tokens, cut: fc.boolean() }).map((drawn) => {
    const numbered = drawn.parts.map((part, at) => (part.type === 'toolCall' ? { ...part, id: `call_${at}` } : part));
    const spoken = numbered.filter(({ type }, at) => !joinsTexts || type !== 'text' || numbered[at - 1]?.type !== 'text');
    const ordered = keepsOrder ? spoken : inOrder(spoken);
    const end = drawn.cut ? { end: { ...stop, reason: 'length' } as const } : {};
    return answerOf(ordered, { tokens: drawn.tokens, ...end });
  });
}

/** Reasoning, one text, calls: the order of protocols that have no other. */
function inOrder(parts: readonly Part[]): Part[] {
  const [first] = parts.filter(({ type }) => type === 'text');
  const of = (type: Part['type']) => parts.filter((part) => part.type === type);
  return [...of('reasoning'), ...(first === undefined ? [] : [first]), ...of('toolCall')];
}
