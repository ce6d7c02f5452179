import { describe, expect, test } from 'bun:test';
import { createCatalog } from '../../../src/catalog/lookup.ts';
import { type ConfigDocument, documentSchema } from '../../../src/core/document.ts';
import { OlaError } from '../../../src/core/errors.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import type { HeaderMap } from '../../../src/core/ports.ts';
import { mapSecrets } from '../../../src/core/secrets.ts';
import { originOfSecrets } from '../../../src/gateway/config/origins.ts';
import { fallbackOf } from '../../../src/gateway/routing/fallback.ts';
import { profileState } from '../../../src/gateway/routing/profile-states.ts';
import { ownTokens, providerStates } from '../../../src/gateway/routing/provider-states.ts';
import { buildRegistry } from '../../../src/gateway/routing/registry.ts';
import { type Plan, planOf } from '../../../src/gateway/routing/routing.ts';

const spoken = 'openai-completions';
const catalog = createCatalog([spoken]);
const start = 1_760_000_000_000;
const baseUrl = 'https://api.acme.example/v1';
const elsewhere = 'https://eu.acme.example/v1';

interface World {
  readonly document: JsonObject;
  /** The document whose addresses the secrets were entered for; default: the same. */
  readonly entered?: JsonObject;
  readonly environment?: Readonly<Record<string, string>>;
  readonly now?: number;
  /** The secrets are bound to no address, and every variable may go anywhere. */
  readonly unbound?: true;
}

/** Sealed as a write seals it: each secret bound to the address of its provider or profile. */
function registryOf({ document, entered = document, environment = {}, now = start, unbound }: World) {
  const originOf = originOfSecrets(entered, { catalog, everyProviderLocal: false });
  const secrets = new Map<string, { origin: string | null }>();
  const sealed = mapSecrets(document, documentSchema, (_value, path): Json => {
    secrets.set(path.join('.'), { origin: unbound === true ? null : originOf(path) });
    return { $secret: path.join('.') };
  });
  return buildRegistry(
    { document: sealed, open: document as ConfigDocument, secrets, consents: {} },
    {
      catalog,
      environment,
      envReferences: new Set(unbound === true ? Object.keys(environment) : []),
      processProviders: [],
      everyProviderLocal: false,
      userAgent: 'ola/0.1.0',
      via: '1.1 ola-0123456789abcdef',
      translates: () => false,
      now: () => now,
    },
  );
}

function plan(world: World, model: string, header: string | null = null): Plan {
  const fallback = fallbackOf({}, catalog.canonicalId);
  const translates = () => false;
  const facts = {
    ...{ registry: registryOf(world), catalog, translates, defaultModel: null, activeProviderIds: [], asked: () => [], fallback },
  };
  return planOf({ name: model, profile: header, protocol: spoken, operation: 'chat' }, facts);
}

/** Where each attempt goes, and with which secret. */
function attempts(world: World, model: string, header: string | null = null): string[] {
  return plan(world, model, header).attempts.map(({ endpoint, candidate }) => {
    const { authorization = 'nothing' } = candidate.sign({ method: 'POST', path: '/x', body: '' }, start) as HeaderMap;
    return `${candidate.source} ${authorization.replace('Bearer ', '')} ${new URL(endpoint.destination.baseUrl).host}`;
  });
}

function refusal(world: World, model: string, header: string | null = null): OlaError {
  try {
    plan(world, model, header);
  } catch (error) {
    if (error instanceof OlaError) return error;
    throw error;
  }
  throw new Error('it was routed');
}

const key = (id: string, more: JsonObject = {}): JsonObject => ({ provider: 'acme', type: 'api_key', key: `key-${id}`, ...more });
const acme: World = {
  document: {
    providers: { acme: { baseUrl, apiKey: 'key-own' } },
    authProfiles: {
      'acme:work': key('work'),
      'acme:home': key('home'),
      'acme:eu': key('eu', { baseUrl: elsewhere }),
      'acme:a/b': key('slash'),
      'acme:off': key('off', { enabled: false }),
      'acme:old': { provider: 'acme', type: 'token', token: 'token-old', expires: start },
      'acme:login': { provider: 'acme', type: 'cli' },
      plain: key('plain'),
      'groq:work': { provider: 'groq', type: 'api_key', key: 'key-groq' },
    },
  },
};

