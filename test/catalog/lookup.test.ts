import { describe, expect, test } from 'bun:test';
import { createCatalog } from '../../src/catalog/lookup.ts';
import { addressedByUser, catalogProviders, namedProtocols } from '../../src/catalog/providers.ts';

const catalog = createCatalog(['openai-completions']);
const whole = createCatalog(namedProtocols);

describe('what is listed', () => {
  test('a provider without a protocol that is built is not listed, and not found by id or alias', () => {
    expect(catalog.provider('anthropic')).toBeNull();
    expect(catalog.provider('claude')).toBeNull();
    expect(catalog.providers().map((row) => row.id)).not.toContain('anthropic');
    expect(createCatalog([]).providers()).toEqual([]);
  });

  test('with every protocol built every row is listed, as it is written', () => {
    expect(whole.providers()).toEqual(catalogProviders);
  });

  test('endpoints of protocols that are not built are left out of the row', () => {
    expect(catalog.provider('google')?.endpoints).toEqual([
      {
        protocol: 'openai-completions',
        baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
        style: 'bearer',
        quirks: {},
      },
    ]);
    expect(catalog.providers().flatMap((row) => row.endpoints.filter((it) => it.protocol !== 'openai-completions'))).toEqual([]);
  });

  test('openai, xai and opencode offer chat completions first', () => {
    for (const id of ['openai', 'xai', 'opencode']) expect(whole.provider(id)?.endpoints[0].protocol).toBe('openai-completions');
  });

  test('local providers are found and marked', () => {
    expect(catalog.provider('vllm')?.local).toBe(true);
    expect(catalog.provider('openai')?.local).toBeUndefined();
  });

  test('models are those of the listed provider, and of no other name', () => {
    expect(catalog.models('openai').map((model) => model.id)).toContain('gpt-5.5');
    expect(catalog.models('groq').map((model) => model.id)).toContain('openai/gpt-oss-120b');
    for (const id of ['acme', 'constructor', '__proto__', 'vllm']) expect(catalog.models(id)).toEqual([]);
    expect(createCatalog(['anthropic-messages']).models('openai')).toEqual([]);
  });
});

describe('the description of every provider', () => {
  const builtin = catalog.builtin();
  const of = (id: string) => builtin.find((each) => each.id === id);

  test('has the rows that cannot be called too, and those whose address must be configured', () => {
    expect(builtin.map(({ id }) => id)).toEqual([...catalogProviders, ...addressedByUser].map(({ id }) => id));
    expect(builtin.length).toBeGreaterThanOrEqual(75);
    expect(of('anthropic')).toEqual({
      id: 'anthropic',
      name: 'Anthropic',
      aliases: ['claude'],
      endpoints: [{ api: 'anthropic-messages', baseUrl: 'https://api.anthropic.com', callable: false }],
      envVars: ['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_OAUTH_TOKEN', 'ANTHROPIC_API_KEY'],
      local: false,
      needsBaseUrl: false,
      callable: false,
    });
  });

  test('says which protocols are spoken, and what is local', () => {
    expect(of('xai')).toMatchObject({ callable: true, endpoints: [{ callable: true }, { callable: false }] });
    expect(of('azure')).toMatchObject({ callable: true, needsBaseUrl: true, local: false });
    expect(of('amazon-bedrock')).toMatchObject({ callable: false, needsBaseUrl: false });
    expect(of('vllm')).toMatchObject({ local: true, needsBaseUrl: false });
  });
});

describe('a row with a host in each region', () => {
  const base = (environment: Readonly<Record<string, string | undefined>>) =>
    createCatalog(['bedrock-converse-stream'], environment).provider('bedrock')?.endpoints[0].baseUrl;

  test('is where its variables say, in their order', () => {
    expect(base({})).toBe('https://bedrock-runtime.us-east-1.amazonaws.com');
    expect(base({ AWS_DEFAULT_REGION: 'eu-central-1' })).toBe('https://bedrock-runtime.eu-central-1.amazonaws.com');
    expect(base({ AWS_REGION: 'us-gov-west-1', AWS_DEFAULT_REGION: 'eu-central-1' })).toBe(
      'https://bedrock-runtime.us-gov-west-1.amazonaws.com',
    );
    expect(base({ AWS_REGION: ' ', AWS_DEFAULT_REGION: 'eu-west-1' })).toBe('https://bedrock-runtime.eu-west-1.amazonaws.com');
  });

  test('stays at home for a text that is no region: it would be a part of a host name', () => {
    for (const text of ['evil.example/', 'us-east-1.evil.example', 'US-EAST-1', 'x', 'us-east-1#'])
      expect(base({ AWS_REGION: text })).toBe('https://bedrock-runtime.us-east-1.amazonaws.com');
  });

  test('its key may go to each of its regions, and nowhere else', () => {
    const origins = createCatalog([]).envBinding('AWS_BEARER_TOKEN_BEDROCK') ?? [];
    expect(origins).toContain('https://bedrock-runtime.us-east-1.amazonaws.com');
    expect(origins).toContain('https://bedrock-runtime.eu-north-1.amazonaws.com');
    expect(origins.filter((origin) => !/^https:\/\/bedrock-runtime\.[a-z]+(-[a-z]+)+-\d\.amazonaws\.com$/.test(origin))).toEqual(
      [],
    );
  });
});

