import { describe, expect, test } from 'bun:test';
import type { Conversation, Part, ReasoningWish, Tool, ToolChoice } from '../../../src/core/conversation.ts';
import { noSampling } from '../../../src/core/conversation.ts';
import { type RequestField, requestFields } from '../../../src/core/hub-fields.ts';
import { asFunctions } from '../../../src/protocols/custom-tools.ts';
import { chat } from '../../../src/protocols/openai-completions/chat.ts';
import { assistant, call, conversation, type Fields, image, refusedField, result, sent, system, user } from './chat-parts.ts';

const { client, upstream } = chat.fields;

/** A request with one field that asks for something. */
const asking: Readonly<Record<string, unknown>> = {
  n: 2,
  logprobs: true,
  top_logprobs: 2,
  modalities: ['audio'],
  audio: { voice: 'alloy', format: 'wav' },
  web_search_options: {},
  file_id: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }],
};

describe('fields of clients', () => {
  for (const [name, fate] of Object.entries(client)) {
    if (Array.isArray(fate)) continue;
    test(`${name} is ${'refused' in fate ? 'refused' : 'dropped'}`, () => {
      const messages = [{ role: 'user', content: 'x' }];
      const request = name === 'file_id' ? { messages: asking[name] } : { messages, [name]: asking[name] ?? 'x' };
      if ('refused' in fate) expect(refusedField(() => chat.decodeRequest(request))).toContain(name);
      else expect(chat.decodeRequest(request).unknown).toEqual([name]);
    });
  }

  test('that are held are no unknown ones', () => {
    const held: Fields = {
      max_tokens: 1,
      temperature: 1,
      top_k: 1,
      stop: 'x',
      user: 'u',
      reasoning_effort: 'low',
      enable_thinking: true,
    };
    expect(chat.decodeRequest({ messages: [{ role: 'user', content: 'x' }], ...held }).unknown).toEqual([]);
    for (const name of Object.keys(held)) expect(Array.isArray(client[name])).toBe(true);
  });
});

const media = (kind: 'audio' | 'video' | 'document', source: object): Part => ({
  type: 'media',
  kind,
  source: { mime: null, detail: null, ...source } as never,
  name: null,
});
const pdf = media('document', { data: 'PDF1' });
const tool: Tool = { kind: 'function', name: 'f', description: null, parameters: null, strict: null };
const withTool = (toolChoice: ToolChoice) => conversation([user('x')], { tools: [tool], toolChoice });
const wish = (made: Partial<ReasoningWish>) =>
  conversation([user('x')], { reasoning: { effort: null, budget: null, summary: null, ...made } });
const sampled = (made: Partial<typeof noSampling>) => conversation([user('x')], { sampling: { ...noSampling, ...made } });
const called = (...parts: Part[]) => conversation([user('x'), assistant(call('a')), user(...parts)]);
const answered = (...parts: Part[]) => conversation([user('x'), assistant('y', ...parts), user('z')]);
const custom: Part = { type: 'toolCall', id: 'a', name: 'sh', kind: 'custom', arguments: 'CUSTOM1' };

