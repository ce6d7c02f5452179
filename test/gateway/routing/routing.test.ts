import { describe, expect, test } from 'bun:test';
import { createCatalog } from '../../../src/catalog/lookup.ts';
import type { Consents } from '../../../src/core/config.ts';
import { type ConfigDocument, documentSchema } from '../../../src/core/document.ts';
import { OlaError } from '../../../src/core/errors.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import type { HeaderMap } from '../../../src/core/ports.ts';
import { mapSecrets } from '../../../src/core/secrets.ts';
import type { Candidate } from '../../../src/credentials/candidates.ts';
import { allConsents } from '../../../src/gateway/config/consents.ts';
import { fallbackOf } from '../../../src/gateway/routing/fallback.ts';
import { findModel } from '../../../src/gateway/routing/models.ts';
import { ownTokens, providerStates } from '../../../src/gateway/routing/provider-states.ts';
import { buildRegistry, type ProcessProvider, type Registry } from '../../../src/gateway/routing/registry.ts';
import { nextAttempt, planOf } from '../../../src/gateway/routing/routing.ts';
import { variable } from '../scene.ts';

const spoken = 'openai-completions';
const catalog = createCatalog([spoken]);

interface World {
  readonly document?: JsonObject;
  readonly environment?: Readonly<Record<string, string>>;
  readonly processProviders?: readonly ProcessProvider[];
  readonly everyProviderLocal?: boolean;
  /** Models that providers named when they were asked. */
  readonly asked?: Readonly<Record<string, readonly string[]>>;
  /** The origin that the document's keys were entered for. */
  readonly keyOrigin?: string | null;
  /** Default: those of an owner who wrote the document. */
  readonly consents?: Consents;
  readonly envReferences?: readonly string[];
}

/** The registry of a document written with its secrets in clear. */
function registryOf(world: World): Registry {
  const secrets = new Map<string, { origin: string | null }>();
  const document = mapSecrets(world.document ?? {}, documentSchema, (_value, path): Json => {
    const id = path.join('.');
    secrets.set(id, { origin: world.keyOrigin ?? null });
    return { $secret: id };
  });
  const open = (world.document ?? {}) as ConfigDocument;
  return buildRegistry(
    { document, open, secrets, consents: world.consents ?? allConsents(document, { catalog, everyProviderLocal: false }) },
    {
      catalog,
      envReferences: new Set(world.envReferences),
      environment: world.environment ?? {},
      processProviders: world.processProviders ?? [],
      everyProviderLocal: world.everyProviderLocal ?? false,
      userAgent: 'ola/0.1.0',
      via: '1.1 ola-0123456789abcdef',
      translates: () => false,
      now: () => 0,
    },
  );
}

function go(
  world: World,
  model: string | null,
  profile: string | null = null,
  protocol = spoken,
  operation: 'chat' | 'embeddings' | 'other' = 'chat',
) {
  const document = (world.document ?? {}) as ConfigDocument;
  return planOf(
    { name: model, profile, protocol, operation },
    {
      registry: registryOf(world),
      catalog,
      translates: () => false,
      defaultModel: document.defaultModel ?? null,
      activeProviderIds: document.activeProviderIds ?? [],
      asked: ({ id }: { readonly id: string }) => (world.asked?.[id] ?? []).map((model) => ({ id: model })),
      fallback: fallbackOf(document, catalog.canonicalId),
    },
  );
}

const to = (world: World, model: string | null) => {
  const { provider, model: id } = go(world, model).attempts[0];
  return `${provider.id} ${id}`;
};

function refusal(world: World, model: string | null, profile: string | null = null, protocol = spoken): OlaError {
  try {
    go(world, model, profile, protocol);
  } catch (error) {
    if (error instanceof OlaError) return error;
    throw error;
  }
  throw new Error('it was routed');
}

/** The headers of a static credential, the same at each request. */
function signed(candidate: Candidate): HeaderMap {
  const request = { method: 'POST', path: '/x', body: '' };
  const headers = candidate.sign(request, 0);
  expect(candidate.sign(request, 1)).toBe(headers);
  return headers as HeaderMap;
}

const custom = (models: readonly string[] = [], more: JsonObject = {}): JsonObject => ({
  baseUrl: 'https://llm.custom.example/v1',
  authHeader: false,
  models: models.map((id) => ({ id })),
  ...more,
});
const openai = { environment: { OPENAI_API_KEY: 'sk-openai' } };
const both = { environment: { OPENAI_API_KEY: 'sk-openai', GROQ_API_KEY: 'gsk-groq' } };
const acme: World = { document: { providers: { acme: custom(['m1', 'm2']) } } };

