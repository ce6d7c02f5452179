/** A request with each field alone, and an answer with each field alone. */
import type { Answer, Conversation, MediaSource, Part, Tool, ToolChoice, Turn } from '../../../src/core/conversation.ts';
import { noSampling, type Sampling } from '../../../src/core/conversation.ts';
import type { AnswerField, RequestField } from '../../../src/core/hub-fields.ts';
import { noTokenCounts, type TokenCounts } from '../../../src/core/usage.ts';
import { answerOf, conversation, stop, textPart, toolCall, toolResult, weather } from './scene.ts';

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const pdf = Buffer.from('%PDF-1.4 a document of one page').toString('base64');
const wav = Buffer.from('RIFF a sound').toString('base64');

const user = (...parts: readonly Part[]): Turn => ({ role: 'user', parts });
const assistant = (...parts: readonly Part[]): Turn => ({ role: 'assistant', parts });
const withPart = (part: Part) => conversation({ turns: [user(textPart('Look'), { ...part, field: 'messages.0.content.1' })] });
const withCalls = (said: readonly Part[], results: readonly Part[]) =>
  conversation({ turns: [user(textPart('Hello')), assistant(...said), user(...results)], tools: [weather] });
const withResult = (inside: Part) => withCalls([toolCall('call_1')], [toolResult('call_1', textPart('Here'), inside)]);
const withTool = (more: Partial<Tool>) => conversation({ tools: [{ ...weather, ...more }] });
const withChoice = (toolChoice: ToolChoice) => conversation({ tools: [weather, { ...weather, name: 'other' }], toolChoice });
const withSampling = (sampling: Partial<Sampling>) => conversation({ sampling: { ...noSampling, ...sampling } });
const withReasoning = (part: Part) => withCalls([part, toolCall('call_1')], [toolResult('call_1', textPart('Sun'))]);
const wish = (reasoning: Partial<Conversation['reasoning']>) =>
  conversation({ maxTokens: 8192, reasoning: { effort: null, budget: null, summary: null, ...reasoning } });

const media = (kind: 'image' | 'audio' | 'document' | 'video', source: object): Part => ({
  type: 'media',
  kind,
  source: { mime: null, detail: null, ...source } as MediaSource,
  name: null,
});
const image = media('image', { mime: 'image/png', data: png });
const document = media('document', { mime: 'application/pdf', data: pdf });
const schema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};

export const requestSamples: Readonly<Record<RequestField, Conversation>> = {
  system: conversation({ system: [textPart('Be brief.')] }),
  systemInTheMiddle: conversation({
    turns: [
      user(textPart('Hello')),
      assistant(textPart('Hi')),
      user(textPart('More')),
      { role: 'system', parts: [textPart('Be brief.')] },
    ],
  }),
  text: conversation(),
  imageData: withPart(image),
  imageUrl: withPart(media('image', { url: 'https://example.com/a.png' })),
  documentData: withPart({ ...document, name: 'a.pdf' } as Part),
  documentUrl: withPart(media('document', { url: 'https://example.com/a.pdf' })),
  documentText: withPart({ ...media('document', { mime: 'text/plain', text: 'Plain words.' }), name: 'Title' } as Part),
  audio: withPart(media('audio', { mime: 'audio/wav', data: wav })),
  video: withPart(media('video', { url: 'https://example.com/a.mp4' })),
  reasoning: withReasoning({ type: 'reasoning', text: 'Thoughts' }),
  signedReasoning: withReasoning({ type: 'reasoning', text: 'Thoughts', signature: 'SIGNATURE' }),
  redactedReasoning: withReasoning({ type: 'reasoning', text: '', redacted: 'ENCRYPTED' }),
  toolCall: withCalls([toolCall('call_1')], [toolResult('call_1', textPart('Sun'))]),
  parallelToolCalls: withCalls(
    [toolCall('call_1'), toolCall('call_2', '{"city":"Oslo"}')],
    [toolResult('call_1', textPart('Sun')), toolResult('call_2', textPart('Snow'))],
  ),
  customToolCall: withCalls(
    [{ ...toolCall('call_1', '*** Begin Patch', 'patch'), kind: 'custom' }],
    [toolResult('call_1', textPart('Done'))],
  ),
  toolResult: withCalls([toolCall('call_1')], [toolResult('call_1', textPart('Sun'))]),
  failedToolResult: withCalls([toolCall('call_1')], [{ ...toolResult('call_1', textPart('No such city')), isError: true }]),
  imageInToolResult: withResult(image),
  documentInToolResult: withResult(document),
  refusal: conversation({
    turns: [user(textPart('Hello')), assistant({ type: 'refusal', text: 'I will not.' }), user(textPart('Why?'))],
  }),
  foreignBlock: withPart({ type: 'opaque', protocol: 'another', name: 'search', value: { type: 'search' } }),
  functionTool: withTool({}),
  customTool: withTool({ kind: 'custom', name: 'patch', parameters: null }),
  strictTool: withTool({ strict: true }),
  toolChoiceAuto: withChoice('auto'),
  toolChoiceNone: withChoice('none'),
  toolChoiceRequired: withChoice('required'),
  toolChoiceNamed: withChoice({ name: 'weather' }),
  toolChoiceAllowed: withChoice({ allowed: ['weather'], mode: 'required' }),
  parallelTools: conversation({ tools: [weather], parallelTools: false }),
  maxTokens: conversation({ maxTokens: 2048 }),
  temperature: withSampling({ temperature: 0.5 }),
  topP: withSampling({ topP: 0.5 }),
  topK: withSampling({ topK: 5 }),
  seed: withSampling({ seed: 7 }),
  frequencyPenalty: withSampling({ frequencyPenalty: 0.5 }),
  presencePenalty: withSampling({ presencePenalty: 0.5 }),
  stop: conversation({ stop: ['END'] }),
  formatJson: conversation({ format: { kind: 'json' } }),
  formatSchema: conversation({ format: { kind: 'schema', name: 'city', description: null, schema, strict: true } }),
  effort: wish({ effort: 'high' }),
  reasoningBudget: wish({ budget: 2048 }),
  reasoningSummary: wish({ effort: 'high', summary: 'none' }),
  cacheHint: conversation({ turns: [user({ ...textPart('Hello'), cache: { ttl: null } })] }),
  cacheKey: conversation({ cacheKey: 'key-1' }),
  user: conversation({ user: 'user-1' }),
  stream: conversation({ stream: true }),
};