describe('without a name', () => {
  test('all credentials are tried in order, each at its own address', () => {
    expect(attempts(acme, 'acme/m')).toEqual([
      'profile:acme:a/b key-slash api.acme.example',
      'profile:acme:eu key-eu eu.acme.example',
      'profile:acme:home key-home api.acme.example',
      'profile:acme:work key-work api.acme.example',
      'profile:plain key-plain api.acme.example',
      'provider-config key-own api.acme.example',
    ]);
    const authOrder = { acme: ['work', 'acme:eu'] };
    expect(attempts({ ...acme, document: { ...acme.document, authOrder } }, 'acme/m').slice(0, 3)).toEqual([
      'profile:acme:work key-work api.acme.example',
      'profile:acme:eu key-eu eu.acme.example',
      'profile:acme:a/b key-slash api.acme.example',
    ]);
  });

  test('equals have one rank, over all addresses', () => {
    const ranks = plan(acme, 'acme/m').attempts.map(({ candidate }) => candidate.rank);
    expect(new Set(ranks.slice(0, 5)).size).toBe(1);
    expect(ranks[5]).toBeGreaterThan(ranks[0] ?? 0);
  });

  test('a provider of the catalog is usable by a profile alone, under an alias too; profiles come before variables', () => {
    const document = {
      authProfiles: { 'grok:me': { provider: 'grok', type: 'api_key', key: 'key-x' } },
      authOrder: { 'x-ai': ['grok:me'] },
    };
    expect(attempts({ document, environment: { XAI_API_KEY: 'xai-1' } }, 'xai/grok-9')).toEqual([
      'profile:grok:me key-x api.x.ai',
      'env:XAI_API_KEY xai-1 api.x.ai',
    ]);
    expect(attempts({ document }, 'grok:me/grok-9')).toHaveLength(1);
  });

  test('a profile of a provider without an address, or with a protocol that is not built, is told of', () => {
    const own = { provider: 'own', type: 'api_key', key: 'key-a' };
    const authProfiles = { 'own:a': own, 'anthropic:a': { ...own, provider: 'claude' } };
    const registry = registryOf({ document: { authProfiles } });
    expect(providerStates(registry).map(({ id, usable }) => [id, usable])).toEqual([
      ['own', false],
      ['anthropic', false],
    ]);
    expect(profileState('own:a', 'own', registry)).toMatchObject({ usable: false, reason: 'no_address' });
    expect(profileState('anthropic:a', 'anthropic', registry)).toMatchObject({ usable: false, reason: 'not_spoken' });
    const off = registryOf({
      document: { authProfiles: { 'groq:a': { ...own, provider: 'groq' } }, providers: { groq: { enabled: false } } },
    });
    expect(profileState('groq:a', 'groq', off)).toEqual({
      usable: false,
      reason: 'provider_unusable',
      why: 'cannot be used with its provider groq: switched off',
    });
  });

  test('an unknown provider is usable by a profile with a base URL', () => {
    const document = { authProfiles: { 'own:a': { provider: 'own', type: 'api_key', key: 'key-a', baseUrl: elsewhere } } };
    expect(attempts({ document }, 'own/m')).toEqual(['profile:own:a key-a eu.acme.example']);
  });
});

describe('a profile that is named', () => {
  test.each<[model: string, header: string | null, only: string]>([
    ['acme:work/m', null, 'profile:acme:work key-work api.acme.example'],
    ['ACME:work/m', null, 'profile:acme:work key-work api.acme.example'],
    ['acme:acme:work/m', null, 'profile:acme:work key-work api.acme.example'],
    ['acme/m', 'work', 'profile:acme:work key-work api.acme.example'],
    ['acme/m', 'acme:work', 'profile:acme:work key-work api.acme.example'],
    ['acme/m', 'acme:a/b', 'profile:acme:a/b key-slash api.acme.example'],
    ['acme/m', 'plain', 'profile:plain key-plain api.acme.example'],
    ['acme:plain/m', null, 'profile:plain key-plain api.acme.example'],
    ['acme:eu/m', null, 'profile:acme:eu key-eu eu.acme.example'],
    ['acme:work/m', 'home', 'profile:acme:work key-work api.acme.example'],
  ])('%s, header %p: it is used alone', (model, header, only) => {
    expect(attempts(acme, model, header)).toEqual([only]);
  });

  test.each<[name: string, status: number, words: string]>([
    ['nobody', 404, "There is no auth profile 'acme:nobody' for provider 'acme'"],
    ['or', 404, "There is no auth profile 'acme:or'"],
    ['groq:work', 404, "There is no auth profile 'groq:work' for provider 'acme'"],
    ['off', 409, "Auth profile 'acme:off' is disabled"],
    ['old', 409, "Auth profile 'acme:old' has expired"],
    ['login', 409, "Auth profile 'acme:login' is stored, but this version cannot use it"],
  ])('%s, and cannot be used, is refused with %d and the reason', (name, status, words) => {
    for (const error of [refusal(acme, `acme:${name}/m`), refusal(acme, 'acme/m', name)]) {
      expect([error.status, error.message]).toEqual([status, expect.stringContaining(words)]);
      expect(error.facts.headers?.['x-should-retry']).toBe(status === 409 ? 'false' : undefined);
    }
  });

  test('in words that no profile can have is not repeated', () => {
    expect(refusal(acme, 'acme/m', 'CANARY secret\u00e9').message).not.toContain('CANARY');
  });

  test('is refused with the reason where its provider has nothing else', () => {
    const authProfiles = { 'groq:a': { provider: 'groq', type: 'token', token: 't', expires: start } };
    const world = { document: { authProfiles } };
    expect(refusal(world, 'groq:a/m').message).toContain("auth profile 'groq:a' has expired");
    expect(providerStates(registryOf(world))).toEqual([
      { id: 'groq', usable: false, keys: [], why: "auth profile 'groq:a' has expired" },
    ]);
  });
});

