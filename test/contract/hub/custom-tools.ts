/** D04: free-form tools of a client over an upstream of another protocol, which may have functions alone. */
import { expect, test } from 'bun:test';
import { fold } from '../../../src/core/answers.ts';
import type { Part, ToolCallPart } from '../../../src/core/conversation.ts';
import { exchangeOf, run } from './pairs.ts';
import {
  answerOf,
  bodyOf,
  conversation,
  eventsOf,
  type Fields,
  readStream,
  type Speaker,
  stepsOf,
  toolCall,
  toolResult,
  weather,
  wholeOf,
} from './scene.ts';

const patch = '*** Begin Patch\n*** Update File: "a"\n';
const called: ToolCallPart = { ...toolCall('call_1', patch, 'patch'), kind: 'custom' };
const tool = { ...weather, kind: 'custom', name: 'patch', parameters: null } as const;

export function customToolContract(client: Speaker, upstream: Speaker): void {
  const places = Object.values(client.chat.fields.client).flatMap((fate) => (Array.isArray(fate) ? fate : []));
  if (!places.includes('customTool')) return;
  const isOwn = upstream.chat.customTools;
  const made: ToolCallPart = isOwn ? called : { ...called, kind: 'function', arguments: JSON.stringify({ input: patch }) };
  const answer = answerOf([made, toolCall('call_2')]);
  const request = (more: object = {}) => bodyOf(client, conversation({ tools: [tool, weather], ...more }));

  test(`D04: ${client.protocol.id} over ${upstream.protocol.id}: a free-form tool is called with its text, and a function beside it stays one`, () => {
    const whole = exchangeOf(client, upstream, request()).whole(wholeOf(upstream, answer));
    if ('kind' in whole) throw new Error(`the answer is read as a failure: ${whole.message}`);
    const read = client.chat.decodeAnswer(whole.body);
    const { out } = run(exchangeOf(client, upstream, request(), { stream: true }).pipe(), eventsOf(upstream, stepsOf(answer)));
    for (const told of [read, fold(readStream(client, [out]).steps)])
      expect(told).toMatchObject({ parts: [called, { kind: 'function', arguments: '{"city":"Rome"}' }] });
  });

  test(`D04: ${client.protocol.id} over ${upstream.protocol.id}: its calls of earlier turns go up in the form of the tool`, () => {
    const turns = [
      { role: 'user', parts: [{ type: 'text', text: 'Hello' }] },
      { role: 'assistant', parts: [called] },
      { role: 'user', parts: [toolResult('call_1', { type: 'text', text: 'Done' })] },
    ];
    const { body, notes } = exchangeOf(client, upstream, request({ turns }));
    expect(notes).toBeNull();
    const told = upstream.chat.decodeRequest(JSON.parse(String(body)) as Fields);
    expect(told.tools).toMatchObject([
      { kind: made.kind, name: 'patch' },
      { kind: 'function', name: 'weather' },
    ]);
    const calls: readonly Part[] = told.turns.flatMap(({ parts }) => parts.filter(({ type }) => type === 'toolCall'));
    expect(calls).toMatchObject([made]);
  });
}
