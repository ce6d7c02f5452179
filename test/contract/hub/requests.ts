/** Requests that clients send though no vendor takes them as they are: each protocol repairs or refuses them. */
import { describe, expect, test } from 'bun:test';
import type { Conversation, Part, ToolResultPart, Turn } from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import { bodyOf, conversation, digest, modelOf, type Speaker, textPart, toolCall, toolResult, weather } from './scene.ts';

const user = (...parts: readonly Part[]): Turn => ({ role: 'user', parts });
const assistant = (...parts: readonly Part[]): Turn => ({ role: 'assistant', parts });
const hello = user(textPart('Hello'));
const turnsOf = (...turns: readonly Turn[]) => conversation({ turns: [hello, ...turns], tools: [weather] });

export function requestContract(speaker: Speaker): void {
  const told = (said: Conversation): Conversation => speaker.chat.decodeRequest(bodyOf(speaker, said));

  describe(`${speaker.protocol.id}: a request`, () => {
    test('keeps NUL, U+2028 and all of Unicode in its texts; a lone surrogate, which vendors refuse, becomes U+FFFD', () => {
      for (const [text, kept] of [
        ['a\u0000b', 'a\u0000b'],
        ['a\u2028b', 'a\u2028b'],
        ['a😀b', 'a😀b'],
        ['a\ud800b', 'a\ufffdb'],
        ['a\udc00b', 'a\ufffdb'],
      ] as const) {
        const said = conversation({ system: [textPart(text)], turns: [user(textPart(text))] });
        const results = turnsOf(assistant(toolCall('call_1')), user(toolResult('call_1', textPart(text))));
        expect([text, textsOf(told(said))]).toEqual([text, [kept, kept]]);
        expect(textsOf(told(results))).toContain(kept);
        expect(bodyText(speaker, results)).not.toMatch(/\\ud[89a-f]/i);
      }
    });

    test('leaves empty texts out, and refuses a conversation of nothing else', () => {
      const said = turnsOf(assistant(textPart(''), textPart('Hi')), user(textPart(''), textPart('More')));
      expect(textsOf(told(said))).toEqual(['Hello', 'Hi', 'More']);
      expect(() => bodyOf(speaker, conversation({ turns: [user(textPart(''))] }))).toThrow(OlaError);
    });

    test('gives a call without a result one that says that there is none', () => {
      const { turns } = told(turnsOf(assistant(toolCall('call_1'), toolCall('call_2')), user(textPart('Never mind'))));
      expect(idsOf(turns, 'toolResult')).toEqual(idsOf(turns, 'toolCall'));
      expect(idsOf(turns, 'toolCall').length).toBe(2);
      expect(resultsOf(turns)).toSatisfy((results: ToolResultPart[]) =>
        results.every(({ parts }) => parts.some((part) => part.type === 'text' && part.text !== '')),
      );
    });

    test('tells a result without a call as text of the user', () => {
      const said = turnsOf(assistant(textPart('Hi')), user(toolResult('call_9', textPart('ORPHAN')), textPart('More')));
      expect(resultsOf(told(said).turns)).toEqual([]);
      expect(textsOf(told(said)).join(' ')).toContain('ORPHAN');
    });

    test('has the results of one turn together, in the order of their calls, in front of the words of the user', () => {
      const calls = assistant(toolCall('call_1'), toolCall('call_2'), toolCall('call_3'));
      const results = ['call_3', 'call_1', 'call_2'].map((id) => toolResult(id, textPart(`of ${id}`)));
      const [third, first, second] = results as [ToolResultPart, ToolResultPart, ToolResultPart];
      for (const window of [
        [user(third, first, second, textPart('More'))],
        [user(textPart('More'), third, first, second)],
        [user(third, textPart('More')), user(first, second)],
      ]) {
        const { turns } = told(turnsOf(calls, ...window));
        const behind = turns.slice(2).flatMap(({ parts }) => parts);
        expect(behind.map(({ type }) => type)).toEqual(['toolResult', 'toolResult', 'toolResult', 'text']);
        expect(textsIn(behind.slice(0, 3))).toEqual(['of call_1', 'of call_2', 'of call_3']);
      }
    });

    test('D01: writes ids of other vendors the same in each turn, in call and result, and keeps different ones apart', () => {
      const ids = ['functions.Bash:0', 'functions_Bash_0', 'a.b', 'a:b', 'x'.repeat(86), `${'x'.repeat(85)}y`, 'call_ok-1'];
      const first = turnsOf(
        assistant(...ids.map((id) => toolCall(id))),
        user(...ids.map((id) => toolResult(id, textPart(`of ${id}`)))),
      );
      const { turns } = told(first);
      const sent = idsOf(turns, 'toolCall');
      expect(new Set(sent).size).toBe(ids.length);
      expect(sent.at(-1)).toBe('call_ok-1');
      expect(resultsOf(turns).map(({ callId, parts }) => [callId, textsIn(parts)[0]])).toEqual(
        sent.map((id, at) => [id, `of ${ids[at]}`]),
      );
      const next = { ...first, turns: [...first.turns, assistant(textPart('Hi')), user(textPart('More'))] };
      expect(idsOf(told(next).turns, 'toolCall')).toEqual(sent);
    });

    test('keeps the results of two turns apart whose calls have the same id', () => {
      const said = ['one', 'two'].flatMap((word) => [
        assistant(toolCall('call_1', `{"city":"${word}"}`)),
        user(toolResult('call_1', textPart(`of ${word}`))),
      ]);
      const { turns } = told(turnsOf(...said));
      expect(resultsOf(turns).map(({ parts }) => textsIn(parts)[0])).toEqual(['of one', 'of two']);
      expect(idsOf(turns, 'toolResult')).toEqual(idsOf(turns, 'toolCall'));
    });

    test('D02: has an image of a tool result once, never as text, behind or in its result', () => {
      const data = 'QkFTRTY0LU9GLUFOLUlNQUdF';
      const image: Part = { type: 'media', kind: 'image', source: { mime: 'image/png', detail: null, data }, name: null };
      const said = turnsOf(
        assistant(toolCall('call_1'), toolCall('call_2')),
        user(toolResult('call_1', textPart('A picture'), image), toolResult('call_2', textPart('Sun'))),
      );
      expect(bodyText(speaker, said).split(data).length - 1).toBe(1);
      const parts = told(said).turns.flatMap((turn) => turn.parts);
      expect(textsOf(told(said)).join(' ')).not.toContain(data);
      const afterResults = parts.findLastIndex(({ type }) => type === 'toolResult');
      const at = parts.findIndex(({ type }) => type === 'media');
      expect(at < 0 || at > afterResults).toBe(true);
    });

    test('D08: has instructions of mid-conversation in their place: the next turn begins with the bytes of this one', () => {
      const note = (text: string): Turn => ({ role: 'system', parts: [textPart(text)] });
      const first = {
        ...turnsOf(
          assistant(toolCall('call_1')),
          user(toolResult('call_1', textPart('Sun'))),
          note('FIRST NOTE'),
          assistant(textPart('Hi')),
          user(textPart('More')),
        ),
        system: [textPart('Be brief.')],
      };
      const next = {
        ...first,
        turns: [...first.turns, assistant(textPart('Yes')), user(textPart('Go on')), note('SECOND NOTE')],
      };
      const [one, two] = [messagesOf(speaker, first), messagesOf(speaker, next)];
      expect(two.slice(0, one.length)).toEqual(one);
      expect(textsOf({ ...told(next), turns: [] }).join(' ')).not.toContain('NOTE');
      const late = textsOf(told(next)).join(' ');
      expect(late.indexOf('FIRST NOTE')).toBeLessThan(late.indexOf('More'));
      expect(late.indexOf('SECOND NOTE')).toBeGreaterThan(late.indexOf('Go on'));
    });

    test('D10: never replaces arguments that are no JSON by others', () => {
      const said = turnsOf(assistant(toolCall('call_1', '{"city":"HALF')), user(toolResult('call_1', textPart('No such city'))));
      try {
        expect(bodyText(speaker, said)).toContain('HALF');
      } catch (thrown) {
        if (!(thrown instanceof OlaError)) throw thrown;
        expect(thrown).toMatchObject({ code: 'invalid_request', facts: { param: expect.stringMatching(/\S/) } });
      }
    });

    test('keeps the digits of big numbers in arguments', () => {
      const said = turnsOf(
        assistant(toolCall('call_1', '{"id":12345678901234567890,"share":0.10}')),
        user(toolResult('call_1', textPart('Sun'))),
      );
      expect(bodyText(speaker, said)).toContain('12345678901234567890');
    });

    test('is the same each time, and changes nothing that it was given', () => {
      const said = Object.freeze(turnsOf(assistant(toolCall('a.b')), user(toolResult('a.b', textPart('Sun')))));
      const before = JSON.stringify(said);
      expect(bodyText(speaker, said)).toBe(bodyText(speaker, said));
      expect(JSON.stringify(said)).toBe(before);
    });
  });
}