describe('a reference with a provider', () => {
  test('goes to it, under its alias and in any case too; the model id keeps its own', () => {
    const world = { environment: { XAI_API_KEY: 'xai-1' } };
    for (const name of ['xai/Grok-9', 'x-ai/Grok-9', 'GROK/Grok-9', ' xai/Grok-9 ', 'xai/Grok-9[1m]']) {
      expect(to(world, name)).toBe('xai Grok-9');
    }
  });

  test('that is listed with a context suffix is called as it is; the suffix of another is cut', () => {
    const world = { document: { providers: { acme: custom(['big[32k]', 'big', 'small']), b: custom(['only[1m]', 'x/y[8k]']) } } };
    expect(to(world, 'acme/big[32k]')).toBe('acme big[32k]');
    expect(to(world, 'acme/big[64k]')).toBe('acme big');
    expect(to(world, 'acme/unlisted[1m]')).toBe('acme unlisted');
    expect(to(world, 'only[1m]')).toBe('b only[1m]');
    expect(to(world, 'small[1m]')).toBe('acme small');
    expect(to(world, 'x/y[8k]')).toBe('b x/y[8k]');
    expect(refusal(world, 'only').code).toBe('model_not_found');
    const asked = { document: { providers: { acme: custom() } }, asked: { acme: ['big[32k]', 'llama'] } };
    expect(to(asked, 'acme/big[32k]')).toBe('acme big[32k]');
    expect(refusal(asked, 'llama').facts.details).toEqual({ candidates: ['acme/llama'] });
  });

  test('of a listed model is found by it, whatever it ends in', () => {
    const registry = registryOf({ document: { providers: { acme: custom(['big[32k]', 'big', 'small']) } } });
    const found = (name: string) => findModel(name, { registry, asked: () => [], canonicalId: catalog.canonicalId }).id;
    for (const name of ['acme/big[32k]', 'ACME/big[32k]', 'big[32k]']) expect(found(name)).toBe('acme/big[32k]');
    for (const name of ['acme/big', 'acme/big[64k]', 'big[1m]', 'big']) expect(found(name)).toBe('acme/big');
    expect(() => found('acme/big[32k]x')).toThrow('is not among the models');
  });

  test('keeps the slashes and colons of the model', () => {
    expect(to(acme, 'acme/meta/llama:8b/x')).toBe('acme meta/llama:8b/x');
  });

  test('sends an unlisted model on, unless the lists are all there is', () => {
    expect(to(acme, 'acme/never-heard-of')).toBe('acme never-heard-of');
    const replacing = { document: { providers: { acme: custom(['m1']) }, models: { mode: 'replace' } } };
    expect(to(replacing, 'acme/m1')).toBe('acme m1');
    expect(refusal(replacing, 'acme/m2')).toMatchObject({ code: 'model_not_found', status: 404, facts: { param: 'model' } });
    expect(refusal({ ...replacing, ...openai }, 'openai/gpt-5.5').code).toBe('model_not_found');
  });

  test('without a model is 404 and says how to write it', () => {
    expect(refusal(acme, 'acme/')).toMatchObject({ code: 'model_not_found', message: expect.stringContaining('acme/MODEL') });
  });

  test('may be the whole id of a model that one host lists, when that provider cannot be used', () => {
    const groq = { environment: { GROQ_API_KEY: 'gsk-groq' } };
    expect(to(groq, 'openai/gpt-oss-120b')).toBe('groq openai/gpt-oss-120b');
    expect(to(both, 'openai/gpt-oss-120b')).toBe('openai gpt-oss-120b');
    const two = { providers: { a: custom(['x/m']), b: custom(['x/m']) } };
    expect(refusal({ document: two }, 'x/m').code).toBe('provider_resolution_failed');
  });

  test('that nobody knows is 404 and names the provider', () => {
    const error = refusal({}, 'nobody/m');
    expect(error).toMatchObject({ code: 'provider_resolution_failed', status: 404, facts: { param: 'model' } });
    expect(error.message).toContain("'nobody'");
    for (const name of ['constructor/x', '__proto__/x', 'toString/x']) expect(refusal({}, name).status).toBe(404);
  });

  test('that is like a provider’s name is asked about, of those that can be used first, else of the catalog', () => {
    const near = (world: World, name: string) => {
      const { message, facts } = refusal(world, name);
      return [facts.details?.['candidates'], message.includes('Did you mean')];
    };
    expect(near(acme, 'acne/m1')).toEqual([['acme/m1'], true]);
    expect(near(acme, 'opnai/gpt-9')).toEqual([['openai/gpt-9'], true]);
    expect(near(acme, 'nobody-of-this-name/m')).toEqual([undefined, false]);
    expect(near({}, 'openai/gpt-5.5')).toEqual([undefined, false]);
    expect(near({ document: { providers: { local: custom(['llama']) } } }, 'lokal/llama')).toEqual([['local/llama'], true]);
  });

  test('to a model that is like a listed one is asked about', () => {
    const replacing = { document: { providers: { acme: custom(['llama', 'other']) }, models: { mode: 'replace' } } };
    const error = refusal(replacing, 'acme/llamma');
    expect(error.facts.details).toEqual({ candidates: ['acme/llama'] });
    expect(error.message).toContain("Did you mean 'acme/llama'?");
    expect(refusal(acme, 'm3').facts.details).toEqual({ candidates: ['acme/m1', 'acme/m2'] });
    expect(refusal(acme, 'x'.repeat(512)).facts.details).toEqual({ candidates: [] });
  });

  test('that has no credential is 404, names what to set and no key of others', () => {
    const error = refusal({ environment: { GROQ_API_KEY: 'gsk-CANARY' } }, 'openai/gpt-5.5');
    expect(error.code).toBe('provider_resolution_failed');
    expect(error.message).toContain('OPENAI_API_KEY');
    expect(error.message).not.toContain('CANARY');
  });

  test('whose protocol this version does not have is 404 and says that, with a key and without, by its alias and by a bare name', () => {
    const said = "this version does not speak Anthropic's protocol";
    const keyed = { environment: { ANTHROPIC_API_KEY: 'sk-ant-0123456789' } };
    for (const world of [{}, keyed, { document: { providers: { anthropic: { apiKey: 'sk-ant-0123456789' } } } }]) {
      for (const model of ['anthropic/claude-sonnet-4-5', 'claude/claude-sonnet-4-5', 'claude-sonnet-4-5']) {
        const { message } = refusal(world, model);
        expect([model, message]).toEqual([model, expect.stringContaining(said)]);
        expect(message).not.toContain('sk-ant');
      }
    }
    expect(refusal({}, 'anthropic/claude').code).toBe('provider_resolution_failed');
    const why = 'this version does not speak its protocol yet';
    expect(providerStates(registryOf({}))).toEqual([]);
    expect(providerStates(registryOf(keyed))).toEqual([{ id: 'anthropic', usable: false, keys: [], why }]);
    // Its address over OpenAI's API, if it has one.
    const configured = { document: { providers: { anthropic: { baseUrl: 'https://api.anthropic.com/v1' } } } };
    expect(to({ ...keyed, ...configured }, 'anthropic/claude')).toBe('anthropic claude');
  });

  test('that is switched off, or not among the active ones, is 404 provider_disabled', () => {
    const off = { document: { providers: { acme: custom([], { enabled: false }), openai: { enabled: false } } }, ...openai };
    expect(refusal(off, 'acme/m1')).toMatchObject({ code: 'provider_disabled', status: 404 });
    expect(refusal(off, 'openai/gpt-5.5').code).toBe('provider_disabled');
    const chosen = {
      document: { providers: { acme: custom() }, activeProviderIds: ['x-ai'] },
      environment: { XAI_API_KEY: 'x' },
    };
    expect(refusal(chosen, 'acme/m1').code).toBe('provider_disabled');
    expect(to(chosen, 'xai/grok-9')).toBe('xai grok-9');
  });
});

