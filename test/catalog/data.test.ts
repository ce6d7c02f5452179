/** Walks the rows: what a typing error in the data would break. */
import { describe, expect, test } from 'bun:test';
import { catalogModels, catalogVersion } from '../../src/catalog/models.ts';
import { catalogProviders, keptNames } from '../../src/catalog/providers.ts';
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
      ...Object.entries(keptNames).flatMap(([id, aliases]) => [id, ...aliases]),
    ];
    expect(names.length).toBeGreaterThan(100);
    expect(repeated(names)).toEqual([]);
  });

  test('ids and aliases are what a normalised reference can hold', () => {
    const names = (row: CatalogProvider) => [row.id, ...row.aliases];
    expect(offences(names, (name) => /^[a-z0-9][a-z0-9._-]*$/.test(name))).toEqual([]);
    const kept = Object.entries(keptNames).flat(2);
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
    expect(offences(urls, (text, row) => (row.local === true ? isLocal(text) : text.startsWith('https://')))).toEqual([]);
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

describe('model rows', () => {
  const models = Object.entries(catalogModels).flatMap(([provider, rows]) => rows.map((row) => ({ provider, ...row })));

  test('belong to a provider that serves OpenAI’s chat protocol', () => {
    const serving = catalogProviders.filter((row) =>
      row.endpoints.some((endpoint) => endpoint.protocol === 'openai-completions'),
    );
    expect(Object.keys(catalogModels).filter((id) => !serving.some((row) => row.id === id))).toEqual([]);
  });

  test('an id is listed once a provider', () => {
    expect(models.length).toBeGreaterThan(50);
    expect(repeated(models.map((model) => `${model.provider}/${model.id}`))).toEqual([]);
    expect(models.filter((model) => model.id.trim() !== model.id || model.id === '')).toEqual([]);
  });

  test('prices are whole micro-dollars in a plausible range, and reading the cache is not dearer than not having it', () => {
    const wrong = models.filter(({ price }) => {
      if (price === undefined) return false;
      const all = Object.values(price);
      return (
        !all.every((micros) => Number.isSafeInteger(micros) && micros >= 0 && micros <= 100_000_000) ||
        (price.cacheRead ?? 0) > price.input
      );
    });
    expect(wrong).toEqual([]);
  });

  test('windows are whole and hold the longest answer', () => {
    const wrong = models.filter(
      ({ contextWindow = 1, maxTokens = 1 }) => !Number.isSafeInteger(contextWindow) || contextWindow < maxTokens,
    );
    expect(wrong).toEqual([]);
  });

  test('figures read from the source come out as micro-dollars and tokens', () => {
    const find = (id: string) => models.find((model) => `${model.provider}/${model.id}` === id);
    expect(find('groq/openai/gpt-oss-20b')?.price).toEqual({ input: 75_000, output: 300_000, cacheRead: 37_500 });
    expect(find('minimax/MiniMax-M2.7')).toEqual({
      provider: 'minimax',
      id: 'MiniMax-M2.7',
      contextWindow: 205_000,
      maxTokens: 131_000,
      price: { input: 300_000, output: 1_200_000, cacheRead: 60_000, cacheWrite: 375_000 },
    });
    expect(find('deepseek/deepseek-flash')?.price).toEqual({ input: 300_000, output: 1_200_000, cacheRead: 6_000 });
  });

  test('the version is a date', () => {
    expect(catalogVersion).toMatch(/^\d{4}-\d\d-\d\d$/);
  });
});
