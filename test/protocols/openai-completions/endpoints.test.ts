import { describe, expect, test } from 'bun:test';
import {
  answerKind,
  chatCompletions,
  completions,
  type Endpoint,
  embeddings,
  imageEdits,
  imageGenerations,
  imageVariations,
  moderations,
  plainType,
  speech,
  transcriptions,
  translations,
} from '../../../src/protocols/openai-completions/endpoints.ts';

const of = (type: string | null) => ({ header: (name: string) => (name === 'content-type' ? type : 'wrong header') });
const json = 'application/json; charset=utf-8';
const events = 'text/event-stream';

describe('what an endpoint may answer', () => {
  test('chat and completions answer what was asked for, whatever the type says', () => {
    for (const endpoint of [chatCompletions, completions])
      for (const type of [json, events, 'text/html', null]) {
        expect(answerKind(endpoint, true, of(type))).toBe('events');
        expect(answerKind(endpoint, false, of(type))).toBe('json');
      }
  });

  test('embeddings and moderations answer JSON alone', () => {
    for (const endpoint of [embeddings, moderations]) expect(answerKind(endpoint, false, of(events))).toBe('json');
  });

  const byType: readonly (readonly [string, readonly Endpoint[], string | null, string | null])[] = [
    [json, [imageGenerations, imageEdits, imageVariations, transcriptions, translations], 'json', 'json'],
    ['application/problem+json', [imageGenerations], 'json', 'json'],
    [json, [speech], null, null],
    [events, [imageGenerations, imageEdits, speech, transcriptions], 'events', null],
    ['Text/Event-Stream; charset=utf-8', [speech], 'events', null],
    ['audio/mpeg', [speech], 'bytes', 'bytes'],
    ['AUDIO/PCM;rate=1', [speech], 'bytes', 'bytes'],
    ['application/octet-stream', [speech, transcriptions], 'bytes', 'bytes'],
    ['audio/mpeg', [imageGenerations, transcriptions], null, null],
    ['text/plain', [transcriptions, translations], 'bytes', 'bytes'],
    ['text/vtt', [transcriptions], 'bytes', 'bytes'],
    ['application/x-subrip', [translations], 'bytes', 'bytes'],
    ['text/plain', [speech, imageGenerations], null, null],
    ['text/html', [speech, imageGenerations, transcriptions, translations], null, null],
    ['audio/<script>', [speech], null, null],
    ['audio/', [speech], null, null],
    ['', [speech, transcriptions], null, null],
  ];
  for (const [type, endpoints, asked, unasked] of byType)
    for (const endpoint of endpoints)
      test(`${endpoint.path} as ${type}`, () => {
        expect([answerKind(endpoint, true, of(type)), answerKind(endpoint, false, of(type))] as unknown[]).toEqual([
          asked,
          unasked,
        ]);
      });

  test('nothing without a type', () => expect(answerKind(speech, false, of(null))).toBeNull());
});

test.each([
  ['audio/mpeg', 'audio/mpeg'],
  ['Audio/PCM;rate=24000', 'audio/pcm;rate=24000'],
  ['text/plain; charset=utf-8 ', 'text/plain; charset=utf-8'],
  ['audio/ogg; codecs="opus"', 'audio/ogg; codecs="opus"'],
  ['text/plain; charset', 'text/plain'],
  ['text/plain; a=<b>', 'text/plain'],
  ['text/plain; a=b, text/html', 'text/plain'],
  [`text/plain; a=${'b'.repeat(50)}`, 'text/plain'],
])('%p goes on as %p', (type, plain) => expect(plainType(type)).toBe(plain));