describe('a bare name', () => {
  test('goes to the one usable provider that lists it', () => {
    expect(to(acme, 'm2')).toBe('acme m2');
    const keyless = custom(['m1'], { authHeader: true });
    expect(to({ document: { providers: { acme: custom(['m1']), other: keyless } } }, 'm1')).toBe('acme m1');
  });

  test('that several list goes to the vendor of its name', () => {
    const world = { document: { providers: { acme: custom(['gpt-5.5']) } }, ...openai };
    expect(to(world, 'gpt-5.5')).toBe('openai gpt-5.5');
  });

  test('that several list and none made goes by the order of activeProviderIds', () => {
    const providers = { a: custom(['m']), b: custom(['m']), c: custom(['m']) };
    expect(to({ document: { providers, activeProviderIds: ['c', 'a'] } }, 'm')).toBe('c m');
    expect(to({ document: { providers, activeProviderIds: ['a', 'c'] } }, 'm')).toBe('a m');
  });

  test('that several list and nothing decides is 404 with the candidates', () => {
    const error = refusal({ document: { providers: { a: custom(['m']), b: custom(['m']), c: custom(['n']) } } }, 'm');
    expect(error).toMatchObject({ code: 'model_not_found', facts: { param: 'model', details: { candidates: ['a/m', 'b/m'] } } });
    expect(error.message).toContain('a/m, b/m');
  });

  test('that nobody lists goes to the vendor of its name, when that one can be used', () => {
    expect(to(openai, 'gpt-99-preview')).toBe('openai gpt-99-preview');
    expect(refusal({}, 'gpt-99-preview')).toMatchObject({
      code: 'model_not_found',
      message: expect.stringContaining('OPENAI_API_KEY'),
    });
    expect(refusal({ document: { activeProviderIds: ['groq'] }, ...both }, 'gpt-99-preview').code).toBe('model_not_found');
  });

  test('that an OpenAI name resembles, of open weights, is not taken for OpenAI’s', () => {
    expect(refusal(openai, 'gpt-oss-9').code).toBe('model_not_found');
  });

  test('that nobody knows is never served by the default', () => {
    const world = { document: { providers: { acme: custom(['m1']) }, defaultModel: 'acme/m1' } };
    expect(refusal(world, 'unheard-of').code).toBe('model_not_found');
  });
});