describe('the secret of a profile', () => {
  test('goes to the address that it was entered for, and to no other', () => {
    const moved = { ...acme.document, providers: { acme: { baseUrl: 'https://evil.example/v1', apiKey: 'key-own' } } };
    const world = { document: moved, entered: acme.document };
    expect(attempts(world, 'acme/m')).toEqual(['profile:acme:eu key-eu eu.acme.example']);
    const profiles = {
      ...(acme.document['authProfiles'] as JsonObject),
      'acme:work': key('work', { baseUrl: 'https://evil.example/v1' }),
    };
    const own = { document: { ...acme.document, authProfiles: profiles }, entered: acme.document };
    expect(attempts(own, 'acme/m').join(' ')).not.toContain('evil.example');
    expect(refusal(own, 'acme:work/m')).toMatchObject({ status: 409, message: expect.stringContaining('origin_mismatch') });
  });

  test('brings no other credential and no bound header to the profile’s own address', () => {
    const providers = { acme: { baseUrl, apiKey: 'key-own', headers: { 'x-team': 'secret-team' } } };
    const world = { document: { ...acme.document, providers }, environment: { ACME_API_KEY: 'key-env' } };
    expect(attempts(world, 'acme/m').join(' ')).not.toContain('eu.acme.example');
    expect(refusal(world, 'acme:eu/m')).toMatchObject({ status: 409, message: expect.stringContaining("the header 'x-team'") });
  });

  test('is the only one at the profile’s own address, also where others may go anywhere', () => {
    const world: World = { ...acme, environment: { ACME_API_KEY: 'key-env' }, unbound: true };
    const far = attempts(world, 'acme/m').filter((each) => each.endsWith(' eu.acme.example'));
    expect(far).toEqual(['profile:acme:eu key-eu eu.acme.example']);
    expect(attempts(world, 'acme/m')).toContain('env:ACME_API_KEY key-env api.acme.example');
  });

  test('that is a token of ola is never sent, and its place is told', () => {
    const token = `ola_${'x'.repeat(49)}`;
    const world = { document: { authProfiles: { 'groq:a': { provider: 'groq', type: 'api_key', key: token } } } };
    const registry = registryOf(world);
    expect(ownTokens(registry)).toEqual(['authProfiles.groq:a']);
    expect(profileState('groq:a', 'groq', registry)).toMatchObject({ usable: false, reason: 'own_token' });
  });
});

describe('a token that ends', () => {
  const authProfiles = {
    'groq:a': { provider: 'groq', type: 'token', token: 't-a', expires: start + 1000 },
    'groq:b': { provider: 'groq', type: 'token', token: 't-b', expires: start + 2000 },
    'groq:c': { provider: 'groq', type: 'token', token: 't-c', expires: 0 },
  };
  const at = (now: number): World => ({ document: { authProfiles }, now });

  test('makes the registry another one from that moment on', () => {
    expect([start, start + 1000, start + 2000].map((now) => registryOf(at(now)).until)).toEqual([
      start + 1000,
      start + 2000,
      Number.POSITIVE_INFINITY,
    ]);
    expect(attempts(at(start + 999), 'groq/m')).toHaveLength(3);
    expect(attempts(at(start + 1000), 'groq/m')).toHaveLength(2);
    expect(attempts(at(start + 2000), 'groq/m')).toEqual(['profile:groq:c t-c api.groq.com']);
  });
});
