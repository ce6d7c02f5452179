import { afterEach, beforeEach, expect, test } from 'bun:test';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { directories } from '../../directories.ts';
import { open, own, type Scene, variable } from '../scene.ts';

const directory = directories();
const token = `ola_${'x'.repeat(49)}`;
const local = { baseUrl: 'https://llm.example/v1', authHeader: false };
let scene: Scene;
beforeEach(async () => {
  scene = await open(directory(), { environment: { SET_KEY: 'k', OPENAI_API_KEY: 'sk-1', OWN_TOKEN: token } });
});
afterEach(() => scene[Symbol.asyncDispose]());

const post = async (document: Json) => (await scene.gateway.documents.replace(document, null, own)).warnings;
const shown = () => scene.gateway.documents.show().document;

test('a write warns of a provider whose address nobody knows, with the id that may be meant', async () => {
  expect(
    await post({ providers: { opnai: { apiKey: variable('SET_KEY') }, off: { enabled: false }, openai: {}, local } }),
  ).toEqual([
    { path: 'providers.opnai', reason: "ola does not know where 'opnai' is; give it a baseUrl. Did you mean 'openai'?" },
  ]);
});

test('a write warns of a provider that needs an address of the user’s own, with the form of it', async () => {
  expect(await post({ providers: { azure: { apiKey: variable('SET_KEY') } } })).toEqual([
    {
      path: 'providers.azure',
      reason: "ola does not know where 'azure' is; give it a baseUrl, as in https://{resource}.openai.azure.com/openai/v1",
    },
  ]);
});

test('a write warns of a variable that is not set, and of one that is an access token of ola, without its value', async () => {
  const warnings = await post({
    providers: {
      mistral: { apiKey: variable('NOT_SET') },
      local: { ...local, headers: { a: variable('SET_KEY'), b: variable('OWN_TOKEN') } },
    },
  });
  expect(warnings).toEqual([
    { path: 'providers.mistral.apiKey', reason: 'the variable NOT_SET is not set where ola runs' },
    {
      path: 'providers.local.headers.b',
      reason: 'the variable OWN_TOKEN is an access token of ola, which is never sent to a provider',
    },
  ]);
  const { warnings: alone } = await scene.gateway.providers.put('groq', { apiKey: variable('NOT_SET') }, null, own);
  expect(alone).toEqual([{ path: 'apiKey', reason: 'the variable NOT_SET is not set where ola runs' }]);
});

test.each([
  ['', 'it is empty'],
  ['nonsense', "No usable provider lists 'nonsense'"],
  ['groq/llama', "Provider 'groq' has no usable credential"],
  ['lokal/llama', "There is no provider 'lokal'"],
])('a write warns of the default model %j, which no request could get', async (defaultModel, why) => {
  expect(await post({ defaultModel, providers: { local } })).toEqual([
    { path: 'defaultModel', reason: expect.stringContaining(why) },
  ]);
});

test('a write warns of each fallback that no call could reach, and of no other', async () => {
  const order = { 'local/m': ['openai/gpt-4o', 'lokal/m', 'groq/llama'], openai: ['local/m'] };
  expect(await post({ providerFallback: { order }, providers: { local } })).toEqual([
    { path: 'providerFallback.order.local/m.1', reason: expect.stringContaining("There is no provider 'lokal'") },
    { path: 'providerFallback.order.local/m.2', reason: expect.stringContaining("Provider 'groq' has no usable credential") },
  ]);
});

test('a default model of a usable provider is nothing to warn of, listed or not', async () => {
  for (const defaultModel of ['openai/gpt-4o', 'local/anything'])
    expect(await post({ defaultModel, providers: { local } })).toEqual([]);
});

test('a warning is given once, when its value is written; a check gives all of them', async () => {
  const first: JsonObject = {
    defaultModel: 'nonsense',
    routing: { a: 1 },
    providers: { mistral: { apiKey: variable('NOT_SET') } },
  };
  const places = (warnings: readonly { readonly path: string }[]) => warnings.map(({ path }) => path).sort();
  const all = ['defaultModel', 'providers.mistral.apiKey', 'routing'];
  expect(places(await post(first))).toEqual(all);
  expect(places(await post({ ...shown(), publicHosts: ['a.example'] }))).toEqual([]);
  expect(places(await post({ ...shown(), routing: { a: 2 } }))).toEqual(['routing']);
  expect(places(await scene.gateway.documents.validate(shown() as Json, own))).toEqual(all);
});
