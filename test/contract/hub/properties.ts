/** Random conversations and answers, encoded and decoded again. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { fold } from '../../../src/core/answers.ts';
import type { Answer, Conversation, Part, Turn } from '../../../src/core/conversation.ts';
import type { AnswerField } from '../../../src/core/hub-fields.ts';
import { answers, conversations } from './arbitraries.ts';
import { plainJson } from './contents.ts';
import { exchangeOf, run } from './pairs.ts';
import { bodyOf, eventsOf, type Fields, readStream, type Speaker, stepsOf, wholeOf } from './scene.ts';

/** A seed, so that each run draws the same. */
const settings = { seed: 20_261_129, numRuns: 100 };

export function propertyContract(speaker: Speaker): void {
  const { chat, protocol } = speaker;

  describe(`${protocol.id}: any`, () => {
    test('conversation is the same behind its own request, but for the normal form', () => {
      fc.assert(
        fc.property(conversations(speaker), (said) => {
          expect(normal(chat.decodeRequest(bodyOf(speaker, said)))).toEqual(normal(said));
        }),
        settings,
      );
    });

    test('answer is the same behind its own form, whole', () => {
      fc.assert(
        fc.property(answers(speaker), (said) => {
          const read = chat.decodeAnswer(wholeOf(speaker, said));
          expect('kind' in read ? read : normalAnswer(read, speaker)).toEqual(normalAnswer(said, speaker));
        }),
        settings,
      );
    });

    test('answer is the same behind its own form, as a stream that is cut into pieces of any size', () => {
      fc.assert(
        fc.property(answers(speaker), fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 20 }), (said, sizes) => {
          const bytes = new TextEncoder().encode(eventsOf(speaker, stepsOf(said)).join(''));
          const { steps, fault, ended } = readStream(speaker, pieces(bytes, sizes));
          expect([fault, ended]).toEqual([null, true]);
          expect(normalAnswer(fold(steps), speaker)).toEqual(normalAnswer(said, speaker));
        }),
        settings,
      );
    });
  });
}

export function pairPropertyContract(client: Speaker, upstream: Speaker): void {
  describe(`${client.protocol.id} over ${upstream.protocol.id}: any`, () => {
    test('conversation that both carry comes to the upstream, but for the normal form', () => {
      fc.assert(
        fc.property(conversations(client, upstream), (said) => {
          const { body, notes } = exchangeOf(client, upstream, bodyOf(client, said));
          expect(notes).toBeNull();
          expect(normal(upstream.chat.decodeRequest(JSON.parse(String(body)) as Fields))).toEqual(normal(said));
        }),
        settings,
      );
    });

    test('answer that both carry comes to the client, whole and as a stream', () => {
      const request = client.sample.client.ask('Hello');
      fc.assert(
        fc.property(answers(client, upstream), (said) => {
          const whole = exchangeOf(client, upstream, request).whole(wholeOf(upstream, said));
          if ('kind' in whole) throw new Error(`the answer is read as a failure: ${whole.message}`);
          const told = client.chat.decodeAnswer(whole.body);
          const expected = normalAnswer(said, client, upstream);
          expect('kind' in told ? told : normalAnswer(told, client, upstream)).toEqual(expected);
          const { out, done } = run(
            exchangeOf(client, upstream, request, { stream: true }).pipe(),
            eventsOf(upstream, stepsOf(said)),
          );
          expect(done).toBe(true);
          expect(normalAnswer(fold(readStream(client, [out]).steps), client, upstream)).toEqual(expected);
        }),
        settings,
      );
    });
  });
}

function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const cut: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    cut.push(bytes.slice(at, at + size));
    at += size;
  }
  return [...cut, bytes.slice(at)];
}

/**
 * The normal form of a conversation: without places, extras and members that are absent; turns of one role behind each other
 * are one turn; texts behind each other without a cache mark are one text with a blank line between them, as servers exist that
 * take no list; arguments are JSON without blanks; the detail and the type of media by URL are not told; a stream may be asked
 * for outside of the body.
 */
function normal({ extras: _e, unknown: _u, stream: _s, system, turns, tools, ...rest }: Conversation): object {
  return {
    ...rest,
    system: normalParts(system),
    turns: mergedTurns(turns),
    tools: tools.map(({ extras: _, ...tool }) => tool),
  };
}

function mergedTurns(turns: readonly Turn[]): object[] {
  const merged: { role: string; parts: Part[] }[] = [];
  for (const { role, parts } of turns) {
    const last = merged.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else merged.push({ role, parts: [...parts] });
  }
  return merged.map(({ role, parts }) => ({ role, parts: normalParts(parts) }));
}

function normalParts(parts: readonly Part[]): object[] {
  const joined: Part[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.type === 'text' && last?.type === 'text' && part.cache === undefined && last.cache === undefined)
      joined[joined.length - 1] = { ...last, text: `${last.text}\n\n${part.text}` };
    else joined.push(part);
  }
  return joined.map(normalPart);
}

function normalPart(part: Part): object {
  const { extras: _e, field: _f, ...rest } = part;
  if (rest.type === 'toolCall') return { ...rest, arguments: plainJson(rest.arguments) };
  if (rest.type === 'toolResult') return { ...rest, parts: normalParts(rest.parts) };
  if (rest.type !== 'media') return rest;
  const { mime, detail: _d, ...source } = rest.source;
  return { ...rest, source: 'data' in source ? { ...source, mime } : source };
}

/** A client of another protocol gets the reasoning of an upstream with its maker in front. */
function unwrapped(part: object): object {
  const members = Object.entries(part).map(([name, value]) => {
    const isWrapped = (name === 'signature' || name === 'redacted') && typeof value === 'string';
    return [name, isWrapped ? value.replace(/^ola-r1\.[^.]*\./, '') : value];
  });
  return Object.fromEntries(members) as object;
}

/** The normal form of an answer: counts that the protocol does not carry, and all that are not known, are left out. */
function normalAnswer({ parts, end, tokens }: Answer, ...speakers: readonly Speaker[]): object {
  const fateOf = (field: AnswerField) =>
    speakers.every(({ chat }) => chat.fields.answer[field] === 'carried') ? 'carried' : null;
  const names = {
    cacheRead: fateOf('cacheReadTokens'),
    cacheWrite: fateOf('cacheWriteTokens'),
    reasoning: fateOf('reasoningTokens'),
  };
  const known = Object.entries(names).filter(
    ([name, fate]) => fate === 'carried' && (tokens[name as keyof typeof tokens] ?? 0) > 0,
  );
  return {
    end,
    parts: parts.map((part) => unwrapped(normalPart(part))),
    tokens: [tokens.prompt, tokens.completion, ...known.map(([name]) => [name, tokens[name as keyof typeof tokens]])],
  };
}
