/** A double of Amazon Bedrock's Converse behind a Bedrock API key: answers by a script, and refuses a request that breaks a rule of the API. */
import { createHmac } from 'node:crypto';
import { event, joined } from '../../protocols/bedrock-converse-stream/frames.ts';
import { brokenRules, type ConverseBody } from '../../protocols/bedrock-converse-stream/rules.ts';
import { answer, type Behaviour, type Received } from '../upstream.ts';
import { type Asked, type Fields, fieldsOf, idOf, listOf, piecesOf, type Script, spent, type Told, textOf } from './script.ts';

const usage = {
  inputTokens: spent.prompt - spent.cacheRead - spent.cacheWrite,
  cacheReadInputTokens: spent.cacheRead,
  cacheWriteInputTokens: spent.cacheWrite,
  outputTokens: spent.completion,
  totalTokens: spent.prompt + spent.completion,
};

const signatureOf = (text: string): string => createHmac('sha256', 'bedrock').update(text).digest('base64');

/** @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html */
export function converse(script: Script): Behaviour {
  return (received) => {
    const body = fieldsOf(JSON.parse(received.body));
    const thinks = fieldsOf(fieldsOf(body['additionalModelRequestFields'])['thinking'])['type'] === 'enabled';
    const broken = [...brokenRules(body as unknown as ConverseBody), ...brokenReasoning(body, thinks)];
    if (broken.length > 0) return answer(400, { message: broken.join('; ') })(received);
    const asked = readAsked(body, received.head);
    const reply = script(asked);
    if ('status' in reply) return answer(reply.status, { message: reply.message }, reply.headers)(received);
    return (asked.stream ? streamed : whole)(received, thinks ? reply : { ...reply, reasoning: '' }, asked);
  };
}

const blocksOf = (message: Fields | undefined): readonly Fields[] => listOf(message?.['content']);

/** A model that thinks wants the thinking of the turn that called tools, as it was signed. */
function brokenReasoning(body: Fields, thinks: boolean): string[] {
  const answers = listOf(body['messages']).filter(({ role }) => role === 'assistant');
  const thoughts = answers
    .flatMap(blocksOf)
    .flatMap(({ reasoningContent }) => (reasoningContent === undefined ? [] : [reasoningContent]));
  const isWrong = thoughts
    .map((thought) => fieldsOf(fieldsOf(thought)['reasoningText']))
    .some(({ text, signature }) => signature !== signatureOf(textOf(text)));
  const [first] = blocksOf(answers.at(-1));
  const calls = blocksOf(answers.at(-1)).some((block) => 'toolUse' in block);
  return [
    ...(isWrong ? ['Invalid `signature` in `thinking` block'] : []),
    ...(thinks && calls && first?.['reasoningContent'] === undefined ? ['Expected `thinking`, but found `tool_use`'] : []),
  ];
}

function readAsked(body: Fields, head: string): Asked {
  const messages = listOf(body['messages']);
  const ofUsers = messages.filter(({ role }) => role === 'user').flatMap(blocksOf);
  return {
    model: decodeURIComponent(/\/model\/([^/]+)\//.exec(head)?.[1] ?? ''),
    stream: head.split('\r\n')[0]?.includes('/converse-stream') === true,
    tools: listOf(fieldsOf(body['toolConfig'])['tools']).map((tool) => textOf(fieldsOf(tool['toolSpec'])['name'])),
    roles: messages.map(({ role }) => textOf(role)),
    answers: messages.filter(({ role }) => role === 'assistant').length,
    results: blocksOf(messages.at(-1))
      .map((block) => fieldsOf(block['toolResult']))
      .filter(({ toolUseId }) => toolUseId !== undefined)
      .map(({ toolUseId, content }) => ({ callId: textOf(toolUseId), text: textOf(listOf(content)[0]?.['text']) })),
    images: ofUsers.map(({ image }) => textOf(fieldsOf(fieldsOf(image)['source'])['bytes'])).filter((data) => data !== ''),
    lastText: textOf(ofUsers.findLast(({ text }) => text !== undefined)?.['text']),
  };
}

const stopOf = ({ end, calls = [] }: Told): string =>
  end !== undefined ? { length: 'max_tokens', refusal: 'guardrail_intervened' }[end] : calls.length > 0 ? 'tool_use' : 'end_turn';

const callsOf = ({ calls = [] }: Told, asked: Asked) =>
  calls.map(({ name, input }, at) => ({ toolUseId: `tooluse_${idOf(asked, at)}`, name, input }));

function whole(received: Received, told: Told, asked: Asked): void | Promise<void> {
  const { reasoning = '', text = '' } = told;
  const reasoningText = { text: reasoning, signature: signatureOf(reasoning) };
  const content = [
    ...(reasoning === '' ? [] : [{ reasoningContent: { reasoningText } }]),
    ...(text === '' ? [] : [{ text }]),
    ...callsOf(told, asked).map((toolUse) => ({ toolUse })),
  ];
  const output = { message: { role: 'assistant', content } };
  return answer(200, { output, stopReason: stopOf(told), usage, metrics: { latencyMs: 1 } })(received);
}

/** A stream that is cut ends without its last frames. */
function streamed(received: Received, told: Told, asked: Asked): void | Promise<void> {
  const { reasoning = '', text = '' } = told;
  const deltas = (list: readonly Fields[], contentBlockIndex: number) =>
    list.map((delta) => event('contentBlockDelta', { contentBlockIndex, delta }));
  const thought = [
    ...piecesOf(reasoning).map((piece) => ({ reasoningContent: { text: piece } })),
    { reasoningContent: { signature: signatureOf(reasoning) } },
  ];
  const blocks = [
    ...(reasoning === '' ? [] : [{ start: null, deltas: thought }]),
    ...(text === '' ? [] : [{ start: null, deltas: piecesOf(text).map((piece) => ({ text: piece })) }]),
    ...callsOf(told, asked).map(({ toolUseId, name, input }) => ({
      start: { toolUse: { toolUseId, name } },
      deltas: piecesOf(JSON.stringify(input)).map((piece) => ({ toolUse: { input: piece } })),
    })),
  ];
  const frames = blocks.flatMap((block, at) => [
    ...(block.start === null ? [] : [event('contentBlockStart', { contentBlockIndex: at, start: block.start })]),
    ...deltas(block.deltas, at),
    event('contentBlockStop', { contentBlockIndex: at }),
  ]);
  const end = [event('messageStop', { stopReason: stopOf(told) }), event('metadata', { usage, metrics: { latencyMs: 1 } })];
  const sent = joined([event('messageStart', { role: 'assistant' }), ...frames, ...(told.breaksOff === true ? [] : end)]);
  return answer(200, Buffer.from(sent), { 'content-type': 'application/vnd.amazon.eventstream' })(received);
}
