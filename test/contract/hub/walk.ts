/** The lists of fates against the code: each field alone. */
import { describe, expect, test } from 'bun:test';
import { fold } from '../../../src/core/answers.ts';
import type { Answer, Conversation } from '../../../src/core/conversation.ts';
import { type AnswerField, answerFields, type Fate, type RequestField, requestFields } from '../../../src/core/hub-fields.ts';
import type { EncodedRequest } from '../../../src/core/protocol.ts';
import { asFunctions } from '../../../src/protocols/custom-tools.ts';
import { answerContents, type Content, contentsOf } from './contents.ts';
import { answerSamples, requestSamples, withoutField } from './fields.ts';
import {
  conversation,
  digest,
  eventsOf,
  type Fields,
  modelOf,
  readStream,
  type Speaker,
  stepsOf,
  thrownBy,
  wholeOf,
} from './scene.ts';

export function walkContract(speaker: Speaker): void {
  const { fields } = speaker.chat;
  describe(`${speaker.protocol.id}: a request with one field has the fate that the list says`, () => {
    for (const field of requestFields) {
      test(`${field}: ${nameOf(fields.upstream[field])}`, () => checkRequest(speaker, field));
    }
  });

  describe(`${speaker.protocol.id}: an answer with one field has the fate that the list says`, () => {
    for (const field of answerFields) {
      test(`${field}: ${nameOf(fields.answer[field])}`, () => checkAnswer(speaker, field));
    }
  });

  test(`${speaker.protocol.id}: a field that an upstream is told has a place in the requests of clients`, () => {
    const places = new Set(Object.values(fields.client).flatMap((fate) => (Array.isArray(fate) ? fate : [])));
    const carried = requestFields.filter((field) => fields.upstream[field] === 'carried');
    expect(carried.filter((field) => !places.has(field))).toEqual([]);
  });
}

function nameOf(fate: Fate): string {
  return fate === 'carried' ? fate : (Object.keys(fate)[0] ?? '');
}

function encode(speaker: Speaker, told: Conversation): EncodedRequest {
  // The translator makes functions of free-form tools, for protocols that have functions alone.
  const asked = speaker.chat.customTools ? told : asFunctions(told).conversation;
  return speaker.chat.encodeRequest(asked, modelOf(speaker), digest);
}

function checkRequest(speaker: Speaker, field: RequestField): void {
  const sample = requestSamples[field];
  const fate = speaker.chat.fields.upstream[field];
  if (fate !== 'carried' && 'refused' in fate) {
    const thrown = thrownBy(() => encode(speaker, sample));
    expect(thrown).toMatchObject({ code: 'invalid_request', facts: { param: expect.stringMatching(/\S/) } });
    return;
  }
  const { path, body, dropped } = encode(speaker, sample);
  const without = encode(speaker, withoutField[field] ?? conversation());
  if (fate !== 'carried' && 'dropped' in fate) {
    expect([field, dropped.length]).toEqual([field, without.dropped.length + 1]);
    return;
  }
  expect([field, dropped]).toEqual([field, []]);
  // The free choice is what every protocol does without being told.
  if (field !== 'toolChoiceAuto') expect(path + body).not.toBe(without.path + without.body);
  if (fate !== 'carried' || field === 'stream') return;
  const told = contentsOf(speaker.chat.decodeRequest(JSON.parse(body) as Fields));
  expect(told).toEqual(expect.arrayContaining(valuesOf(contentsOf(sample), field)));
}

function valuesOf(contents: readonly Content[], field: RequestField | AnswerField): Content[] {
  const values = contents.filter((each) => each.field === field);
  expect([field, values.length > 0]).toEqual([field, true]);
  return values;
}

/** Both forms of an answer, whole and as events. */
function checkAnswer(speaker: Speaker, field: AnswerField): void {
  const sample = answerSamples[field];
  const fate = speaker.chat.fields.answer[field];
  const [whole, events] = [wholeOf(speaker, sample), eventsOf(speaker, stepsOf(sample))];
  for (const told of [wholeAnswer(speaker, whole), streamedAnswer(speaker, events)].map(answerContents)) {
    if (fate === 'carried') expect(told).toEqual(expect.arrayContaining(valuesOf(answerContents(sample), field)));
    else if ('dropped' in fate) expect(told.map((each) => each.field)).not.toContain(field);
  }
  if (fate === 'carried' || !('adapted' in fate)) return;
  if (!field.startsWith('end')) expect(whole).not.toBe(wholeOf(speaker, answerSamples.endStop));
  for (const { value } of valuesOf(answerContents(sample), field))
    for (const word of value.match(/[A-Z]\w{3,}/g) ?? []) {
      expect(whole).toContain(word);
    }
}

function wholeAnswer({ chat }: Speaker, text: string): Answer {
  const answer = chat.decodeAnswer(text);
  if ('kind' in answer) throw new Error(`its own answer is read as a failure: ${answer.message}`);
  return answer;
}

function streamedAnswer(speaker: Speaker, events: readonly string[]): Answer {
  const { steps, fault, ended } = readStream(speaker, events);
  expect([fault, ended]).toEqual([null, true]);
  return fold(steps);
}
