/** The lists of fates against the code: each field alone. */
import { describe, expect, test } from 'bun:test';
import { fold } from '../../../src/core/answers.ts';
import type { Answer, Conversation } from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import { type AnswerField, answerFields, type Fate, type RequestField, requestFields } from '../../../src/core/hub-fields.ts';
import type { EncodedRequest } from '../../../src/core/protocol.ts';
import { answerContents, type Content, contentsOf } from './contents.ts';
import { answerSamples, requestSamples, withoutField } from './fields.ts';
import {
  bodyOf,
  conversation,
  digest,
  eventsOf,
  type Fields,
  modelOf,
  readStream,
  type Speaker,
  stepsOf,
  wholeOf,
} from './scene.ts';

export function walkContract(speaker: Speaker): void {
  const { fields } = speaker.chat;
  describe('a request with one field has the fate that the list says', () => {
    for (const field of requestFields) {
      test(`${field}: ${nameOf(fields.upstream[field])}`, () => checkRequest(speaker, field));
    }
  });

  describe('an answer with one field has the fate that the list says', () => {
    for (const field of answerFields) {
      test(`${field}: ${nameOf(fields.answer[field])}`, () => checkAnswer(speaker, field));
    }
  });

  test('a field that an upstream is told has a place in the requests of clients', () => {
    const places = new Set(Object.values(fields.client).flatMap((fate) => (Array.isArray(fate) ? fate : [])));
    const carried = requestFields.filter((field) => fields.upstream[field] === 'carried');
    expect(carried.filter((field) => !places.has(field))).toEqual([]);
  });

  describe('a client field that goes nowhere is named', () => {
    for (const [name, fate] of Object.entries(fields.client)) {
      if (!('dropped' in fate || 'refused' in fate)) continue;
      test(`${name}: ${'dropped' in fate ? 'dropped' : 'refused'}`, () => checkClientField(speaker, name, 'dropped' in fate));
    }
  });
}

function nameOf(fate: Fate): string {
  return fate === 'carried' ? fate : (Object.keys(fate)[0] ?? '');
}

function encode(speaker: Speaker, told: Conversation): EncodedRequest {
  return speaker.chat.encodeRequest(told, modelOf(speaker), digest);
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

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(OlaError);
    return thrown;
  }
  throw new Error('Nothing was refused.');
}

/** Both forms of an answer, whole and as events. */
function checkAnswer(speaker: Speaker, field: AnswerField): void {
  const sample = answerSamples[field];
  const fate = speaker.chat.fields.answer[field];
  const [whole, events] = [wholeOf(speaker, sample), eventsOf(speaker, stepsOf(sample))];
  for (const decoded of [wholeAnswer(speaker, whole), streamedAnswer(speaker, events)]) {
    const told = answerContents(decoded);
    if (fate === 'carried') expect(told).toEqual(expect.arrayContaining(valuesOf(answerContents(sample), field)));
    else if ('dropped' in fate) expect(told.map((each) => each.field)).not.toContain(field);
  }
  if (fate === 'carried' || !('adapted' in fate)) return;
  if (!field.startsWith('end')) expect(whole).not.toBe(wholeOf(speaker, answerSamples.endStop));
  for (const { value } of valuesOf(answerContents(sample), field))
    for (const word of value.match(/[A-Z]\w{3,}/g) ?? []) {
      expect(whole).toContain(word);
      for (const piece of word.match(/.{1,3}/g) ?? []) expect(events.join('')).toContain(piece);
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

function checkClientField(speaker: Speaker, name: string, isDropped: boolean): void {
  const { chat, sample } = speaker;
  const said = sample.said[name];
  if (said === undefined) throw new Error(`the sample of ${speaker.protocol.id} says nothing of ${name}`);
  const body = { ...bodyOf(speaker, conversation()), ...said };
  if (isDropped) {
    expect(chat.decodeRequest(body).unknown.join(' ')).toContain(name);
    return;
  }
  expect(thrownBy(() => chat.decodeRequest(body))).toMatchObject({
    code: 'invalid_request',
    facts: { param: expect.stringMatching(/\S/) },
  });
}
