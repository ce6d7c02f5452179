import { describe, expect, test } from 'bun:test';
import type { ClientCall, Exchange } from '../../../src/core/protocol.ts';
import { direct, plainType } from '../../../src/protocols/openai-completions/direct.ts';
import { clientRoutes } from '../../../src/protocols/openai-completions/routes.ts';
import { upstreamModel } from '../upstream-model.ts';

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
    query: '',
    headers: null,
  };
  const exchange = direct(call, upstreamModel('m'));
  if (exchange === null) throw new Error(`${path} has no upstream`);
  return exchange;
}

/** @param first how the body begins; null: it is empty */
const kindOf = (path: string, asked: boolean, type: string | null, first: string | null) =>
  exchangeOf(path, asked).answerKind(of(type), new TextEncoder().encode(first ?? ''));

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

describe('the kind of an answer', () => {
  test('of chats, completions, embeddings and moderations is what was asked for, whatever the label says', () => {
    for (const path of [chatCompletions, completions])
      for (const asked of [true, false]) expect(exchangeOf(path, asked).expects).toBe(asked ? 'stream' : 'whole');
    for (const path of [embeddings, moderations]) expect(exchangeOf(path, false).expects).toBe('whole');
  });

  const table: readonly (readonly [string, string | null, readonly string[], string | null, string | null])[] = [
    ['{"text":"x"}', json, [imageGenerations, imageEdits, imageVariations, transcriptions, translations], 'whole', 'whole'],
    ['{"data":[]}', 'text/plain', [imageGenerations, transcriptions], 'whole', 'whole'],
    ['\n {"data":[]}', null, [imageGenerations, transcriptions], 'whole', 'whole'],
    ['{"x":1}', json, [speech], null, null],
    ['{"error":{"message":"m"}}', json, [speech], 'whole', 'whole'],
    ['data: {}\n\n', events, [imageGenerations, imageEdits, speech, transcriptions], 'stream', null],
    ['data: {}\n\n', 'Text/Event-Stream; charset=utf-8', [speech], 'stream', null],
    ['event: x\ndata: {}\n\n', null, [imageGenerations, speech], 'stream', null],
    ['ID3', 'audio/mpeg', [speech], 'bytes', 'bytes'],
    ['{x', 'AUDIO/PCM;rate=1', [speech], 'bytes', 'bytes'],
    ['RIFF', null, [speech], 'bytes', 'bytes'],
    ['RIFF', 'binary/octet-stream', [speech], 'bytes', 'bytes'],
    ['RIFF', 'audio/<script>', [speech], 'bytes', 'bytes'],
    ['hello', 'text/html', [transcriptions, translations], 'bytes', 'bytes'],
    ['did you?', null, [transcriptions], 'bytes', 'bytes'],
    ['"hi"', json, [transcriptions], 'bytes', 'bytes'],
    ['1\n00:00', 'text/srt', [transcriptions], 'bytes', 'bytes'],
    ['WEBVTT', 'text/vtt', [transcriptions], 'bytes', 'bytes'],
    ['<!doctype html><html>', 'text/plain', [speech, transcriptions, translations], null, null],
    [' <html>', 'text/html', [speech, imageGenerations, transcriptions], null, null],
    ['RIFF', 'audio/mpeg', [imageGenerations], null, null],
    ['nonsense', events, [speech, imageGenerations], null, null],
  ];
  for (const [first, type, paths, asked, unasked] of table)
    for (const path of paths)
      test(`of ${path} that begins ${JSON.stringify(first)} as ${type}`, () => {
        expect([kindOf(path, true, type, first), kindOf(path, false, type, first)] as unknown[]).toEqual([asked, unasked]);
      });
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
  ['', 'application/octet-stream'],
  ['audio/', 'application/octet-stream'],
  ['text/html', 'application/octet-stream'],
])('%p goes on as %p', (type, plain) => expect(plainType(type)).toBe(plain));
