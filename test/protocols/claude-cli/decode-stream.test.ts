/** The output of Claude Code as an answer: complete, failed, cut, of another form. */
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fold } from '../../../src/core/answers.ts';
import type { Answer, Step } from '../../../src/core/conversation.ts';
import type { StreamDecoder } from '../../../src/core/protocol.ts';
import { anthropicMessages } from '../../../src/protocols/anthropic-messages/protocol.ts';
import { claudeCliOver } from '../../../src/protocols/claude-cli/protocol.ts';

const { streamDecoder, decodeAnswer } = claudeCliOver(anthropicMessages).chat;
const fixture = (name: string) => readFileSync(join(import.meta.dir, '../fixtures/claude-cli', `${name}.jsonl`), 'utf8');
const encoder = new TextEncoder();

/** @returns the steps, and the decoder in its last state */
function decode(pieces: readonly Uint8Array[]): { steps: Step[]; decoder: StreamDecoder } {
  const decoder = streamDecoder();
  const steps: Step[] = [];
  for (const piece of pieces) decoder.push(piece.slice(), (step) => steps.push(step));
  decoder.finish((step) => steps.push(step));
  decoder.close();
  return { steps, decoder };
}

const answerTo = (text: string) => decode([encoder.encode(text)]);
const textOf = ({ parts }: Answer) => parts.map((part) => (part.type === 'text' ? part.text : `(${part.type})`)).join('');

describe('an answer', () => {
  const tokens = { prompt: 15, completion: 5, cacheRead: 3, cacheWrite: 2 };

  test('is the same wherever its bytes are cut', () => {
    const bytes = encoder.encode(fixture('text'));
    const whole = fold(decode([bytes]).steps);
    expect(whole.parts).toEqual([
      { type: 'reasoning', text: 'hm ' },
      { type: 'text', text: 'Hello world' },
    ]);
    expect(whole).toMatchObject({ id: 'msg_1', model: 'claude-sonnet-4-5', tokens, end: { reason: 'stop' } });
    for (let at = 0; at < bytes.length; at += 7) {
      const { steps, decoder } = decode([bytes.subarray(0, at), bytes.subarray(at)]);
      expect([at, decoder.fault, fold(steps)]).toEqual([at, null, whole]);
    }
  });

  test('that is read whole is the same one', () => {
    expect(decodeAnswer(fixture('text'))).toEqual(fold(answerTo(fixture('text')).steps));
  });

  test('ends at a length limit, though the program goes on', () => {
    const answer = fold(answerTo(fixture('length')).steps);
    expect([textOf(answer), answer.end.reason, answer.tokens.completion]).toEqual(['(reasoning)Hello world', 'length', 5]);
  });

  test('has no call of a tool in it, and the tokens of each turn', () => {
    const answer = fold(answerTo(fixture('asks-for-a-tool')).steps);
    expect([textOf(answer), answer.end.reason]).toEqual(['I have no tools.', 'stop']);
    expect(answer.tokens).toMatchObject({ prompt: 30, completion: 9, cacheRead: 6, cacheWrite: 4 });
  });

  test('may have lines of kinds that nobody knows, events of unknown types and blank lines', () => {
    const [init = ''] = fixture('text').split('\n');
    const odd = `${init}\n{"type":"from_the_future"}\n\n[]\nnull\n{"type":"stream_event","event":{"type":"odd"}}\n{"type":"stream_event"}\n`;
    const { steps, decoder } = answerTo(odd + fixture('text'));
    expect([decoder.fault, textOf(fold(steps))]).toEqual([null, '(reasoning)Hello world']);
  });

  test('has nothing of what a helper of the model says', () => {
    const helper = fixture('text').replaceAll('"parent_tool_use_id":null', '"parent_tool_use_id":"toolu_9"');
    expect(answerTo(helper).steps).toEqual([]);
  });

  test('ends as `stop` for a reason that nobody knows, which is said', () => {
    const answer = fold(answerTo(fixture('text').replace('"stop_reason":"end_turn"', '"stop_reason":"novel"')).steps);
    expect(answer.end).toMatchObject({ reason: 'stop', unknown: 'novel' });
  });
});

describe('a failure', () => {
  const failureOf = (name: string) => answerTo(fixture(name)).decoder.failure;

  test('of a program that is not logged in is the credential’s, and says what helps', () => {
    expect(failureOf('not-logged-in')).toMatchObject({ kind: 'auth', status: 401, hint: expect.stringContaining('/login') });
  });

  test('of a limit says when it ends', () => {
    expect(failureOf('limit')).toMatchObject({ kind: 'rate_limit', status: 429, retryAt: 1_760_003_600_000, body: null });
  });

  test('of a model that is not there is a 404 with the program’s words', () => {
    expect(failureOf('no-such-model')).toMatchObject({ status: 404, message: expect.stringContaining('claude-old') });
  });

  test('of a prompt that is too long is told apart', () => {
    expect(failureOf('too-long')).toMatchObject({ kind: 'context_overflow', status: 400 });
  });

  test('is told when the program would try again for minutes', () => {
    expect(failureOf('retry')).toMatchObject({ kind: 'overloaded', status: 529 });
  });

  test('is none while a connection alone is made again', () => {
    const again = fixture('retry').replace('"error_status":529', '"error_status":null').trimEnd();
    expect(answerTo(`${again}\n`).decoder.failure).toBeNull();
  });

  test('is the same for an answer that is read whole', () => {
    for (const name of ['not-logged-in', 'limit', 'no-such-model', 'too-long', 'retry'])
      expect([name, decodeAnswer(fixture(name)) as unknown]).toEqual([name, failureOf(name)]);
  });

  test('is every run whose first line does not say that the model has neither tools nor servers for tools', () => {
    for (const [before, after] of [
      ['"tools":[]', '"tools":["Read"]'],
      ['"tools":[]', '"tools":null'],
      ['"mcp_servers":[]', '"mcp_servers":[{"name":"files"}]'],
      ['"subtype":"init"', '"subtype":"start"'],
    ] as const) {
      const { steps, decoder } = answerTo(fixture('text').replace(before, after));
      expect([steps, decoder.failure?.kind, decoder.fault]).toEqual([[], 'malformed', 'upstream_error']);
    }
  });
});

describe('output that is no answer', () => {
  test('is never taken for a complete one, wherever it is cut', () => {
    const text = fixture('text');
    const end = text.indexOf('message_stop');
    for (let at = 0; at < end; at += 97) {
      const { steps } = answerTo(text.slice(0, at));
      expect([at, steps.some(({ type }) => type === 'end')]).toEqual([at, false]);
      expect([at, decodeAnswer(text.slice(0, at))]).toMatchObject([at, { kind: 'malformed' }]);
    }
  });

  test('of another form is a fault, and its words are not repeated', () => {
    for (const text of [
      '',
      '<html>CANARY</html>\n',
      'CANARY\n',
      '{"CANARY":\n',
      '{"type":"result","is_error":false}\n',
      '[1]\n',
    ]) {
      const answer = decodeAnswer(text);
      expect([text, answer]).toMatchObject([text, { kind: 'malformed' }]);
      expect(JSON.stringify(answer)).not.toContain('CANARY');
    }
  });

  test('with a result and no event before it is an empty answer', () => {
    const lines = fixture('text')
      .split('\n')
      .filter((line) => !line.includes('stream_event'));
    expect(answerTo(lines.join('\n')).decoder.fault).toBe('empty_answer');
  });
});