/** What each sample is compared with: the same without the field. */
export const withoutField: Readonly<Partial<Record<RequestField, Conversation>>> = {
  text: conversation({ turns: [user(textPart('Goodbye'))] }),
  maxTokens: conversation({ maxTokens: 1024 }),
  functionTool: conversation(),
  strictTool: conversation({ tools: [weather] }),
  parallelTools: conversation({ tools: [weather] }),
  reasoning: requestSamples.toolCall,
  signedReasoning: requestSamples.toolCall,
  redactedReasoning: requestSamples.toolCall,
  failedToolResult: withCalls([toolCall('call_1')], [toolResult('call_1', textPart('No such city'))]),
  imageInToolResult: withCalls([toolCall('call_1')], [toolResult('call_1', textPart('Here'))]),
  documentInToolResult: withCalls([toolCall('call_1')], [toolResult('call_1', textPart('Here'))]),
  toolChoiceNone: conversation({ tools: [weather, { ...weather, name: 'other' }] }),
  toolChoiceRequired: conversation({ tools: [weather, { ...weather, name: 'other' }] }),
  toolChoiceNamed: conversation({ tools: [weather, { ...weather, name: 'other' }] }),
  toolChoiceAllowed: conversation({ tools: [weather, { ...weather, name: 'other' }] }),
  effort: conversation({ maxTokens: 8192 }),
  reasoningBudget: conversation({ maxTokens: 8192 }),
  reasoningSummary: wish({ effort: 'high' }),
};

const ended = (end: Partial<Answer['end']>) => answerOf([textPart('Hi')], { end: { ...stop, ...end } });
const counted = (tokens: Partial<TokenCounts>) => answerOf([textPart('Hi')], { tokens: { ...noTokenCounts, ...tokens } });

export const answerSamples: Readonly<Record<AnswerField, Answer>> = {
  text: answerOf([textPart('Hello')]),
  reasoning: answerOf([{ type: 'reasoning', text: 'Thoughts' }, textPart('Hi')]),
  signedReasoning: answerOf([{ type: 'reasoning', text: 'Thoughts', signature: 'SIGNATURE' }, textPart('Hi')]),
  redactedReasoning: answerOf([{ type: 'reasoning', text: '', redacted: 'ENCRYPTED' }, textPart('Hi')]),
  toolCall: answerOf([toolCall('call_1')]),
  parallelToolCalls: answerOf([toolCall('call_1'), toolCall('call_2', '{"city":"Oslo"}')]),
  customToolCall: answerOf([{ ...toolCall('call_1', '*** Begin Patch', 'patch'), kind: 'custom' }]),
  refusal: answerOf([{ type: 'refusal', text: 'I will not.' }], { end: { ...stop, reason: 'refusal' } }),
  foreignBlock: answerOf([textPart('Hi'), { type: 'opaque', protocol: 'another', name: 'search', value: { type: 'search' } }]),
  endStop: ended({ reason: 'stop' }),
  endLength: ended({ reason: 'length' }),
  endToolCalls: answerOf([toolCall('call_1')]),
  endContentFilter: ended({ reason: 'contentFilter' }),
  endRefusal: ended({ reason: 'refusal' }),
  endPause: ended({ reason: 'pause' }),
  stopSequence: ended({ sequence: 'END' }),
  promptTokens: counted({ prompt: 11 }),
  completionTokens: counted({ completion: 7 }),
  cacheReadTokens: counted({ prompt: 11, cacheRead: 5 }),
  cacheWriteTokens: counted({ prompt: 11, cacheWrite: 3 }),
  reasoningTokens: counted({ completion: 7, reasoning: 2 }),
};