describe('canonical ids', () => {
  test.each([
    ['chatgpt', 'openai-codex'],
    ['codex', 'openai-codex'],
    ['bedrock', 'amazon-bedrock'],
    ['aws-bedrock', 'amazon-bedrock'],
    ['copilot', 'github-copilot'],
    ['gh-copilot', 'github-copilot'],
    ['z.ai', 'zai'],
    ['z-ai', 'zai'],
    ['x-ai', 'xai'],
    ['kimi', 'moonshot'],
    ['kimi-code', 'kimi-coding'],
    ['kimi-for-coding', 'kimi-coding'],
    ['bytedance', 'volcengine'],
    ['doubao', 'volcengine'],
    ['opencode-zen', 'opencode'],
    ['dashscope', 'qwen'],
    ['azure-openai', 'azure'],
    ['minimax-cn', 'minimax'],
  ])('%s is %s', (alias, id) => {
    expect(catalog.canonicalId(alias)).toBe(id);
  });

  test('case and white space around it do not matter', () => {
    expect(catalog.canonicalId('  Z.AI\n')).toBe('zai');
    expect(catalog.provider(' GROQ ')?.id).toBe('groq');
  });

  test('what the catalog does not know stays, the retired name of Qwen included', () => {
    expect(catalog.canonicalId('Acme')).toBe('acme');
    expect(catalog.canonicalId('qwen-portal')).toBe('qwen-portal');
    expect(catalog.canonicalId('constructor')).toBe('constructor');
    expect(catalog.canonicalId('')).toBe('');
  });

  test('are their own canonical ids, whatever is built', () => {
    for (const { id, aliases } of catalogProviders) {
      expect([id, ...aliases].map((name) => createCatalog([]).canonicalId(name))).toEqual([id, ...aliases].map(() => id));
    }
  });
});

describe('where a variable may go', () => {
  test('a vendor’s key is bound to the vendor even while its protocol is not built', () => {
    expect(catalog.envBinding('ANTHROPIC_API_KEY')).toEqual(['https://api.anthropic.com']);
    expect(catalog.envBinding('OPENAI_API_KEY')).toEqual(['https://api.openai.com']);
  });

  test('every variable of a remote row is bound to all origins of that row', () => {
    for (const row of catalogProviders.filter((it) => it.local !== true)) {
      for (const name of row.envVars) {
        for (const { baseUrl } of row.endpoints) expect(catalog.envBinding(name)).toContain(new URL(baseUrl).origin);
        for (const origin of row.otherOrigins ?? []) expect(catalog.envBinding(name)).toContain(origin);
      }
    }
  });

  test('a vendor’s regions may be configured with the same key', () => {
    expect(catalog.envBinding('MOONSHOT_API_KEY')).toEqual(['https://api.moonshot.ai', 'https://api.moonshot.cn']);
  });

  test('a variable that only local rows name is bound nowhere, for their address is the user’s', () => {
    expect(catalog.envBinding('VLLM_API_KEY')).toBeNull();
  });

  test('a variable that a remote and a local row name is bound to both', () => {
    expect(catalog.envBinding('OLLAMA_API_KEY')).toEqual(['https://ollama.com', 'http://127.0.0.1:11434']);
  });

  test('the key of a provider whose address is the user’s is bound nowhere', () => {
    expect(catalog.addressedByUser('azure-openai')?.envVars).toEqual(['AZURE_OPENAI_API_KEY']);
    expect(catalog.envBinding('AZURE_OPENAI_API_KEY')).toBeNull();
    expect(catalog.addressedByUser('openai')).toBeNull();
  });

  test('other names are bound nowhere', () => {
    expect(catalog.envBinding('ACME_API_KEY')).toBeNull();
    expect(catalog.envBinding('openai_api_key')).toBeNull();
  });
});

describe('the vendor of a bare model id', () => {
  test.each([
    ['gpt-5.5', 'openai'],
    ['GPT-4o', 'openai'],
    ['o3', 'openai'],
    ['o4-mini', 'openai'],
    ['claude-opus-5', 'anthropic'],
    ['gemini-2.5-pro', 'google'],
    ['MiniMax-M3', 'minimax'],
    ['the-minimax-m2', 'minimax'],
    ['kimi-for-coding', 'kimi-coding'],
    ['k2p5', 'kimi-coding'],
    ['k3', 'kimi-coding'],
    ['k3-256k', 'kimi-coding'],
    ['kimi-k3', 'moonshot'],
    ['kimi-k2.6', 'moonshot'],
  ])('%s is by %s', (model, provider) => {
    expect(catalog.vendorOf(model)).toBe(provider);
  });

  test.each(['gpt-oss-120b', 'llama-3.1-8b', 'my-gpt-4', 'ollama3', 'opus', 'o', 'gpt', ''])('%p says nothing', (model) => {
    expect(catalog.vendorOf(model)).toBeNull();
  });

  test('is a provider of the catalog', () => {
    for (const model of ['gpt-1', 'o1', 'claude-1', 'gemini-1', 'minimax', 'k3', 'kimi-1']) {
      expect(catalogProviders.map((row) => row.id)).toContain(catalog.vendorOf(model) ?? 'none');
    }
  });
});
