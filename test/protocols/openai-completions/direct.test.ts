import { describe, expect, test } from 'bun:test';
import type { ClientCall, Exchange } from '../../../src/core/protocol.ts';
import { noQuirks } from '../../../src/core/providers.ts';
import { direct, plainType } from '../../../src/protocols/openai-completions/direct.ts';
import { clientRoutes } from '../../../src/protocols/openai-completions/routes.ts';

const of = (type: string | null) => (name: string) => (name === 'content-type' ? type : 'wrong header');
const json = 'application/json; charset=utf-8';
const events = 'text/event-stream';

function exchangeOf(path: string, stream: boolean): Exchange {
  const route = clientRoutes.find((each) => each.path === path);
  if (route === undefined) throw new Error(`there is no route ${path}`);
  const call: ClientCall = {
    route,
    body: { text: '{"model":"m"}', fields: { model: 'm' } },
    params: {},
    peek: { model: 'm', stream, maxTokens: null },
  };
  const exchange = direct(call, { id: 'm', quirks: noQuirks });
  if (exchange === null) throw new Error(`${path} has no upstream`);
  return exchange;
}

const kindOf = (path: string, asked: boolean, type: string | null) => exchangeOf(path, asked).answerKind(of(type));

const chatCompletions = '/v1/chat/completions';
const completions = '/v1/completions';
const embeddings = '/v1/embeddings';
const moderations = '/v1/moderations';
const imageGenerations = '/v1/images/generations';
const imageEdits = '/v1/images/edits';
const imageVariations = '/v1/images/variations';
const speech = '/v1/audio/speech';
const transcriptions = '/v1/audio/transcriptions';
const translations = '/v1/audio/translations';

describe('what an endpoint may answer', () => {
  test('chat and completions answer what was asked for, whatever the type says', () => {
    for (const endpoint of [chatCompletions, completions])
      for (const type of [json, events, 'text/html', null]) {
        expect(kindOf(endpoint, true, type)).toBe('stream');
        expect(kindOf(endpoint, false, type)).toBe('whole');
      }
  });

  test('embeddings and moderations answer JSON alone', () => {
    for (const endpoint of [embeddings, moderations]) expect(kindOf(endpoint, false, events)).toBe('whole');
  });

  const byType: readonly (readonly [string, readonly string[], string | null, string | null])[] = [
    [json, [imageGenerations, imageEdits, imageVariations, transcriptions, translations], 'whole', 'whole'],
    ['application/problem+json', [imageGenerations], 'whole', 'whole'],
    [json, [speech], null, null],
    [events, [imageGenerations, imageEdits, speech, transcriptions], 'stream', null],
    ['Text/Event-Stream; charset=utf-8', [speech], 'stream', null],
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
      test(`${endpoint} as ${type}`, () => {
        expect([kindOf(endpoint, true, type), kindOf(endpoint, false, type)] as unknown[]).toEqual([asked, unasked]);
      });

  test('nothing without a type', () => expect(kindOf(speech, false, null)).toBeNull());
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
