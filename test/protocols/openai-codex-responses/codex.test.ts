/** ChatGPT's backend over OpenAI's responses: what it is asked, in which headers, and the limits it tells. */
import { describe, expect, test } from 'bun:test';
import { type Conversation, noSampling } from '../../../src/core/conversation.ts';
import { OlaError } from '../../../src/core/errors.ts';
import type { Exchange, UpstreamModel } from '../../../src/core/protocol.ts';
import { protocols } from '../../../src/protocols/all.ts';
import { createTranslator } from '../../../src/protocols/translate.ts';
import { conversation, digest, textPart, toolCall, toolResult, weather } from '../../contract/hub/scene.ts';
import { event, responseEvents } from '../openai-responses/samples.ts';
import { upstreamModel } from '../upstream-model.ts';

type Fields = Readonly<Record<string, unknown>>;

const codex = protocols.find(({ id }) => id === 'openai-codex-responses')!;
const to = (rest: Partial<UpstreamModel> = {}) => upstreamModel('gpt-up', { protocol: codex.id, ...rest });

function asked(rest: Partial<Conversation>, model: Partial<UpstreamModel> = {}) {
  const request = codex.chat!.encodeRequest(conversation({ maxTokens: null, ...rest }), to(model), digest);
  return { ...request, fields: JSON.parse(request.body) as Fields };
}

/** The exchange of a client's request with the backend. */
function exchange(client: string, path: string, fields: Fields): Exchange {
  const protocol = protocols.find(({ id }) => id === client)!;
  const route = protocol.clientRoutes.find((each) => each.path === path)!;
  const body = { text: JSON.stringify(fields), fields };
  const call = { route, body, params: {}, peek: route.peek(body, {}), query: '', headers: null };
  const facts = { requestId: 'request-1', startedAt: 1_000_000, memory: null };
  const made = createTranslator(protocols, digest).exchange(protocol, call, to(), facts);
  if (made === null || 'own' in made) throw new Error('there is no exchange');
  return made;
}
const response = (fields: Fields) => exchange('openai-responses', '/v1/responses', { model: 'm', store: false, ...fields });

describe('the backend', () => {
  test('is always asked for a stream, and never to store', () => {
    for (const stream of [true, false])
      expect(asked({ stream }).fields).toMatchObject({ stream: true, store: false, include: ['reasoning.encrypted_content'] });
    expect(asked({}).path).toBe('/codex/responses');
  });

  test('always gets instructions: the client’s own where it has some', () => {
    expect(asked({ system: [textPart('Be brief.')] }).fields['instructions']).toBe('Be brief.');
    expect(asked({}).fields['instructions']).toMatch(/\S/);
  });

  test('gets no field that it refuses, and the client is told', () => {
    const sampling = { ...noSampling, temperature: 0.5, topP: 0.5, seed: 7 };
    const { fields, dropped } = asked({ sampling, maxTokens: 900, user: 'u' });
    for (const name of ['temperature', 'top_p', 'seed', 'max_output_tokens', 'user']) expect(fields).not.toHaveProperty(name);
    expect([...dropped].sort()).toEqual(['maxTokens', 'seed', 'temperature', 'topP', 'user']);
    const fromResponses = { metadata: { a: 'b' }, truncation: 'auto', safety_identifier: 'u', top_p: 0.5, max_output_tokens: 99 };
    const { body, notes } = response({ input: 'Hello', service_tier: 'flex', ...fromResponses });
    for (const name of [...Object.keys(fromResponses), 'service_tier']) expect(JSON.parse(String(body))).not.toHaveProperty(name);
    expect(notes!['x-ola-dropped']!.split(', ').sort()).toEqual([
      'max_output_tokens',
      'metadata',
      'safety_identifier',
      'service_tier',
      'top_p',
      'truncation',
    ]);
  });

  test('is told the names of the program and of the session, which keeps the prompt’s cache', () => {
    expect(asked({}).headers).toMatchObject({ originator: 'ola', 'openai-beta': 'responses=experimental' });
    const session = { 'session-id': 'key-1', 'x-client-request-id': 'key-1' };
    expect(asked({ cacheKey: 'key-1' }).headers).toMatchObject(session);
    expect(asked({ cacheKey: 'a\r\nb' }).headers).not.toHaveProperty('session-id');
  });

  test('is asked for the level `low` in place of `minimal`, unless the model has it', () => {
    const reasoning = { effort: 'minimal', budget: null, summary: null };
    expect(asked({ reasoning }).fields['reasoning']).toMatchObject({ effort: 'low' });
    const facts = { id: 'm', reasoning: true, efforts: { minimal: 'minimal' } };
    expect(asked({ reasoning }, { facts }).fields['reasoning']).toMatchObject({ effort: 'minimal' });
  });

  test('gets calls and results of any client', () => {
    const turns = [
      { role: 'user', parts: [textPart('Hello')] },
      { role: 'assistant', parts: [toolCall('call_1')] },
      { role: 'user', parts: [toolResult('call_1', textPart('Sun'))] },
    ] as const;
    expect(asked({ turns, tools: [weather] }).fields['input']).toEqual([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] },
      { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'Sun' },
    ]);
  });
});

