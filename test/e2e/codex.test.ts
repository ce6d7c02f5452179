/** ChatGPT's backend as the provider `openai-codex` calls it, through the binary: the login's account, the forced stream, the plan's limit. */
import { expect, test } from 'bun:test';
import { events, failedEvents, responseEvents } from './responses.ts';
import { adminToken, type Ola, request, stage } from './stage.ts';
import { answer, type Behaviour, type Upstream } from './upstream.ts';

const { start, upstream } = stage();
const claims = { 'https://api.openai.com/auth': { chatgpt_account_id: 'acct-7' }, exp: 4_000_000_000 };
const access = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
const shared: Promise<{ ola: Ola; up: Upstream }> = (async () => {
  const [ola, up] = await Promise.all([start(), upstream()]);
  const place = { api: 'openai-codex-responses', baseUrl: `http://127.0.0.1:${up.port}/backend-api`, allowLocal: true };
  expect((await ola.ask('PUT', '/config/providers/openai-codex', place)).status).toBe(200);
  const profile = { provider: 'openai-codex', type: 'oauth', access };
  expect((await ola.ask('PUT', '/config/auth-profiles/openai-codex:me', profile)).status).toBe(200);
  return { ola, up };
})();

async function send(model: string, behaviour: Behaviour, path: string, more: object) {
  const { ola, up } = await shared;
  up.modes.set(model, behaviour);
  await ola.endCooldowns('openai-codex');
  const body = { model: `openai-codex/${model}`, ...more };
  return request(`${ola.address}${path}`, 'POST', { authorization: `Bearer ${adminToken}` }, body);
}
const chat = { messages: [{ role: 'user', content: 'Hello' }], temperature: 0.5 };

test('a chat that asked for a whole answer gets the stream as one, and is told which fields were left out', async () => {
  const { up } = await shared;
  const got = await send('gpt-whole', events(responseEvents), '/v1/chat/completions', chat);
  expect(got.json['choices'] as unknown).toMatchObject([{ message: { content: 'Hello' }, finish_reason: 'stop' }]);
  expect(got.headers.get('x-ola-dropped')).toBe('temperature');
  const sent = up.requestFor('gpt-whole');
  expect(sent.head).toStartWith('POST /backend-api/codex/responses HTTP/1.1\r\n');
  expect(Object.fromEntries(sent.headers)).toMatchObject({
    authorization: `Bearer ${access}`,
    'chatgpt-account-id': 'acct-7',
    'openai-beta': 'responses=experimental',
    originator: 'ola',
    accept: 'text/event-stream',
  });
  expect(JSON.parse(sent.body)).toMatchObject({ stream: true, store: false, instructions: expect.stringMatching(/\S/) });
});

test('Codex itself asks in its own form, tools that run at the vendor among it', async () => {
  const { up } = await shared;
  const more = {
    instructions: 'You are an agent.',
    input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }],
    tools: [{ type: 'web_search' }],
    store: false,
    stream: true,
  };
  const got = await send('gpt-agent', events(responseEvents), '/v1/responses', more);
  expect(got.text).toContain('event: response.completed\n');
  const { model: _, include: __, ...sent } = JSON.parse(up.requestFor('gpt-agent').body) as Record<string, unknown>;
  expect(sent).toEqual(more);
});

test('a limit of the plan is told with the time of its end, whether by a status or in the stream', async () => {
  const error = { type: 'usage_limit_reached', message: 'The usage limit has been reached', resets_in_seconds: 90 };
  const byStatus = await send('gpt-limit', answer(429, { error }), '/v1/chat/completions', chat);
  expect([byStatus.status, Number(byStatus.headers.get('retry-after')) >= 89]).toEqual([429, true]);
  const inStream = await send('gpt-late', events(failedEvents('usage_limit_reached', 'no')), '/v1/chat/completions', chat);
  expect(inStream.status).toBe(429);
});
