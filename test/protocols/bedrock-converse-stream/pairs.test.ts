/** Clients of each protocol over Bedrock, through the translator: the contract of pairs, in Bedrock's frames. */
import { describe, expect, test } from 'bun:test';
import { fold } from '../../../src/core/answers.ts';
import type { Answer, Part, ReasoningPart } from '../../../src/core/conversation.ts';
import type { ChatCodec } from '../../../src/core/protocol.ts';
import { createReasoningMemories } from '../../../src/gateway/inference/reasoning-memory.ts';
import { protocols } from '../../../src/protocols/all.ts';
import { bedrockConverseStream } from '../../../src/protocols/bedrock-converse-stream/protocol.ts';
import { exchangeOf, run } from '../../contract/hub/pairs.ts';
import type { HubSample } from '../../contract/hub/sample.ts';
import {
  answerOf,
  bodyOf,
  conversation,
  digest,
  type Fields,
  readStream,
  type Speaker,
  stop,
  textPart,
  toolCall,
  weather,
} from '../../contract/hub/scene.ts';
import { anthropicHubSample } from '../anthropic-messages/hub-sample.ts';
import { openaiHubSample } from '../openai-completions/hub-sample.ts';
import { framesOf, wholeOf } from './answers.ts';
import { exception, joined } from './frames.ts';

const facts = { id: 'up', reasoning: true, thinking: 'adaptive', cachePoints: true, strictTools: true } as const;
/** Only what an upstream needs: nobody speaks the protocol to ola. */
const upstream = {
  protocol: bedrockConverseStream,
  chat: bedrockConverseStream.chat as ChatCodec,
  sample: { model: { facts } } as unknown as HubSample,
} satisfies Speaker;

const clients = [openaiHubSample, anthropicHubSample].flatMap((sample, at): Speaker[] => {
  const protocol = protocols.find(({ id }) => id === ['openai-completions', 'anthropic-messages'][at]);
  return protocol === undefined ? [] : [{ protocol, chat: protocol.chat as ChatCodec, sample }];
});

interface SentMessage {
  readonly role: string;
  readonly content: readonly Fields[];
}
const messagesIn = (body: unknown) => (JSON.parse(String(body)) as { readonly messages: readonly SentMessage[] }).messages;

const tokens = { prompt: 40, completion: 9, cacheRead: 20, cacheWrite: 5, reasoning: null };
const usual = answerOf([textPart('Let me see 😀'), toolCall('call_1'), toolCall('call_2', '{"city":"Oslo"}')], { tokens });

/** What the client reads of an answer, whole and as a stream. */
function readBoth(client: Speaker, request: Fields, answer: Answer): readonly Answer[] {
  const whole = exchangeOf(client, upstream, request).whole(wholeOf(answer));
  if ('kind' in whole) throw new Error(`the answer is read as a failure: ${whole.message}`);
  const read = client.chat.decodeAnswer(whole.body);
  if ('kind' in read) throw new Error(`the client reads a failure: ${read.message}`);
  const { out, done } = run(exchangeOf(client, upstream, request, { stream: true }).pipe(), [joined(framesOf(answer))]);
  expect(done).toBe(true);
  return [read, fold(readStream(client, [out]).steps)];
}

const essence = (part: Part): unknown =>
  part.type === 'toolCall' ? [part.id, part.name] : part.type === 'text' ? part.text : part.type;