describe('no name at all', () => {
  const world = { document: { providers: { acme: custom(['m1']) }, defaultModel: 'acme/m1' } };

  test('means the default model, and so does `default`', () => {
    for (const name of [null, '', '  ', 'default']) expect(to(world, name)).toBe('acme m1');
  });

  test('is 404 when there is no default', () => {
    for (const name of [null, '', 'default']) {
      expect(refusal(acme, name)).toMatchObject({ code: 'model_not_found', message: expect.stringContaining('defaultModel') });
    }
  });
});

describe('an auth profile that is named', () => {
  test('and not there is an error, not another credential: by reference or by header', () => {
    for (const error of [refusal(openai, 'openai:work/gpt-5.5'), refusal(openai, 'openai/gpt-5.5', 'openai:work')]) {
      expect(error).toMatchObject({ code: 'provider_resolution_failed', message: expect.stringContaining('openai:work') });
    }
  });

  test('in the reference goes before the one in the header', () => {
    expect(refusal(openai, 'openai:mine/gpt-5.5', 'openai:theirs').message).toContain('openai:mine');
  });
});

describe('a name with control characters', () => {
  test('is refused and not repeated', () => {
    for (const character of ['\n', '\r', '\u0000', '\u007f', '\u0085', '\u2028']) {
      const error = refusal(acme, `acme/CANARY${character}x`);
      expect(error).toMatchObject({ code: 'invalid_field', status: 422, facts: { param: 'model' } });
      expect(error.message).not.toContain('CANARY');
    }
  });
});

describe('attempts', () => {
  test('are one for each credential: variables in the order of the catalog, then the key of the configuration', () => {
    const world: World = {
      document: { providers: { cohere: { apiKey: 'c3' } } },
      environment: { CO_API_KEY: 'c2', COHERE_API_KEY: 'c1' },
      keyOrigin: 'https://api.cohere.ai',
    };
    const attempts = go(world, 'cohere/command').attempts.map(({ candidate }) => [
      candidate.source,
      signed(candidate)['authorization'],
    ]);
    expect(attempts).toEqual([
      ['env:COHERE_API_KEY', 'Bearer c1'],
      ['env:CO_API_KEY', 'Bearer c2'],
      ['provider-config', 'Bearer c3'],
    ]);
  });

  test('never carry a key to another address than its own', () => {
    const stolen = { providers: { openai: { baseUrl: 'https://evil.example/v1' } } };
    const error = refusal({ document: stolen, ...openai }, 'openai/gpt-5.5');
    expect(error).toMatchObject({ code: 'provider_resolution_failed', message: expect.stringContaining('origin_mismatch') });
    const moved = { providers: { acme: { baseUrl: 'https://b.example/v1', apiKey: 'k' } } };
    expect(refusal({ document: moved, keyOrigin: 'https://a.example' }, 'acme/m').message).toContain('origin_mismatch');
    expect(go({ document: moved, keyOrigin: 'https://b.example' }, 'acme/m').attempts).toHaveLength(1);
  });
});

