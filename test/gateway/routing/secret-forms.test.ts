/** The headers in which the secrets of Anthropic and of the hosts of its protocol go out, from wherever they are kept. */
import { describe, expect, test } from 'bun:test';
import { createCatalog } from '../../../src/catalog/lookup.ts';
import { type ConfigDocument, documentSchema } from '../../../src/core/document.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import type { HeaderMap } from '../../../src/core/ports.ts';
import { mapSecrets } from '../../../src/core/secrets.ts';
import { buildRegistry } from '../../../src/gateway/routing/registry.ts';

const messages = 'anthropic-messages';
const catalog = createCatalog(['openai-completions', messages]);
const setupToken = `sk-ant-oat01-${'a'.repeat(80)}`;
const apiKey = `sk-ant-api03-${'b'.repeat(80)}`;
const oauth = 'oauth-2025-04-20';
const asToken = { authorization: `Bearer ${setupToken}`, 'anthropic-beta': oauth };

interface World {
  readonly environment?: Readonly<Record<string, string>>;
  readonly document?: JsonObject;
}

/** By source, what the credentials of a provider's endpoint put on a request: credential headers and betas. */
function sent(id: string, { environment = {}, document = {} }: World, protocol = messages): Record<string, HeaderMap> {
  const secrets = new Map<string, { origin: string | null }>();
  const sealed = mapSecrets(document, documentSchema, (_value, path): Json => {
    secrets.set(path.join('.'), { origin: null });
    return { $secret: path.join('.') };
  });
  const registry = buildRegistry(
    { document: sealed, open: document as ConfigDocument, secrets, consents: {} },
    {
      catalog,
      environment,
      envReferences: new Set(),
      processProviders: [],
      everyProviderLocal: false,
      translates: () => false,
      userAgent: 'ola/0.1.0',
      via: '1.1 ola-0123456789abcdef',
      now: () => 0,
    },
  );
  const endpoint = registry.active.get(id)?.endpoints.find((each) => each.protocol === protocol);
  const shown = ['authorization', 'x-api-key', 'anthropic-beta', 'user-agent'];
  const entries = (endpoint?.candidates ?? []).map((candidate) => {
    const headers = Object.entries(candidate.sign({ method: 'POST', path: '/x', body: '' }, 0) as HeaderMap);
    return [candidate.source, Object.fromEntries(headers.filter(([name]) => shown.includes(name)))] as const;
  });
  return Object.fromEntries(entries);
}

const own = { 'user-agent': 'ola/0.1.0' };

describe('a secret of Anthropic', () => {
  test('from the environment goes in the header that its variable stands for', () => {
    const environment = { ANTHROPIC_API_KEY: apiKey, ANTHROPIC_AUTH_TOKEN: 'gateway-token', ANTHROPIC_OAUTH_TOKEN: 'access' };
    expect(sent('anthropic', { environment })).toEqual({
      'env:ANTHROPIC_AUTH_TOKEN': { ...own, authorization: 'Bearer gateway-token' },
      'env:ANTHROPIC_OAUTH_TOKEN': { ...own, authorization: 'Bearer access' },
      'env:ANTHROPIC_API_KEY': { ...own, 'x-api-key': apiKey },
    });
  });

  test.each(['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_OAUTH_TOKEN'])(
    'that is a setup token goes as a bearer token with its beta, out of %s too',
    (name) => {
      expect(sent('anthropic', { environment: { [name]: setupToken } })).toEqual({ [`env:${name}`]: { ...own, ...asToken } });
    },
  );

  test('that is the provider’s own key goes as an API key, or as the setup token that it is', () => {
    const of = (key: string, more: JsonObject = {}) =>
      sent('anthropic', { document: { providers: { anthropic: { apiKey: key, ...more } } } })['provider-config'];
    expect(of(apiKey)).toEqual({ ...own, 'x-api-key': apiKey });
    expect(of(setupToken)).toEqual({ ...own, ...asToken });
    expect(of(setupToken, { credentialStyle: 'x-api-key' })).toEqual({ ...own, ...asToken });
    expect(of(apiKey, { credentialStyle: 'bearer' })).toEqual({ ...own, authorization: `Bearer ${apiKey}` });
    expect(of(setupToken, { headers: { 'Anthropic-Beta': 'mine-1' } })).toEqual({
      ...own,
      ...asToken,
      'anthropic-beta': `mine-1, ${oauth}`,
    });
  });

  test('of a profile goes by its kind, and a setup token in any of them as what it is', () => {
    const document = {
      authProfiles: {
        'anthropic:key': { provider: 'anthropic', type: 'api_key', key: apiKey },
        'anthropic:misplaced': { provider: 'anthropic', type: 'api_key', key: `${setupToken}1` },
        'anthropic:setup': { provider: 'anthropic', type: 'token', token: setupToken },
        'anthropic:login': { provider: 'anthropic', type: 'oauth', access: `${setupToken}2` },
      },
    };
    expect(sent('anthropic', { document })).toEqual({
      'profile:anthropic:key': { ...own, 'x-api-key': apiKey },
      'profile:anthropic:misplaced': { ...own, ...asToken, authorization: `Bearer ${setupToken}1` },
      'profile:anthropic:setup': { ...own, ...asToken },
      'profile:anthropic:login': { ...own, ...asToken, authorization: `Bearer ${setupToken}2` },
    });
  });
});

describe('a key of a host of Anthropic’s protocol', () => {
  test.each([
    ['kimi-coding', 'KIMI_API_KEY', 'bearer'],
    ['minimax', 'MINIMAX_API_KEY', 'bearer'],
    ['minimax-portal', 'MINIMAX_OAUTH_TOKEN', 'bearer'],
    ['zai', 'ZAI_API_KEY', 'bearer'],
    ['deepseek', 'DEEPSEEK_API_KEY', 'bearer'],
    ['xiaomi', 'XIAOMI_API_KEY', 'bearer'],
    ['openrouter', 'OPENROUTER_API_KEY', 'bearer'],
    ['vercel-ai-gateway', 'AI_GATEWAY_API_KEY', 'bearer'],
    ['fireworks', 'FIREWORKS_API_KEY', 'bearer'],
    ['opencode', 'OPENCODE_API_KEY', 'x-api-key'],
    ['opencode-go', 'OPENCODE_API_KEY', 'x-api-key'],
    ['synthetic', 'SYNTHETIC_API_KEY', 'x-api-key'],
  ])('%s: %s goes as %s, without a beta', (id, name, style) => {
    const expected = style === 'bearer' ? { authorization: 'Bearer key-1' } : { 'x-api-key': 'key-1' };
    expect(sent(id, { environment: { [name]: 'key-1' } })).toEqual({ [`env:${name}`]: { ...own, ...expected } });
    // The same key on the host's other endpoint.
    const chat = sent(id, { environment: { [name]: 'key-1' } }, 'openai-completions');
    expect(chat).toEqual({ [`env:${name}`]: { ...own, authorization: 'Bearer key-1' } });
  });
});
