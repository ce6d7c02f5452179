/** A conversation of five turns that thinks and calls tools: the upstream gets its signed reasoning back, byte for byte and in its place. */
import { describe, expect, test } from 'bun:test';
import type { Answer, Part, ReasoningPart } from '../../../src/core/conversation.ts';
import type { ReasoningMemory } from '../../../src/core/protocol.ts';
import { createReasoningMemories } from '../../../src/gateway/inference/reasoning-memory.ts';
import { exchangeOf, run } from './pairs.ts';
import { answerOf, digest, eventsOf, type Fields, type Speaker, stepsOf, textPart, toolCall, wholeOf } from './scene.ts';

const turns = 5;
/** Signatures are base64; what they hold is nobody's business on the way. */
const signatureOf = (turn: number) => `U0lHTkFUVVJF+/${turn}==`;
const redactedOf = (turn: number) => `RU5DUllQVEVE+/${turn}==`;

/** Thinks, speaks, calls one or two tools; every second turn with encrypted reasoning besides. */
function answerOfTurn(turn: number): Answer {
  const thought: ReasoningPart = { type: 'reasoning', text: `Thought ${turn} \u2028é`, signature: signatureOf(turn) };
  const hidden: ReasoningPart = { type: 'reasoning', text: '', redacted: redactedOf(turn) };
  const calls =
    turn % 2 === 0 ? [toolCall(`call_${turn}`)] : [toolCall(`call_${turn}`), toolCall(`call_${turn}b`, '{"city":"Oslo"}')];
  const said: readonly Part[] = turn === 3 ? [] : [textPart(`Words ${turn}`)];
  return answerOf([thought, ...(turn % 2 === 0 ? [hidden] : []), ...said, ...calls]);
}

const thoughtOf = (turn: number): ReasoningPart => ({ type: 'reasoning', text: `Thought ${turn}`, signature: signatureOf(turn) });
/** Between a text and a call, and between two calls, models think again. */
const interleaved = answerOf([
  thoughtOf(1),
  textPart('Words'),
  thoughtOf(2),
  toolCall('call_1'),
  thoughtOf(3),
  toolCall('call_2', '{"city":"Oslo"}'),
]);

interface Scene {
  readonly client: Speaker;
  readonly upstream: Speaker;
  readonly keeps: 'all' | 'no reasoning';
  readonly stream: boolean;
  readonly memory: ReasoningMemory | null;
}

/** @returns the client's request of the sixth turn, and the upstream's requests of all turns before */
function converse({ client, upstream, keeps, stream, memory }: Scene): { readonly next: Fields; readonly sent: string[] } {
  let request = client.sample.client.ask('Hello', { ...client.sample.thinking });
  const sent: string[] = [];
  for (let turn = 1; turn <= turns; turn++) {
    const exchange = exchangeOf(client, upstream, request, { stream, memory });
    sent.push(String(exchange.body));
    expect([turn, exchange.notes]).toEqual([turn, null]);
    request = client.sample.client.reply(request, told(client, upstream, exchange, turn, stream), { keeps });
  }
  return { next: request, sent };
}

/** The answer as the client gets it; a streamed one is folded as the client's SDK does it. */
function told(
  client: Speaker,
  upstream: Speaker,
  exchange: ReturnType<typeof exchangeOf>,
  turn: number,
  stream: boolean,
): string {
  if (stream) return client.sample.client.fold(run(exchange.pipe(), eventsOf(upstream, stepsOf(answerOfTurn(turn)))).out);
  const whole = exchange.whole(wholeOf(upstream, answerOfTurn(turn)));
  if ('kind' in whole) throw new Error(`the answer is read as a failure: ${whole.message}`);
  return whole.body;
}

/** Parts of the assistant in a request to the upstream, turn by turn. */
function assistantParts({ chat }: Speaker, body: string): (readonly Part[])[] {
  return chat
    .decodeRequest(JSON.parse(body) as Fields)
    .turns.filter(({ role }) => role === 'assistant')
    .map(({ parts }) => parts);
}