describe('a client of the responses', () => {
  const agent = {
    instructions: 'You are an agent.',
    input: [
      { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'The sandbox is read-only.' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] },
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'x' } },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi' }], phase: 'commentary' },
      { type: 'local_shell_call', call_id: 'call_2', status: 'completed', action: { type: 'exec', command: ['ls'] } },
      { type: 'local_shell_call_output', id: 'call_2', output: 'a' },
    ],
    tools: [
      { type: 'web_search' },
      { type: 'custom', name: 'apply_patch', format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' } },
    ],
    tool_choice: { type: 'web_search' },
    text: { verbosity: 'low' },
    reasoning: { effort: 'high', summary: 'auto' },
    prompt_cache_key: 'key-1',
    client_metadata: { a: 'b' },
    parallel_tool_calls: true,
  };

  test('gives the backend its own tools and items, which no other upstream has', () => {
    const { body, notes } = response(agent);
    const { stream, include, ...sent } = JSON.parse(String(body)) as Fields;
    expect([stream, include]).toEqual([true, ['reasoning.encrypted_content']]);
    expect(sent).toEqual({ model: 'gpt-up', store: false, ...agent });
    expect(notes).toBeNull();
  });

  test('is told that nothing is stored, unless it asked for that', () => {
    expect(response({ input: 'Hello', store: true }).notes).toEqual({ 'x-ola-dropped': 'store' });
    expect(response({ input: 'Hello' }).notes).toBeNull();
  });

  test('is refused to name what another provider stores', () => {
    for (const fields of [
      { previous_response_id: 'resp_0' },
      { conversation: 'conv_0' },
      { background: true },
      { prompt: { id: 'p' } },
    ])
      expect(() => response({ input: 'Hello', ...fields })).toThrow(OlaError);
  });

  test('gets a whole answer of the stream, when it asked for one', () => {
    const whole = response({ input: 'Hello' }).whole(responseEvents.join(''));
    if ('kind' in whole) throw new Error(String(whole.message));
    expect(whole.tokens).toMatchObject({ prompt: 19, completion: 10, cacheRead: 4, reasoning: 2 });
    expect(JSON.parse(whole.body)).toMatchObject({ object: 'response', store: false, output: [{ type: 'message' }] });
  });
});

test('a chat gets a whole answer of the stream too, and an Anthropic client', () => {
  const messages = [{ role: 'user', content: 'Hello' }];
  const chat = exchange('openai-completions', '/v1/chat/completions', { model: 'm', messages }).whole(responseEvents.join(''));
  expect('kind' in chat ? chat : JSON.parse(chat.body)).toMatchObject({ choices: [{ message: { content: 'Hi “there” 😀' } }] });
  const anthropic = exchange('anthropic-messages', '/v1/messages', { model: 'm', max_tokens: 9, messages });
  expect(anthropic.notes).toEqual({ 'x-ola-dropped': 'max_tokens' });
});

describe('a limit of the plan', () => {
  const limit = { type: 'usage_limit_reached', message: 'The usage limit has been reached', plan_type: 'plus' };
  const read = (status: number, error: object, date: string | null = null) =>
    codex.readFailure(status, (name) => (name === 'date' ? date : null), JSON.stringify({ error }));

  test('is one of rate, until the time that it names', () => {
    expect(read(429, { ...limit, resets_in_seconds: 3600 })).toMatchObject({ kind: 'rate_limit', retryAfterMs: 3_600_000 });
    const date = 'Tue, 14 Nov 2023 22:13:20 GMT';
    expect(read(429, { ...limit, resets_at: 1_700_000_060 }, date)).toMatchObject({ kind: 'rate_limit', retryAfterMs: 60_000 });
    for (const at of [1_600_000_000, 'soon', null])
      expect(read(429, { ...limit, resets_at: at }, date)).toMatchObject({ kind: 'rate_limit', retryAfterMs: null });
    expect(read(429, { ...limit, resets_at: 1_700_000_060 })).toMatchObject({ retryAfterMs: null });
  });

  test('is the same where a stream tells it', () => {
    const decoder = codex.chat!.streamDecoder();
    const failed = {
      id: 'resp_1',
      status: 'failed',
      error: { code: 'usage_limit_reached', message: 'no', resets_in_seconds: 60 },
    };
    decoder.push(new TextEncoder().encode(event('response.failed', { response: failed })), () => undefined);
    expect(decoder.failure).toMatchObject({ kind: 'rate_limit', status: 429, retryAfterMs: 60_000 });
  });

  test('is one of billing where the plan has no Codex', () => {
    expect(read(429, { type: 'usage_not_included', message: 'no' })).toMatchObject({ kind: 'billing' });
  });

  test('of the model is one of entitlement, told as `detail`', () => {
    const body = '{"detail":"The \'gpt-9\' model is not supported when using Codex with a ChatGPT account."}';
    expect(codex.readFailure(400, () => null, body)).toMatchObject({
      kind: 'entitlement',
      message: expect.stringContaining('is not supported'),
    });
    expect(codex.readFailure(400, () => null, '{"detail":"Unsupported parameter: seed"}')).toMatchObject({
      kind: 'invalid_request',
      message: 'Unsupported parameter: seed',
    });
  });
});
