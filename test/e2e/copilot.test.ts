/** What GitHub Copilot is told of each call besides the body, by a server in its place. */
import { expect, test } from 'bun:test';
import { addAnthropic, good } from './anthropic.ts';
import { adminToken, stage } from './stage.ts';

const { start, upstream } = stage();

const tool = { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } };
const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } };
const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
const user = { role: 'user', content: 'Hello' };

test('a chat says who asks and whether there is an image, with the header that Copilot wants and no editor’s', async () => {
  const ola = await start();
  const up = await upstream();
  await ola.addProvider('github-copilot', up);
  const toldOf = async (model: string, messages: readonly object[]) => {
    expect((await ola.chat(`github-copilot/${model}`, { messages, tools: [tool] })).status).toBe(200);
    const { headers } = up.requestFor(model);
    return ['x-initiator', 'copilot-vision-request', 'copilot-integration-id', 'editor-version'].map((name) => headers.get(name));
  };
  const id = 'copilot-developer-cli';
  expect(await toldOf('asks', [user])).toEqual(['user', undefined, id, undefined]);
  const results = [
    user,
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: 'call_1', content: 'x' },
  ];
  expect(await toldOf('goes-on', results)).toEqual(['agent', undefined, id, undefined]);
  expect(await toldOf('shows', [{ role: 'user', content: [picture] }])).toEqual(['user', 'true', id, undefined]);
  expect(up.requestFor('asks').headers.get('user-agent')).toStartWith('ola/');
  expect(up.requestFor('asks').head).not.toContain(adminToken);
});

test('a message of Anthropic’s clients goes on as it came, without betas', async () => {
  const ola = await start();
  const up = await upstream();
  await addAnthropic(ola, 'github-copilot', up);
  up.modes.set('claude', good);
  const messages = [user, { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'look', input: {} }] }];
  const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'x' }] };
  const body = { model: 'github-copilot/claude', max_tokens: 16, messages: [...messages, result] };
  const { status } = await ola.ask('POST', '/v1/messages', body, { 'anthropic-beta': 'a-beta' });
  expect(status).toBe(200);
  const { headers, body: sent } = up.requestFor('claude');
  expect([headers.get('x-initiator'), headers.get('anthropic-beta')]).toEqual(['agent', undefined]);
  expect(JSON.parse(sent)).toEqual({ ...body, model: 'claude' });
});

test('other hosts are told nothing of it', async () => {
  const ola = await start();
  const up = await upstream();
  await ola.addProvider('acme', up);
  await ola.chat('acme/m', { messages: [user] });
  expect(up.requestFor('m').headers.get('x-initiator')).toBeUndefined();
});
