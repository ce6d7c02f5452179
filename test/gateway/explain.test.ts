/** How a model would be called, by the state of the moment. */
import { expect, test } from 'bun:test';
import { directories } from '../directories.ts';
import { open, own } from './scene.ts';

const directory = directories();
const environment = {
  GROQ_API_KEY: 'gsk_0123456789abcdef',
  CEREBRAS_API_KEY: 'csk-0123456789abcdef',
  XAI_API_KEY: `ola_${'x'.repeat(49)}`,
};

async function scene() {
  const opened = await open(directory(), { environment });
  const order = { 'groq/m': ['cerebras/n', 'nobody/x', 'groq/m'], 'embeddings:groq/m': ['cerebras/n'] };
  const groq = { apiKey: 'gsk_another_0123456789' };
  await opened.gateway.documents.replace({ providers: { groq }, providerFallback: { order } }, null, own);
  return opened;
}

test('the attempts are in the order of a call: what cools down comes last and would not be made', async () => {
  await using opened = await scene();
  const { gateway } = opened;
  const sources = () => gateway.explain('groq/m', 'chat').attempts.map(({ source, standing }) => [source, standing]);
  expect(sources()).toEqual([
    ['env:GROQ_API_KEY', 'ready'],
    ['provider-config', 'ready'],
    ['env:CEREBRAS_API_KEY', 'ready'],
  ]);
  gateway.cooledCredentials.force('env:GROQ_API_KEY', { seconds: 60 }, own);
  expect(sources()).toEqual([
    ['provider-config', 'ready'],
    ['env:CEREBRAS_API_KEY', 'ready'],
    ['env:GROQ_API_KEY', 'cooling'],
  ]);
  expect(gateway.explain('groq/m', 'chat').attempts[2]?.readyAt).toBe(opened.now + 60_000);
});

test('a fallback that cannot be used is named with the reason', async () => {
  await using opened = await scene();
  expect(opened.gateway.explain('groq/m', 'chat').fallbacks).toEqual([
    { name: 'cerebras/n', why: null },
    { name: 'nobody/x', why: expect.stringContaining("There is no provider 'nobody' here") },
    { name: 'groq/m', why: null },
  ]);
  expect(opened.gateway.explain('groq/m', 'embeddings').fallbacks).toEqual([
    { name: 'cerebras/n', why: "Provider 'cerebras' has no embeddings." },
  ]);
});

test('a model that cannot be called is explained by its error and the credentials that are not used', async () => {
  await using opened = await scene();
  const found = opened.gateway.explain('x-ai/grok', 'chat');
  expect([found.provider, found.attempts, found.problem?.code]).toEqual(['xai', [], 'provider_resolution_failed']);
  expect(found.passed).toEqual([
    { provider: 'xai', source: 'env:XAI_API_KEY', reason: 'own_token', why: expect.stringContaining('access token of ola') },
  ]);
});

test('without a name the default model is explained, or that there is none', async () => {
  await using opened = await scene();
  expect(opened.gateway.explain(null, 'chat').problem?.code).toBe('model_not_found');
  await opened.gateway.documents.replace({ defaultModel: 'groq/m' }, null, own);
  expect(opened.gateway.explain(null, 'chat')).toMatchObject({ provider: 'groq', model: 'm', problem: null });
});