describe('an access token of ola in the place of a key', () => {
  const token = `ola_${'x'.repeat(49)}`;

  test('is never sent; the refusal and the list of places name where it stands, not what it is', () => {
    const world: World = {
      document: {
        providers: {
          acme: { baseUrl: 'https://a.example/v1', apiKey: token },
          header: { baseUrl: 'https://a.example/v1', apiKey: 'k', headers: { 'x-key': `Bearer ${token}` } },
        },
      },
      environment: { OPENAI_API_KEY: token, GROQ_API_KEY: 'gsk-groq' },
    };
    for (const [model, place] of [
      ['openai/gpt-5.5', 'OPENAI_API_KEY'],
      ['acme/m', 'its apiKey'],
      ['header/m', 'headers.x-key'],
    ] as const) {
      const { code, message } = refusal(world, model);
      expect([code, message.includes(`${place} is an access token of ola`), message.includes(token)]).toEqual([
        'provider_resolution_failed',
        true,
        false,
      ]);
    }
    expect(ownTokens(registryOf(world))).toEqual(['providers.acme.apiKey', 'providers.header.headers.x-key', 'OPENAI_API_KEY']);
    expect(to(world, 'groq/llama')).toBe('groq llama');
  });
});

describe('the states of the providers', () => {
  test('are the usable ones with where their keys are, then those that are meant to be usable with why they are not', () => {
    const world: World = {
      document: {
        providers: {
          groq: { apiKey: 'k' },
          local: custom(),
          vllm: {},
          off: custom([], { enabled: false }),
          moved: { baseUrl: 'https://b.example/v1', apiKey: 'k' },
          nowhere: { apiKey: 'k' },
        },
      },
      environment: { OPENAI_API_KEY: 'sk-openai', DEEPSEEK_API_KEY: `ola_${'x'.repeat(49)}` },
      keyOrigin: 'https://api.groq.com',
    };
    expect(providerStates(registryOf(world))).toEqual([
      { id: 'groq', usable: true, keys: ['stored'], why: null },
      { id: 'local', usable: true, keys: [], why: null },
      { id: 'vllm', usable: true, keys: [], why: null },
      { id: 'openai', usable: true, keys: ['OPENAI_API_KEY'], why: null },
      { id: 'off', usable: false, keys: [], why: 'switched off' },
      { id: 'moved', usable: false, keys: [], why: 'its apiKey is not for the present address' },
      { id: 'nowhere', usable: false, keys: [], why: 'it has no baseUrl' },
      { id: 'deepseek', usable: false, keys: [], why: 'DEEPSEEK_API_KEY is a token of ola' },
    ]);
  });

  test('say which variable is not set', async () => {
    const document = { providers: { mistral: { apiKey: variable('MY_MISTRAL_KEY') } } };
    const inputs = {
      catalog,
      environment: {},
      processProviders: [],
      everyProviderLocal: false,
      userAgent: 'u',
      via: 'v',
      translates: () => false,
      envReferences: new Set<string>(),
      now: () => 0,
    };
    const registry = buildRegistry({ document, open: { providers: { mistral: {} } }, secrets: new Map(), consents: {} }, inputs);
    expect(providerStates(registry)).toEqual([{ id: 'mistral', usable: false, keys: [], why: 'MY_MISTRAL_KEY is not set' }]);
  });
});

describe('the next attempt', () => {
  const plan = go(
    { document: { providers: { acme: custom([], { authHeader: true, apiKey: 'k' }) } }, environment: { ACME_API_KEY: 'e' } },
    'acme/m',
  );
  const [first, second] = plan.attempts;
  if (second === undefined) throw new Error('there is one attempt only');

  test('is the first, then one that was not made yet, then none', () => {
    expect(nextAttempt(plan, [], null)).toBe(first);
    expect(nextAttempt(plan, [{ attempt: first, next: 'other' }], null)).toBe(second);
    expect(
      nextAttempt(
        plan,
        [
          { attempt: first, next: 'other' },
          { attempt: second, next: 'other' },
        ],
        null,
      ),
    ).toBeNull();
  });

  test('is the same once more, or none, where the failure says so', () => {
    expect(nextAttempt(plan, [{ attempt: first, next: 'same' }], null)).toBe(first);
    expect(nextAttempt(plan, [{ attempt: first, next: 'stop' }], null)).toBeNull();
  });
});

