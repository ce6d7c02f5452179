/** Walks the rows: what a typing error in the data would break. */
import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogVersion, modelsOf } from '../../src/catalog/models.ts';
import { addressedByUser, catalogProviders } from '../../src/catalog/providers.ts';
import type { CatalogProvider } from '../../src/core/providers.ts';
import { demoProvider } from '../../src/serve/demo.ts';

/** `row: value` for each value that breaks a rule; a failing test then names the rows. */
function offences(
  values: (row: CatalogProvider) => readonly string[],
  isRight: (value: string, row: CatalogProvider) => boolean,
) {
  return catalogProviders.flatMap((row) => values(row).flatMap((value) => (isRight(value, row) ? [] : [`${row.id}: ${value}`])));
}

const repeated = (values: readonly string[]) => values.filter((value, i) => values.indexOf(value) !== i);
const urls = (row: CatalogProvider) => row.endpoints.map((endpoint) => endpoint.baseUrl);

describe('provider rows', () => {
  test('no id or alias names two providers', () => {
    const names = [
      ...catalogProviders.flatMap((row) => [row.id, ...row.aliases]),
      ...addressedByUser.flatMap(({ id, aliases }) => [id, ...aliases]),
    ];
    expect(names.length).toBeGreaterThan(100);
    expect(repeated(names)).toEqual([]);
  });

  test('ids and aliases are what a normalised reference can hold', () => {
    const names = (row: CatalogProvider) => [row.id, ...row.aliases];
    expect(offences(names, (name) => /^[a-z0-9][a-z0-9._-]*$/.test(name))).toEqual([]);
    const kept = addressedByUser.flatMap(({ id, aliases }) => [id, ...aliases]);
    expect(kept.filter((name) => !/^[a-z0-9][a-z0-9._-]*$/.test(name))).toEqual([]);
  });

  test('names that belong to the gateway itself or to a retired provider stay free', () => {
    const taken = catalogProviders.flatMap((row) => [row.id, ...row.aliases]);
    const free = ['agent_bridge', 'agent', 'default', 'qwen-portal', demoProvider.id];
    expect(free.filter((name) => taken.includes(name))).toEqual([]);
  });

  test('base URLs are complete, canonical and ready for a path to be appended', () => {
    const isRight = (text: string) => {
      const url = URL.parse(text);
      return url !== null && url.href.replace(/\/$/, '') === text && !/[?#@{}]/.test(text);
    };
    expect(offences(urls, isRight)).toEqual([]);
  });

  test('plain http and local addresses are for local rows only, and they for nothing else', () => {
    const isLocal = (text: string) => /^http:\/\/(localhost|127\.0\.0\.1):\d+/.test(text);
    const isRight = (text: string, row: CatalogProvider) =>
      row.program === undefined
        ? row.local === true
          ? isLocal(text)
          : text.startsWith('https://')
        : text.startsWith('program:');
    expect(offences(urls, isRight)).toEqual([]);
    expect(offences(urls, (text, row) => row.local === true || !/localhost|127\./.test(text))).toEqual([]);
  });

  test('further origins are origins over https, of remote rows, and not the row’s own', () => {
    const origins = (row: CatalogProvider) => row.otherOrigins ?? [];
    const isRight = (text: string, row: CatalogProvider) =>
      row.local !== true &&
      text.startsWith('https://') &&
      new URL(text).origin === text &&
      !urls(row).some((url) => new URL(url).origin === text);
    expect(offences(origins, isRight)).toEqual([]);
    expect(offences(origins, (text, row) => !repeated(row.otherOrigins ?? []).includes(text))).toEqual([]);
  });

  test('a protocol is listed once a row', () => {
    const kinds = (row: CatalogProvider) => row.endpoints.map((endpoint) => endpoint.protocol);
    expect(offences(kinds, (kind, row) => !repeated(kinds(row)).includes(kind))).toEqual([]);
  });

  test('environment variables have names a shell can set, once a row, and no general-purpose ones', () => {
    const variables = (row: CatalogProvider) => row.envVars;
    expect(offences(variables, (name) => /^[A-Z][A-Z0-9_]*$/.test(name))).toEqual([]);
    expect(offences(variables, (name, row) => !repeated(row.envVars).includes(name))).toEqual([]);
    const general = ['GITHUB_TOKEN', 'GH_TOKEN', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
    expect(offences(variables, (name) => !general.includes(name))).toEqual([]);
  });

  test('one key is never sent to two vendors: rows that share a variable share an origin, local ones aside', () => {
    const remote = catalogProviders.filter((row) => row.local !== true);
    const origin = (row: CatalogProvider) => new URL(row.endpoints[0].baseUrl).origin;
    const clashes = offences(
      (row) => (row.local === true ? [] : row.envVars),
      (name, row) => remote.every((other) => !other.envVars.includes(name) || origin(other) === origin(row)),
    );
    expect(clashes).toEqual([]);
  });
});

describe('providers whose address must be configured', () => {
  test('are in no row, say in each base URL which part is the user’s, and name no key of a row', () => {
    const ids = catalogProviders.map(({ id }) => id);
    expect(addressedByUser.filter(({ id }) => ids.includes(id))).toEqual([]);
    for (const { baseUrl } of addressedByUser.flatMap(({ endpoints }) => endpoints)) {
      expect(baseUrl).toMatch(/\{[a-z]+\}/);
      const url = new URL(baseUrl.replaceAll(/\{[a-z]+\}/g, 'x'));
      expect([url.protocol, url.search]).toEqual(['https:', '']);
    }
    const known = catalogProviders.flatMap(({ envVars }) => envVars);
    expect(addressedByUser.flatMap(({ envVars }) => envVars).filter((name) => known.includes(name))).toEqual([]);
  });

  test('are with the rows at least seventy', () => {
    expect(catalogProviders.length).toBeGreaterThanOrEqual(70);
    expect(addressedByUser.map(({ id }) => id)).toContain('azure');
  });
});

describe('forms of secrets', () => {
  const forms = catalogProviders.flatMap((row) => (row.secretForms ?? []).map((form) => ({ row, form })));

  test('say how a secret of that form is known, with variables of their own row and headers in lower case', () => {
    expect(forms.length).toBeGreaterThan(0);
    for (const { row, form } of forms) {
      const { prefix, variables = [], kinds = [], headers = {} } = form;
      expect(prefix === undefined ? variables.length + kinds.length : prefix.length).toBeGreaterThan(0);
      expect(variables.filter((name) => !row.envVars.includes(name))).toEqual([]);
      expect(Object.keys(headers).filter((name) => name !== name.toLowerCase())).toEqual([]);
    }
  });

  test('that are known by their beginning come first: no other form hides them', () => {
    for (const { secretForms = [] } of catalogProviders) {
      const byPrefix = secretForms.map(({ prefix }) => prefix !== undefined);
      expect(byPrefix).toEqual([...byPrefix].sort((one, other) => Number(other) - Number(one)));
    }
  });

  test('are known of Anthropic alone, whose setup tokens and logins need a beta', () => {
    expect([...new Set(forms.map(({ row }) => row.id))]).toEqual(['anthropic']);
    expect(forms[0]?.form).toEqual({
      prefix: 'sk-ant-oat',
      style: 'bearer',
      headers: { 'anthropic-beta': 'oauth-2025-04-20' },
    });
  });
});

describe('endpoints of Anthropic’s protocol', () => {
  const endpoints = catalogProviders.flatMap(({ id, endpoints }) =>
    endpoints.flatMap((endpoint) => (endpoint.protocol === 'anthropic-messages' ? [{ id, ...endpoint }] : [])),
  );

  test('have a base URL to which /v1/messages is appended', () => {
    expect(endpoints.length).toBeGreaterThan(10);
    expect(endpoints.filter(({ baseUrl }) => /\/v\d+$|\/messages$/.test(baseUrl))).toEqual([]);
  });

  test('get beta headers only where Anthropic’s own models are served', () => {
    const withBetas = endpoints.flatMap(({ id, quirks }) => (quirks.noBetas === true ? [] : [id]));
    expect(withBetas).toEqual(['anthropic', 'openrouter', 'vercel-ai-gateway', 'opencode', 'opencode-go']);
    for (const id of withBetas) {
      expect(modelsOf(id).filter((model) => /claude/.test(model.id)).length).toBeGreaterThan(0);
    }
  });

  test('take a key as x-api-key where nothing else is read, else as a bearer token', () => {
    const notBearer = endpoints.flatMap(({ id, style }) => (style === 'bearer' ? [] : [`${id}: ${style}`]));
    expect(notBearer).toEqual(['anthropic', 'synthetic', 'opencode', 'opencode-go'].map((id) => `${id}: x-api-key`));
  });
});

describe('model rows', () => {
  const folder = join(import.meta.dir, '../../src/catalog');
  const table = readFileSync(join(folder, 'models.jsonl'), 'utf8');
  const lines = table.trimEnd().split('\n');
  const providers = [...new Set(lines.map((line) => (JSON.parse(line) as { provider: string }).provider))];
  const models = providers.flatMap((provider) => modelsOf(provider).map((row) => ({ provider, ...row })));

  test('are read as the table has them: a provider’s lines stand beside each other', () => {
    expect(models as unknown[]).toEqual(lines.map((line) => JSON.parse(line) as unknown));
    for (const id of ['acme', 'constructor', '', 'openai",']) expect(modelsOf(id)).toEqual([]);
  });

  test('are as scripts/catalog.ts made them, of the package that stands beside them', () => {
    const source = JSON.parse(readFileSync(join(folder, 'models-source.json'), 'utf8')) as Record<string, unknown>;
    expect(source['sha256']).toBe(createHash('sha256').update(table).digest('hex'));
    expect([source['models'], source['date']]).toEqual([models.length, catalogVersion]);
    expect(readFileSync(join(folder, 'LICENSE-pi-ai'), 'utf8')).toContain(String(source['package']));
    // A character beyond ASCII would double the table in memory.
    expect(/^[\x20-\x7e\n]*$/.test(table)).toBe(true);
  });

  test('belong to a row', () => {
    const ids = catalogProviders.map(({ id }) => id);
    expect(providers.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test('an id is listed once a provider', () => {
    expect(models.length).toBeGreaterThan(1000);
    expect(repeated(models.map((model) => `${model.provider}/${model.id}`))).toEqual([]);
    expect(models.filter((model) => model.id.trim() !== model.id || model.id === '')).toEqual([]);
  });

  test('prices are whole micro-dollars in a plausible range, and reading the cache is not dearer than not having it', () => {
    const wrong = models.filter(({ price }) => {
      if (price === undefined) return false;
      const { tiers = [], ...base } = price;
      return [base, ...tiers.map(({ above: _, ...tier }) => tier)].some(
        (prices) =>
          !Object.values(prices).every((micros) => Number.isSafeInteger(micros) && micros >= 0 && micros <= 1_000_000_000) ||
          (prices.cacheRead ?? 0) > prices.input,
      );
    });
    expect(wrong).toEqual([]);
    expect(models.filter(({ price }) => price === undefined).length).toBeLessThan(150);
  });

  test('tiers begin at a whole number of tokens each, ascend, and are dearer than what is below', () => {
    const tiered = models.filter(({ price }) => price?.tiers !== undefined);
    expect(tiered.length).toBeGreaterThan(50);
    for (const { price } of tiered) {
      const thresholds = (price?.tiers ?? []).map(({ above }) => above);
      expect(thresholds.every((above) => Number.isSafeInteger(above) && above > 0)).toBe(true);
      expect(thresholds).toEqual([...new Set(thresholds)].sort((one, other) => one - other));
      const inputs = [price?.input ?? 0, ...(price?.tiers ?? []).map(({ input }) => input)];
      expect(inputs).toEqual([...inputs].sort((one, other) => one - other));
    }
  });

  test('windows are whole and hold the longest answer', () => {
    const wrong = models.filter(
      // Embeddings have no length.
      ({ contextWindow = 0, embeddings, maxTokens = embeddings === undefined ? 0 : 1 }) =>
        !Number.isSafeInteger(contextWindow) || !Number.isSafeInteger(maxTokens) || contextWindow < maxTokens || maxTokens < 1,
    );
    expect(wrong).toEqual([]);
  });

  test('efforts are known levels with other words than usual, of models that think', () => {
    const levels = ['off', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];
    const efforts = models.flatMap((model) =>
      model.efforts === undefined ? [] : [{ ...model, entries: Object.entries(model.efforts) }],
    );
    expect(efforts.length).toBeGreaterThan(400);
    expect(efforts.filter(({ entries }) => entries.length === 0)).toEqual([]);
    expect(efforts.filter(({ reasoning }) => reasoning !== true)).toEqual([]);
    const wrong = efforts.flatMap(({ entries }) => entries.filter(([level, word]) => !levels.includes(level) || word === level));
    expect(wrong.filter(([level]) => level !== 'off')).toEqual([]);
    const words = new Set(efforts.flatMap(({ entries }) => entries.map(([, word]) => word)));
    expect([...words].sort()).toEqual(['default', 'low', 'off', null].sort());
  });

  test('every model of Anthropic thinks, the newer ones as long as they decide', () => {
    const own = models.filter(({ provider }) => provider === 'anthropic');
    expect(own.length).toBeGreaterThan(10);
    expect(own.filter(({ thinking, strictTools }) => thinking === undefined || strictTools !== true)).toEqual([]);
    // Without sampling only where thinking is adaptive: a budget goes with a temperature of 1.
    expect(models.filter(({ noSampling, thinking }) => noSampling === true && thinking !== 'adaptive')).toEqual([]);
    const find = (id: string) => own.find((model) => model.id === id);
    expect(find('claude-opus-5')).toMatchObject({ thinking: 'adaptive', noSampling: true, midSystem: true });
    expect(find('claude-fable-5')).toMatchObject({ thinking: 'adaptive', efforts: { off: null, minimal: 'low' } });
    expect(find('claude-opus-4-6')?.efforts).toEqual({ minimal: 'low', xhigh: null });
    expect(find('claude-sonnet-4-5')).toMatchObject({ thinking: 'budget', price: { input: 3_000_000, cacheWrite: 3_750_000 } });
    expect(find('claude-sonnet-4-5')).not.toHaveProperty('noSampling');
  });

  test('an hour’s cache write, twice the input, is dearer than that of five minutes', () => {
    expect(models.filter(({ price }) => (price?.cacheWrite ?? 0) > 2 * (price?.input ?? 0))).toEqual([]);
  });

  test('a model names its protocols only where its provider has several, and serves it by one', () => {
    const named = models.filter(({ protocols }) => protocols !== undefined);
    expect([...new Set(named.map(({ provider }) => provider))]).toEqual(['github-copilot', 'opencode', 'opencode-go']);
    expect(named.filter(({ protocols }) => protocols?.length !== 1)).toEqual([]);
    const of = (id: string) => named.find((model) => model.provider === 'opencode' && model.id === id)?.protocols;
    expect(of('claude-opus-5')).toEqual(['anthropic-messages']);
    expect(of('gpt-5.5')).toEqual(['openai-responses']);
    expect(of('kimi-k3')).toEqual(['openai-completions']);
  });

  test('kinds of input are known words', () => {
    expect([...new Set(models.flatMap(({ input = [] }) => input))].sort()).toEqual(['image', 'text']);
  });

  test('figures of the source come out as micro-dollars and tokens', () => {
    const find = (id: string) => models.find((model) => `${model.provider}/${model.id}` === id);
    expect(find('groq/openai/gpt-oss-20b')?.price).toEqual({ input: 75_000, output: 300_000, cacheRead: 37_500 });
    expect(find('minimax/MiniMax-M2.7')?.price).toEqual({
      input: 300_000,
      output: 1_200_000,
      cacheRead: 60_000,
      cacheWrite: 375_000,
    });
    expect(find('google/gemini-2.5-pro')).toEqual({
      provider: 'google',
      id: 'gemini-2.5-pro',
      contextWindow: 1_048_576,
      maxTokens: 65_536,
      price: {
        input: 1_250_000,
        output: 10_000_000,
        cacheRead: 125_000,
        tiers: [{ above: 200_000, input: 2_500_000, output: 15_000_000, cacheRead: 250_000 }],
      },
      input: ['text', 'image'],
      reasoning: true,
      thinking: 'budget',
      thinkingBudget: { least: 128, most: 32_768 },
      efforts: { off: null },
      plainCalls: true,
    });
    expect(find('google/gemini-3.1-pro-preview')).toMatchObject({
      thinking: 'adaptive',
      efforts: { off: null, minimal: null, xhigh: null, max: null },
    });
    expect(find('moonshot/kimi-k3')?.price?.input).toBe(3_000_000);
    expect(find('nvidia/openai/gpt-oss-120b')?.price).toBeUndefined();
  });

  test('the version is a date', () => {
    expect(catalogVersion).toMatch(/^\d{4}-\d\d-\d\d$/);
  });
});