/** A part as far as it must come back unchanged. */
function essence(part: Part): unknown {
  if (part.type === 'reasoning') return [part.text, part.signature, part.redacted];
  return part.type === 'toolCall' ? part.id : part.type === 'text' ? part.text : part.type;
}

export function thinkingContract(client: Speaker, upstream: Speaker): void {
  if (upstream.chat.fields.upstream.signedReasoning !== 'carried') return;
  const memoryOf = (maker: string) => createReasoningMemories(digest, () => 0).of('token-1', maker);
  const fate = client.chat.fields.answer.signedReasoning;
  /** The client's messages have a place for signatures: ola need not remember them. */
  const hasSignatures = fate === 'carried' || 'adapted' in fate;

  describe(`five turns that think and call tools: ${client.protocol.id} over ${upstream.protocol.id}`, () => {
    for (const stream of [false, true]) {
      for (const keeps of ['all', 'no reasoning'] as const) {
        const name = `${stream ? 'streamed' : 'whole'}, to a client that sends back ${keeps === 'all' ? 'everything' : keeps}`;
        test(`${name}: the maker gets all of its reasoning back`, () => {
          const memory = keeps === 'all' && hasSignatures ? null : memoryOf('maker-1');
          const { next, sent } = converse({ client, upstream, keeps, stream, memory });
          const last = exchangeOf(client, upstream, next, { memory });
          expect(last.notes).toBeNull();
          for (const [at, body] of [...sent, String(last.body)].entries()) {
            const expected = Array.from({ length: at }, (_, turn) => answerOfTurn(turn + 1).parts.map(essence));
            expect(assistantParts(upstream, body).map((parts) => parts.map(essence))).toEqual(expected);
            expect(body).not.toContain('ola-r1.');
          }
        });
      }
    }

    for (const keeps of ['all', 'no reasoning'] as const) {
      test(`reasoning between texts and calls comes back in its places, from a client that sends back ${keeps === 'all' ? 'everything' : keeps}`, () => {
        const memory = memoryOf('maker-1');
        const request = client.sample.client.ask('Hello', client.sample.thinking);
        const whole = exchangeOf(client, upstream, request, { memory }).whole(wholeOf(upstream, interleaved));
        if ('kind' in whole) throw new Error(`the answer is read as a failure: ${whole.message}`);
        const next = client.sample.client.reply(request, whole.body, { keeps });
        const { body } = exchangeOf(client, upstream, next, { memory });
        expect(assistantParts(upstream, String(body)).map((parts) => parts.map(essence))).toEqual([
          interleaved.parts.map(essence),
        ]);
      });
    }

    test('another maker gets none of it, and the client is told', () => {
      const { next } = converse({
        client,
        upstream,
        keeps: 'all',
        stream: false,
        memory: hasSignatures ? null : memoryOf('maker-1'),
      });
      const { body, notes } = exchangeOf(client, upstream, next, { maker: 'maker-2' });
      expect(String(body)).not.toMatch(/U0lHTkFUVVJF|RU5DUllQVEVE|ola-r1\.|Thought/);
      expect(notes?.['x-ola-dropped']).toMatch(/reasoning|thinking/);
      expect(assistantParts(upstream, String(body)).flat()).not.toContainEqual(expect.objectContaining({ type: 'reasoning' }));
    });

    test('a model that refuses a turn without its reasoning is not asked to reason when it is gone, and the client is told', () => {
      const model = upstream.sample.strictModel;
      if (model === undefined) return;
      const { next } = converse({ client, upstream, keeps: 'no reasoning', stream: false, memory: memoryOf('maker-1') });
      const { body, notes } = exchangeOf(client, upstream, next, { model, maker: 'maker-2', memory: memoryOf('maker-2') });
      expect(String(body)).not.toMatch(/U0lHTkFUVVJF|RU5DUllQVEVE|ola-r1\./);
      expect(notes).toMatchObject({ 'x-ola-reasoning': 'lost' });
    });
  });
}