/** A conversation with each field, and a text of the body that carries it; empty: the body says nothing of it. */
const samples: Readonly<Record<RequestField, readonly [Conversation, string]>> = {
  system: [conversation([user('x')], { system: [{ type: 'text', text: 'SYS1' }] }), '"role":"system","content":"SYS1"'],
  systemInTheMiddle: [conversation([user('x'), system('SYS2')]), '"role":"system","content":"SYS2"'],
  text: [conversation([user('TEXT1')]), 'TEXT1'],
  imageData: [conversation([user(image('IMG1'))]), 'data:image/png;base64,IMG1'],
  imageUrl: [
    conversation([
      user({ type: 'media', kind: 'image', name: null, source: { url: 'https://a.example/i', mime: null, detail: null } }),
    ]),
    'https://a.example/i',
  ],
  documentData: [conversation([user(pdf)]), 'base64,PDF1'],
  documentUrl: [conversation([user(media('document', { url: 'https://a.example/d' }))]), ''],
  documentText: [conversation([user(media('document', { text: 'DOC1' }))]), '"content":"DOC1"'],
  audio: [conversation([user(media('audio', { data: 'AUDIO1', mime: 'audio/mpeg' }))]), 'AUDIO1'],
  video: [conversation([user(media('video', { url: 'https://a.example/v' }))]), ''],
  reasoning: [answered({ type: 'reasoning', text: 'R1' }), ''],
  signedReasoning: [answered({ type: 'reasoning', text: 'R1', signature: 'S1' }), ''],
  redactedReasoning: [answered({ type: 'reasoning', text: '', redacted: 'D1' }), ''],
  toolCall: [answered(call('a', 'CALL1')), 'CALL1'],
  parallelToolCalls: [answered(call('a'), call('b', 'CALL2')), 'CALL2'],
  customToolCall: [answered(custom), '"input":"CUSTOM1"'],
  toolResult: [called(result('a', 'RES1')), '"content":"RES1"'],
  failedToolResult: [
    called({ type: 'toolResult', callId: 'a', parts: [{ type: 'text', text: 'RES2' }], isError: true }),
    'Error: RES2',
  ],
  imageInToolResult: [called(result('a', image('IMG2'))), 'base64,IMG2'],
  documentInToolResult: [called(result('a', pdf)), 'base64,PDF1'],
  refusal: [answered({ type: 'refusal', text: 'REF1' }), '"refusal":"REF1"'],
  foreignBlock: [conversation([user({ type: 'opaque', protocol: 'other', name: 'block', value: {} })]), ''],
  functionTool: [conversation([user('x')], { tools: [tool] }), '"function":{"name":"f"}'],
  customTool: [
    asFunctions(conversation([user('x')], { tools: [{ ...tool, kind: 'custom' }] })).conversation,
    '"input":{"type":"string"',
  ],
  strictTool: [conversation([user('x')], { tools: [{ ...tool, strict: true }] }), ''],
  toolChoiceAuto: [withTool('auto'), '"tool_choice":"auto"'],
  toolChoiceNone: [withTool('none'), '"tool_choice":"none"'],
  toolChoiceRequired: [withTool('required'), '"tool_choice":"required"'],
  toolChoiceNamed: [withTool({ name: 'f' }), '"tool_choice":{"type":"function"'],
  toolChoiceAllowed: [withTool({ allowed: ['f'], mode: 'auto' }), 'allowed_tools'],
  parallelTools: [conversation([user('x')], { tools: [tool], parallelTools: false }), '"parallel_tool_calls":false'],
  maxTokens: [conversation([user('x')], { maxTokens: 7 }), '"max_completion_tokens":7'],
  temperature: [sampled({ temperature: 0 }), '"temperature":0'],
  topP: [sampled({ topP: 0.5 }), '"top_p":0.5'],
  topK: [sampled({ topK: 5 }), ''],
  seed: [sampled({ seed: 5 }), '"seed":5'],
  frequencyPenalty: [sampled({ frequencyPenalty: 1 }), '"frequency_penalty":1'],
  presencePenalty: [sampled({ presencePenalty: 1 }), '"presence_penalty":1'],
  stop: [conversation([user('x')], { stop: ['STOP1'] }), '"stop":["STOP1"]'],
  formatJson: [conversation([user('x')], { format: { kind: 'json' } }), 'json_object'],
  formatSchema: [
    conversation([user('x')], { format: { kind: 'schema', name: 'N1', description: null, schema: {}, strict: null } }),
    '"json_schema":{"name":"N1"',
  ],
  effort: [wish({ effort: 'low' }), '"reasoning_effort":"low"'],
  reasoningBudget: [wish({ budget: 2048 }), '"reasoning_effort":"low"'],
  reasoningSummary: [wish({ summary: 'auto' }), ''],
  cacheHint: [conversation([user({ type: 'text', text: 'x', cache: { ttl: null } })]), ''],
  cacheKey: [conversation([user('x')], { cacheKey: 'KEY1' }), '"prompt_cache_key":"KEY1"'],
  user: [conversation([user('x')], { user: 'USER1' }), '"user":"USER1"'],
  stream: [conversation([user('x')], { stream: true }), '"stream":true'],
};

/** Fields that are named where an upstream of which nothing is known is not told them. */
const named: readonly RequestField[] = ['redactedReasoning', 'strictTool', 'topK', 'reasoningSummary', 'cacheHint'];

describe('fields of the hub, to an upstream of which nothing is known', () => {
  for (const name of requestFields) {
    const fate = upstream[name];
    const [asked, text] = samples[name];
    test(`${name} is ${typeof fate === 'string' ? fate : Object.keys(fate)[0]}`, () => {
      if (typeof fate === 'object' && 'refused' in fate) {
        expect(refusedField(() => sent(asked))).toBe('messages');
        return;
      }
      const { body, dropped } = sent(asked).encoded;
      expect(dropped).toEqual(named.includes(name) ? [name] : []);
      expect(body).toContain(text);
      if (fate === 'carried') expect(text).not.toBe('');
      if (typeof fate === 'object' && 'dropped' in fate) expect(dropped).toEqual([name]);
    });
  }
});
