import { describe, expect, test } from 'bun:test';
import type { Tool } from '../../../src/core/conversation.ts';
import { noSampling } from '../../../src/core/conversation.ts';
import { chat } from '../../../src/protocols/openai-completions/chat.ts';
import { conversation, type Fields, sent, user } from './chat-parts.ts';

const tool: Tool = { kind: 'function', name: 'f', description: null, parameters: { type: 'object' }, strict: null };
const roles = (messages: readonly Fields[]) =>
  messages.map(({ role, tool_call_id: id }) => (id === undefined ? role : `${role} ${id}`));

describe('fields and quirks', () => {
  test('sampling, limits, formats and the keys of caches', () => {
    const sampling = { temperature: 0, topP: 0.5, topK: 3, seed: 1, frequencyPenalty: 0.1, presencePenalty: 0.2 };
    const format = { kind: 'schema', name: null, description: null, schema: { type: 'object' }, strict: true } as const;
    const asked = conversation([user('x')], {
      sampling,
      format,
      maxTokens: 7,
      stop: ['a'],
      cacheKey: 'k',
      unknown: ['container'],
    });
    const { body, encoded } = sent(asked);
    expect(body).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'x' }],
      max_completion_tokens: 7,
      temperature: 0,
      top_p: 0.5,
      seed: 1,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      stop: ['a'],
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' }, strict: true } },
      prompt_cache_key: 'k',
    });
    expect(encoded).toMatchObject({ dropped: ['topK', 'container'], added: [], headers: null, reasoningLost: false });
    expect(sent(asked, { quirks: { maxTokensOnly: true } }).body).toMatchObject({ max_tokens: 7 });
    expect(sent(asked, { quirks: { maxTokensOnly: true } }).body).not.toHaveProperty('max_completion_tokens');
    const cold = sent(asked, { facts: { id: 'm', noSampling: true } });
    expect(cold.body).not.toHaveProperty('temperature');
    expect(cold.encoded.dropped).toEqual(['topK', 'temperature', 'topP', 'container']);
  });

  test('langchain-litellm#20: a stream is asked to tell its usage, in ola’s name, unless the upstream refuses', () => {
    const asked = conversation([user('x')], { stream: true, sampling: noSampling });
    expect(sent(asked).encoded.added).toEqual(['stream_options']);
    expect(sent(asked).body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    const without = sent(asked, { quirks: { noStreamUsage: true } });
    expect(without.encoded.added).toEqual([]);
    expect(without.body).not.toHaveProperty('stream_options');
  });

  test('strict tools where the model is known to take them', () => {
    const tools: Tool[] = [
      { ...tool, strict: true },
      { ...tool, name: 'g', parameters: null },
    ];
    const asked = conversation([user('x')], { tools });
    expect(sent(asked).encoded.dropped).toEqual(['strictTool']);
    expect(sent(asked, { facts: { id: 'm', strictTools: true } }).body['tools']).toMatchObject([
      { function: { strict: true } },
      {},
    ]);
  });

  test('roles and fields that the upstream refuses', () => {
    const request = {
      messages: [
        { role: 'developer', content: 'S' },
        { role: 'user', content: 'x' },
        { role: 'developer', content: 'N' },
      ],
      store: true,
    };
    const { body, encoded } = sent(chat.decodeRequest(request), { quirks: { noDeveloperRole: true, noStore: true } });
    expect(roles(body['messages'] as Fields[])).toEqual(['system', 'user', 'system']);
    expect(body).not.toHaveProperty('store');
    expect(encoded.dropped).toEqual(['store']);
  });
});
