import { afterEach, describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../../src/core/json.ts';
import { directories } from '../../directories.ts';
import { own } from '../../gateway/scene.ts';
import { type AppOptions, type AppScene, open } from '../scene.ts';

const directory = directories();
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function begin(options: AppOptions = {}): Promise<AppScene> {
  const scene = await open(directory(), options);
  cleanups.push(async () => scene[Symbol.asyncDispose]());
  return scene;
}

async function get(scene: AppScene, path: string, token: 'read' | 'admin' = 'admin') {
  const response = await scene.ask('GET', path, { headers: { authorization: `Bearer ${scene.tokens[token]}` } });
  return { status: response.status, body: (await response.json()) as JsonObject };
}

const groq = { environment: { GROQ_API_KEY: 'key-of-groq-0123456789' } };

describe('the list of models', () => {
  test('tells what is known of each: sizes, kinds of input, prices with their tiers', async () => {
    const scene = await begin({ environment: { ...groq.environment, GEMINI_API_KEY: 'key-of-gemini-0123456789' } });
    expect((await get(scene, '/v1/models/groq/openai/gpt-oss-120b', 'read')).body).toEqual({
      id: 'groq/openai/gpt-oss-120b',
      object: 'model',
      created: 0,
      owned_by: 'groq',
      context_window: 131_072,
      max_output_tokens: 65_536,
      input_modalities: ['text'],
      reasoning: true,
      pricing: { input: 0.15, output: 0.6, cache_read: 0.075 },
    });
    expect((await get(scene, '/v1/models/google/gemini-2.5-pro', 'read')).body['pricing']).toEqual({
      input: 1.25,
      output: 10,
      cache_read: 0.125,
      tiers: [{ above: 200_000, input: 2.5, output: 15, cache_read: 0.25 }],
    });
  });

  test('has the configured facts in place of the catalog’s', async () => {
    const scene = await begin(groq);
    const models = [
      { id: 'openai/gpt-oss-120b', name: 'Open weights', input: ['text', 'image'], cost: { input: 1, cache_read: 0.5 } },
    ];
    await scene.gateway.providers.put('groq', { models }, null, own);
    expect((await get(scene, '/v1/models/groq/openai/gpt-oss-120b', 'read')).body).toMatchObject({
      name: 'Open weights',
      context_window: 131_072,
      input_modalities: ['text', 'image'],
      pricing: { input: 1, output: 0.6, cache_read: 0.5 },
    });
  });
});

describe('the models of a provider', () => {
  test('are those of the catalog and of the configuration, each with its source', async () => {
    const scene = await begin(groq);
    const models = [{ id: 'own' }, { id: 'llama-3.1-8b-instant', cost: { input: 0.04, output: 0.08 } }];
    await scene.gateway.providers.put('groq', { models }, null, own);
    const { status, body } = await get(scene, '/config/providers/GROQ/models');
    expect([status, body['provider'], body['usable'], body['why']]).toEqual([200, 'groq', true, null]);
    expect(body['models']).toContainEqual({
      id: 'llama-3.3-70b-versatile',
      contextWindow: 131_072,
      maxTokens: 32_768,
      input: ['text'],
      reasoning: false,
      cost: { input: 0.59, output: 0.79 },
      source: 'catalog',
    });
    expect(body['models']).toContainEqual({ id: 'own', source: 'configured' });
    expect(body['models']).toContainEqual(
      expect.objectContaining({ id: 'llama-3.1-8b-instant', cost: { input: 0.04, output: 0.08 }, source: 'configured' }),
    );
  });

  test('are told of a provider that cannot be used, with the reason', async () => {
    const scene = await begin();
    const { body } = await get(scene, '/config/providers/groq/models');
    expect(body).toMatchObject({ provider: 'groq', usable: false, why: 'it has no key' });
    expect((body['models'] as JsonObject[]).length).toBeGreaterThan(5);
    expect((await get(scene, '/config/providers/github-copilot/models')).body).toMatchObject({
      usable: false,
      why: 'it has no key',
    });
    expect((await get(scene, '/config/providers/azure-openai/models')).body).toMatchObject({ provider: 'azure', models: [] });
  });

  test('are the configured ones alone when those replace the catalog’s', async () => {
    const scene = await begin();
    const document = { models: { mode: 'replace' }, providers: { groq: { models: [{ id: 'own' }] } } };
    await scene.gateway.documents.replace(document, null, own);
    expect((await get(scene, '/config/providers/groq/models')).body['models']).toEqual([{ id: 'own', source: 'configured' }]);
  });

  test('are asked of a server that the configuration lists none for', async () => {
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () => Response.json({ data: [{ id: 'm', max_model_len: 4096 }] }),
    });
    cleanups.push(() => server.stop(true));
    const scene = await begin();
    const mine = { baseUrl: `http://127.0.0.1:${server.port}/v1`, allowLocal: true, authHeader: false };
    await scene.gateway.providers.put('mine', mine, null, own);
    expect((await get(scene, '/config/providers/mine/models')).body).toEqual({
      provider: 'mine',
      usable: true,
      why: null,
      models: [{ id: 'm', contextWindow: 4096, source: 'asked' }],
    });
  });

  test('are not those of a provider that nobody knows', async () => {
    const scene = await begin();
    for (const id of ['nobody', 'constructor', '__proto__']) {
      expect(await get(scene, `/config/providers/${id}/models`)).toMatchObject({
        status: 404,
        body: { error: { code: 'not_found' } },
      });
    }
  });
});

test('the catalog and the models of a provider are for administrators', async () => {
  const scene = await begin();
  const { body } = await get(scene, '/config/builtin-providers');
  expect(body['providers']).toContainEqual(expect.objectContaining({ id: 'groq', envVars: ['GROQ_API_KEY'], callable: true }));
  for (const path of ['/config/builtin-providers', '/config/providers/groq/models']) {
    expect((await get(scene, path, 'read')).status).toBe(403);
  }
});