describe('a client of a protocol that the provider does not speak', () => {
  test('is told what the provider speaks', () => {
    const error = refusal(openai, 'openai/gpt-5.5', null, 'echo');
    expect(error.code).toBe('provider_resolution_failed');
    for (const name of ['openai-completions', 'echo']) expect(error.message).toContain(name);
  });
});

describe('what a provider is sent', () => {
  const headersOf = (provider: JsonObject, environment = {}) =>
    signed(go({ document: { providers: { acme: provider } }, environment }, 'acme/m').attempts[0].candidate);

  test('is JSON wanted uncompressed, from ola, with the bearer', () => {
    expect(headersOf({ baseUrl: 'https://a.example/v1', apiKey: 'k' })).toEqual({
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'ola/0.1.0',
      via: '1.1 ola-0123456789abcdef',
      authorization: 'Bearer k',
    });
  });

  test('has the configured headers, which do not replace the credential, the framing, or the name that circles are known by', () => {
    const replacing = { Authorization: 'Bearer other', 'Accept-Encoding': 'gzip', Via: '1.1 other' };
    const headers = { 'X-Team': 'a', 'User-Agent': 'mine', ...replacing };
    expect(headersOf({ baseUrl: 'https://a.example/v1', apiKey: 'k', headers })).toEqual({
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'mine',
      'x-team': 'a',
      via: '1.1 ola-0123456789abcdef',
      authorization: 'Bearer k',
    });
  });

  test('has no credential where none is wanted, whatever there is', () => {
    const headers = headersOf(custom([], { apiKey: 'k' }), { ACME_API_KEY: 'e' });
    expect(Object.keys(headers).sort()).toEqual(['accept-encoding', 'content-type', 'user-agent', 'via']);
  });
});

describe('where a provider is', () => {
  const destination = (world: World, id = 'acme') => registryOf(world).active.get(id)?.endpoints[0].destination;

  test('is its base URL without a slash at the end, and never local by itself', () => {
    const document = { providers: { acme: custom([], { baseUrl: 'https://a.example/v1//', ports: [8000] }) } };
    expect(destination({ document })).toEqual({
      name: 'acme',
      baseUrl: 'https://a.example/v1',
      allowLocal: false,
      ports: [8000],
    });
  });

  test('may be local when the configuration or the process says so', () => {
    const listed = { providers: { acme: custom() }, egressPolicy: { allowLocalProviders: ['acme'] } };
    expect(destination({ document: listed })?.allowLocal).toBe(true);
    expect(destination({ document: { providers: { acme: custom([], { allowLocal: true }) } } })?.allowLocal).toBe(true);
    expect(destination({ ...acme, everyProviderLocal: true })?.allowLocal).toBe(true);
    const refused = { providers: { acme: custom([], { allowLocal: false }) } };
    expect(destination({ document: refused, everyProviderLocal: true })?.allowLocal).toBe(false);
  });

  test('of the catalog’s local rows is this machine, and they are not active by themselves', () => {
    expect(registryOf({}).active.size).toBe(0);
    const vllm = registryOf({ document: { providers: { vllm: {} } } }).active.get('vllm');
    expect(vllm?.endpoints[0].destination.allowLocal).toBe(true);
    expect(vllm?.endpoints[0].candidates[0]).toMatchObject({ source: 'none', secrets: [] });
  });

  test('configured under an alias is the same provider, and models.providers goes over providers', () => {
    const document = {
      providers: { grok: { apiKey: 'one', headers: { a: '1' } } },
      models: { providers: { 'x-ai': { models: [{ id: 'special' }] } } },
    };
    const registry = registryOf({ document, keyOrigin: 'https://api.x.ai' });
    expect([...registry.active.keys()]).toEqual(['xai']);
    expect(registry.active.get('xai')?.models.map(({ id }) => id)).toContain('special');
    expect(signed(registry.active.get('xai')!.endpoints[0].candidates[0])).toMatchObject({ authorization: 'Bearer one', a: '1' });
  });
});

describe('a provider of the process', () => {
  const demo = { id: 'demo', protocol: spoken, baseUrl: 'http://127.0.0.1:1', apiKey: 'demo-key', models: [{ id: 'echo' }] };

  test('is there whatever the configuration says, with its own models only', () => {
    const world = { processProviders: [demo], document: { activeProviderIds: ['openai'] } };
    expect(to(world, 'demo/echo')).toBe('demo echo');
    expect(to(world, 'echo')).toBe('demo echo');
    expect(refusal(world, 'demo/other').code).toBe('model_not_found');
  });
});
