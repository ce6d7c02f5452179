/** GitHub Copilot: one provider of three protocols, each model by one of them. */
import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { createCatalog } from '../../../src/catalog/lookup.ts';
import { documentSchema } from '../../../src/core/document.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { mapSecrets } from '../../../src/core/secrets.ts';
import { allConsents } from '../../../src/gateway/config/consents.ts';
import { fallbackOf } from '../../../src/gateway/routing/fallback.ts';
import { buildRegistry } from '../../../src/gateway/routing/registry.ts';
import { planOf } from '../../../src/gateway/routing/routing.ts';
import { protocols } from '../../../src/protocols/all.ts';
import { createTranslator } from '../../../src/protocols/translate.ts';

const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const catalog = createCatalog(protocols.map(({ id }) => id));
const { translates } = createTranslator(protocols, digest);

function planFor(name: string, protocol: string, config: JsonObject = {}) {
  const open = { providers: { 'github-copilot': config } };
  const document = mapSecrets(open, documentSchema, (_value, path) => ({ $secret: path.join('.') }));
  const secrets = new Map([['providers.github-copilot.headers.copilot-integration-id', { origin: null }]]);
  const registry = buildRegistry(
    { document, open, secrets, consents: allConsents(document, { catalog, everyProviderLocal: false }) },
    {
      catalog,
      envReferences: new Set<string>(),
      environment: { COPILOT_GITHUB_TOKEN: 'gho_0123456789abcdef' },
      processProviders: [],
      everyProviderLocal: false,
      userAgent: 'ola/0.1.0',
      via: '1.1 ola',
      translates,
      now: () => 0,
    },
  );
  const asked = () => [];
  const fallback = fallbackOf(open, catalog.canonicalId);
  const facts = { registry, catalog, translates, defaultModel: null, activeProviderIds: [], asked, fallback };
  return planOf({ name: `github-copilot/${name}`, profile: null, protocol, operation: 'chat' }, facts).attempts[0];
}

const byModel = [
  ['claude-sonnet-5', 'anthropic-messages'],
  ['gpt-5.3-codex', 'openai-responses'],
  ['gemini-3.8-flash', 'openai-completions'],
] as const;

describe('a model', () => {
  for (const [model, served] of byModel) {
    test(`${model} is asked by ${served}, whatever the client speaks`, () => {
      for (const client of ['openai-completions', 'anthropic-messages', 'openai-responses', 'ollama']) {
        const { endpoint, facts } = planFor(model, client);
        expect([client, endpoint.protocol, facts?.id]).toEqual([client, served, model]);
        expect(endpoint.destination.baseUrl).toBe('https://api.githubcopilot.com');
        expect(endpoint.quirks.turnHeaders).toEqual({ initiator: 'x-initiator', images: 'copilot-vision-request' });
      }
    });
  }

  test('that is not listed is asked by the protocol of its client', () => {
    for (const client of ['openai-completions', 'anthropic-messages', 'openai-responses'])
      expect(planFor('new-model', client).endpoint.protocol).toBe(client);
  });

  test('of OpenAI’s is told no limit of its answer, which its endpoint refuses', () => {
    expect(planFor('gpt-5.3-codex', 'openai-completions').endpoint.quirks.noMaxTokens).toBe(true);
  });
});

describe('the headers of a call', () => {
  const signed = async (config: JsonObject = {}) =>
    planFor('gpt-5.3-codex', 'openai-completions', config).candidate.sign({ method: 'POST', path: '/responses', body: '{}' }, 0);

  test('have the one without which Copilot refuses, and name ola, no editor', async () => {
    const headers = await signed();
    expect(headers).toMatchObject({
      authorization: 'Bearer gho_0123456789abcdef',
      'copilot-integration-id': 'copilot-developer-cli',
      'user-agent': 'ola/0.1.0',
    });
    expect(Object.keys(headers).filter((name) => name.startsWith('editor'))).toEqual([]);
  });

  test('may be configured otherwise', async () => {
    const headers = await signed({ headers: { 'Copilot-Integration-Id': 'my-own' } });
    expect(headers['copilot-integration-id']).toBe('my-own');
  });
});