function bodyText(speaker: Speaker, said: Conversation): string {
  return speaker.chat.encodeRequest(said, modelOf(speaker), digest).body;
}

/** The list of messages in the body, whatever the protocol calls it, each as JSON. */
function messagesOf(speaker: Speaker, said: Conversation): string[] {
  const body = bodyOf(speaker, said);
  const list = body['messages'] ?? body['input'] ?? body['contents'];
  if (!Array.isArray(list)) throw new Error('The body has no list of messages.');
  return list.map((each) => JSON.stringify(each));
}

function textsIn(parts: readonly Part[]): string[] {
  return parts.flatMap((part) => {
    if (part.type === 'text' || part.type === 'refusal') return [part.text];
    return part.type === 'toolResult' ? textsIn(part.parts) : [];
  });
}

function textsOf({ system, turns }: Conversation): string[] {
  return [...textsIn(system), ...turns.flatMap(({ parts }) => textsIn(parts))];
}

function resultsOf(turns: readonly Turn[]): ToolResultPart[] {
  return turns.flatMap(({ parts }) => parts.filter((part) => part.type === 'toolResult'));
}

function idsOf(turns: readonly Turn[], type: 'toolCall' | 'toolResult'): string[] {
  return turns.flatMap(({ parts }) =>
    parts.flatMap((part) => {
      if (part.type !== type) return [];
      return part.type === 'toolCall' ? [part.id] : part.type === 'toolResult' ? [part.callId] : [];
    }),
  );
}
