/** The unchanged `@anthropic-ai/sdk` package against the binary: what it sends arrives, what it gets it understands. */
import { expect, test } from 'bun:test';
import Anthropic from '@anthropic-ai/sdk';
import { addAnthropic, failure, good } from './anthropic.ts';
import { adminToken, stage } from './stage.ts';
import { answer } from './upstream.ts';

const { start, upstream } = stage();
const shared = (async () => {
  const ola = await start();
  const up = await upstream();
  await addAnthropic(ola, 'claude-like', up);
  const client = new Anthropic({ apiKey: adminToken, baseURL: ola.address, maxRetries: 0 });
  return { ola, up, client };
})();
const asked = (model: string) => ({
  model: `claude-like/${model}`,
  max_tokens: 16,
  messages: [{ role: 'user' as const, content: 'Hello' }],
});

test('a message, whole and as a stream', async () => {
  const { up, client } = await shared;
  up.modes.set('good', good);
  const whole = await client.messages.create(asked('good'));
  expect([whole.content[0], whole.usage.output_tokens]).toEqual([{ type: 'text', text: 'Hello' } as never, 7]);
  const streamed = await client.messages.stream(asked('good')).finalMessage();
  expect(streamed.content[0]).toMatchObject({ type: 'text', text: 'Hello' });
  expect(streamed.stop_reason).toBe('end_turn');
});

test('a beta method, a count of tokens, and a client with an auth token', async () => {
  const { ola, up, client } = await shared;
  up.modes.set('beta', good);
  await client.beta.messages.create({ ...asked('beta'), betas: ['files-api-2025-04-14'] });
  const got = up.requestFor('beta');
  expect(got.headers.get('anthropic-beta')).toContain('files-api-2025-04-14');
  const { model, messages } = asked('beta');
  expect((await client.messages.countTokens({ model, messages })).input_tokens).toBe(42);
  const bearer = new Anthropic({ apiKey: null, authToken: adminToken, baseURL: ola.address, maxRetries: 0 });
  expect((await bearer.messages.create(asked('beta'))).content).toHaveLength(1);
});

test('the models, page by page', async () => {
  const { ola, client } = await shared;
  const models = [{ id: 'one' }, { id: 'two' }, { id: 'three' }];
  expect(
    (
      await ola.ask('PUT', '/config/providers/paged', {
        baseUrl: 'http://127.0.0.1:9',
        allowLocal: true,
        api: 'anthropic-messages',
        apiKey: 'key-0123456789',
        models,
      })
    ).status,
  ).toBe(200);
  const ids: string[] = [];
  for await (const { id } of client.models.list({ limit: 2 })) ids.push(id);
  expect(ids.filter((id) => id.startsWith('paged/'))).toEqual(['paged/one', 'paged/two', 'paged/three']);
  expect((await client.models.retrieve('paged/one')).display_name).toBe('paged/one');
});

test('errors are those of its classes', async () => {
  const { ola, up, client } = await shared;
  const thrown = (model: string, from: Anthropic = client) => from.messages.create(asked(model)).catch((error: unknown) => error);
  up.modes.set('bad', answer(400, failure('invalid_request_error', 'max_tokens: too large')));
  expect(await thrown('bad')).toMatchObject({ status: 400, type: 'invalid_request_error', apiMessage: 'max_tokens: too large' });
  expect(await thrown('bad')).toBeInstanceOf(Anthropic.BadRequestError);
  const stranger = new Anthropic({ apiKey: 'ola_nobody', baseURL: ola.address, maxRetries: 0 });
  expect(await thrown('bad', stranger)).toBeInstanceOf(Anthropic.AuthenticationError);
  up.modes.set('limited', answer(429, failure('rate_limit_error', 'no')));
  expect(await thrown('limited')).toBeInstanceOf(Anthropic.RateLimitError);
  await ola.endCooldowns('claude-like');
  up.modes.set('gone', answer(404, failure('not_found_error', 'model: gone')));
  expect(await thrown('gone')).toBeInstanceOf(Anthropic.NotFoundError);
});