for (const client of clients) {
  const question = () => client.sample.client.ask('Hello');

  describe(`${client.protocol.id} over Bedrock`, () => {
    test('an answer is told whole and as a stream, with its text, its calls and its tokens', () => {
      for (const told of readBoth(client, question(), usual)) {
        expect(told.parts.map(essence)).toEqual(usual.parts.map(essence));
        expect(told.end.reason).toBe('toolCalls');
        expect(told.tokens).toMatchObject({ prompt: 40, completion: 9, cacheRead: 20, cacheWrite: 5 });
      }
    });

    test('CLIProxyAPI#876: a call is told as one, also where Bedrock says that the turn has ended', () => {
      const told = readBoth(client, question(), { ...usual, end: stop });
      expect(told.map(({ end }) => end.reason)).toEqual(['toolCalls', 'toolCalls']);
    });

    test('digits of big numbers in the arguments of a call reach the client', () => {
      const big = '{"id":12345678901234567890}';
      const whole = exchangeOf(client, upstream, question()).whole(wholeOf(answerOf([toolCall('call_1', big)])));
      expect(JSON.stringify(whole)).toContain('12345678901234567890');
    });

    test('D10: a call that is cut by the length limit is told as that limit, never as an empty call', () => {
      const half = '{"file":"a","content":"half';
      const cut = answerOf([textPart('Hi'), toolCall('call_1', half)], { end: { ...stop, reason: 'length' } });
      const { out } = run(exchangeOf(client, upstream, question(), { stream: true }).pipe(), framesOf(cut));
      const told = fold(readStream(client, [out]).steps);
      expect(told.end.reason).toBe('length');
      expect(told.parts.map((part) => (part.type === 'toolCall' ? part.arguments : ''))).toEqual(['', half]);
    });

    test('a stream is complete with its last frame alone, wherever it is cut', () => {
      const bytes = joined(framesOf(usual));
      const whole = run(exchangeOf(client, upstream, question(), { stream: true }).pipe(), [bytes]).out;
      for (let at = 0; at < bytes.length; at += 7) {
        const cut = run(exchangeOf(client, upstream, question(), { stream: true }).pipe(), [bytes.slice(0, at)], 'broken');
        expect([at, cut.done, readStream(client, [cut.out], 'broken').ended]).toEqual([at, false, false]);
        const parted = [bytes.slice(0, at), bytes.slice(at)];
        expect(run(exchangeOf(client, upstream, question(), { stream: true }).pipe(), parted).out).toBe(whole);
      }
    });

    test('an exception that comes first is held back, and told when it comes in the middle', () => {
      const frames = framesOf(usual);
      const error = exception('throttlingException', 'Too many requests');
      const pipe = () => exchangeOf(client, upstream, question(), { stream: true }).pipe();
      expect(run(pipe(), [error])).toMatchObject({ begun: false, done: false, kind: 'rate_limit' });
      expect(run(pipe(), [...frames.slice(0, 3), error, ...frames.slice(3)])).toMatchObject({
        begun: true,
        done: false,
        kind: 'rate_limit',
      });
    });

    test('D04: a free-form tool goes up as a function with one text', () => {
      const places = Object.values(client.chat.fields.client).flatMap((fate) => (Array.isArray(fate) ? fate : []));
      if (!places.includes('customTool')) return;
      const patch = '*** Begin Patch\n*** Update File: "a"\n';
      const tool = { ...weather, kind: 'custom', name: 'patch', parameters: null } as const;
      const request = bodyOf(client, conversation({ tools: [tool, weather] }));
      expect(String(exchangeOf(client, upstream, request).body)).toContain('"input":{"type":"string"');
      const answer = answerOf([toolCall('call_1', JSON.stringify({ input: patch }), 'patch'), toolCall('call_2')]);
      for (const told of readBoth(client, request, answer)) {
        expect(told.parts).toMatchObject([{ kind: 'custom', arguments: patch }, { kind: 'function' }]);
      }
    });

    for (const keeps of ['all', 'no reasoning'] as const) {
      for (const stream of [false, true]) {
        test(`litellm#15601: five turns that think and call tools, ${stream ? 'streamed' : 'whole'}, to a client that sends back ${keeps}`, () => {
          const memory = createReasoningMemories(digest, () => 0).of('token-1', 'maker-1');
          let request = client.sample.client.ask('Hello', { ...client.sample.thinking });
          for (let turn = 1; turn <= 5; turn++) {
            const exchange = exchangeOf(client, upstream, request, { stream, memory });
            expect([turn, exchange.notes]).toEqual([turn, null]);
            const assistant = messagesIn(exchange.body).filter(({ role }) => role === 'assistant');
            expect(assistant.map(({ content }) => content.slice(0, 2))).toEqual(
              Array.from({ length: turn - 1 }, (_, at) => proofsOf(at + 1)),
            );
            expect(String(exchange.body)).not.toContain('ola-r1.');
            request = client.sample.client.reply(request, toldOf(client, exchange, turn, stream), { keeps });
          }
        });
      }
    }

    test('another maker gets none of it, and the client is told', () => {
      const first = exchangeOf(client, upstream, client.sample.client.ask('Hello', { ...client.sample.thinking }));
      const answer = toldOf(client, first, 1, false);
      const next = client.sample.client.reply(question(), answer, { keeps: 'all' });
      const { body, notes } = exchangeOf(client, upstream, next, { maker: 'maker-2' });
      expect(String(body)).not.toMatch(/reasoningContent|ola-r1\.|Thought/);
      expect(notes?.['x-ola-dropped']).toMatch(/reasoning|thinking/);
    });
  });
}

function answerOfTurn(turn: number): Answer {
  const thought: ReasoningPart = { type: 'reasoning', text: `Thought ${turn} \u2028é`, signature: `U0lH+/${turn}==` };
  const hidden: ReasoningPart = { type: 'reasoning', text: '', redacted: btoa(`hidden ${turn}`) };
  return answerOf([
    thought,
    hidden,
    textPart(`Words ${turn}`),
    toolCall(`call_${turn}`),
    toolCall(`call_${turn}b`, '{"city":"Oslo"}'),
  ]);
}

/** The reasoning of a turn as Bedrock must get it back. */
function proofsOf(turn: number): Fields[] {
  return [
    { reasoningContent: { reasoningText: { text: `Thought ${turn} \u2028é`, signature: `U0lH+/${turn}==` } } },
    { reasoningContent: { redactedContent: btoa(`hidden ${turn}`) } },
  ];
}

function toldOf(client: Speaker, exchange: ReturnType<typeof exchangeOf>, turn: number, stream: boolean): string {
  if (stream) return client.sample.client.fold(run(exchange.pipe(), framesOf(answerOfTurn(turn))).out);
  const whole = exchange.whole(wholeOf(answerOfTurn(turn)));
  if ('kind' in whole) throw new Error(`the answer is read as a failure: ${whole.message}`);
  return whole.body;
}
