/**
 * Makes the table of models, `src/catalog/models.jsonl`, from the data of one published version of pi-ai, and notes the source
 * beside it. Run it by hand (`bun scripts/catalog.ts`) after a new version and its digest stand here; the table is checked in.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogProviders } from '../src/catalog/providers.ts';
import type { CatalogModel, TokenPrices } from '../src/core/providers.ts';
import { bedrockEmbeddings, bedrockFacts, twinOf } from './catalog-bedrock.ts';
import type { SourceFile, SourceModel, SourcePrices } from './catalog-source.ts';

const source = {
  package: '@earendil-works/pi-ai',
  version: '1.5.2',
  integrity: 'sha512-2tWPSnV3qzfiDIY3aWluBag3vC++Vs+VsXt/UquSU5onPMohPih72FUhIhaqmDdMYubOgB3Byl9uF4Vk40JLvQ==',
  licence: 'MIT',
} as const;

/** Ids of the source that are other than the row's. */
const renamed: Readonly<Record<string, string>> = { moonshotai: 'moonshot' };

/** An id that says so itself: elsewhere a price of 0 stands for a subscription, or for a price that the source does not have. */
const saysFree = /[:-]free$/;

/**
 * Providers that serve each model by one protocol (https://opencode.ai/docs/zen, the table of endpoints; the list of GitHub
 * Copilot, whose models have `supported_endpoints`). Other providers of several protocols serve their models by all of them, though the source lists each model once.
 */
const oneProtocolAModel: readonly string[] = ['github-copilot', 'opencode', 'opencode-go'];

/** Protocols that name levels of effort. Google's are told in capitals, which the codec writes. */
const effortProtocols: readonly string[] = [
  'anthropic-messages',
  'google-generative-ai',
  'openai-completions',
  'openai-responses',
  'openai-codex-responses',
  'mistral-conversations',
];

/** Levels of effort, each with the word that is sent for it unless the table has another one. */
const usualWords = Object.entries({
  off: 'none',
  minimal: 'minimal',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'max',
});
const namedAlone: readonly string[] = ['xhigh', 'max'];

/**
 * Tokens that models of Gemini 2.5 take for thinking, and whether they think always (https://ai.google.dev/gemini-api/docs/thinking):
 * the source has no such figures.
 */
const thinkingBudgets: Readonly<Record<string, { readonly least: number; readonly most: number; readonly always?: true }>> = {
  'gemini-2.5-pro': { least: 128, most: 32_768, always: true },
  'gemini-2.5-flash': { least: 1, most: 24_576 },
  'gemini-2.5-flash-lite': { least: 512, most: 24_576 },
};

/**
 * The row of a model; null for what is no chat model.
 * @param protocol the protocol under which the source lists the model
 * @param anthropic the source's file of Anthropic's own models
 */
export function slim(model: SourceModel, protocol: string, anthropic: SourceFile = {}): CatalogModel | null {
  const { type, id, contextWindow, maxTokens, cost, input, reasoning } = model;
  if (type !== 'chat') return null;
  const isPriced = cost.input > 0 || cost.output > 0 || saysFree.test(id);
  const tiers = (cost.tiers ?? []).map(({ inputTokensAbove, ...prices }) => ({ above: inputTokensAbove, ...micros(prices) }));
  tiers.sort((one, other) => one.above - other.above);
  const price = { ...micros(cost), ...(tiers.length === 0 ? {} : { tiers }) };
  return {
    id,
    contextWindow,
    // An answer is part of the window.
    maxTokens: Math.min(maxTokens, contextWindow),
    ...(isPriced ? { price } : {}),
    input,
    reasoning,
    ...(effortProtocols.includes(protocol) ? effortsOf(model) : {}),
    ...(protocol === 'anthropic-messages' ? anthropicFacts(model) : {}),
    ...(protocol === 'google-generative-ai' ? googleFacts(model) : {}),
    ...(protocol === 'bedrock-converse-stream' ? factsOnBedrock(model, twinOf(model, anthropic)) : {}),
  };
}

function effortsOf({ reasoning, thinkingLevelMap, compat }: SourceModel): Pick<CatalogModel, 'efforts'> {
  if (!reasoning || thinkingLevelMap === undefined) return {};
  // Anthropic's lowest level is `low` (https://platform.claude.com/docs/en/build-with-claude/effort).
  const words: SourceModel['thinkingLevelMap'] = {
    ...(compat?.forceAdaptiveThinking === true ? { minimal: 'low' } : {}),
    ...thinkingLevelMap,
  };
  const efforts = usualWords.flatMap(([level, usual]) => {
    const word = words[level] === undefined && namedAlone.includes(level) ? null : lowerCase(words[level]);
    return word === undefined || word === usual ? [] : [[level, word] as const];
  });
  return efforts.length === 0 ? {} : { efforts: Object.fromEntries(efforts) };
}

/** The source has some of Google's words in capitals. */
function lowerCase(word: string | null | undefined): string | null | undefined {
  return typeof word === 'string' ? word.toLowerCase() : word;
}

function factsOnBedrock(model: SourceModel, twin: SourceModel | null): Partial<CatalogModel> {
  return bedrockFacts(model, twin, twin === null ? undefined : effortsOf(twin).efforts);
}

function anthropicFacts({ reasoning, compat = {} }: SourceModel): Partial<CatalogModel> {
  const thinking = compat.forceAdaptiveThinking === true ? 'adaptive' : reasoning ? 'budget' : null;
  return {
    ...(thinking === null ? {} : { thinking }),
    ...(compat.supportsTemperature === false ? { noSampling: true } : {}),
    ...(compat.supportsMidConvoSystemMessages === true ? { midSystem: true } : {}),
    ...(compat.supportsStrictTools === true ? { strictTools: true } : {}),
  };
}

/** Levels of effort came with Gemini 3, and with them ids and signatures of calls, and media in the results of tools. */
function googleFacts({ id, reasoning, thinkingLevelMap }: SourceModel): Partial<CatalogModel> {
  if (thinkingLevelMap !== undefined) return reasoning ? { thinking: 'adaptive' } : {};
  const budget = thinkingBudgets[id];
  return {
    ...(reasoning ? { thinking: 'budget' as const } : {}),
    ...(budget === undefined ? {} : { thinkingBudget: { least: budget.least, most: budget.most } }),
    ...(budget?.always === true ? { efforts: { off: null } } : {}),
    plainCalls: true,
  };
}

/** Micro-dollars. The source writes 0 for a kind of token that has no price of its own: left out, it costs as much as input. */
function micros({ input, output, cacheRead, cacheWrite }: SourcePrices): TokenPrices {
  const of = (dollars: number) => Math.round(dollars * 1_000_000);
  return {
    input: of(input),
    output: of(output),
    ...(cacheRead > 0 ? { cacheRead: of(cacheRead) } : {}),
    ...(cacheWrite > 0 ? { cacheWrite: of(cacheWrite) } : {}),
  };
}

/**
 * The lines of the table: a model each, the models of one provider beside each other.
 * @param files by the source's provider id
 * @param rows ids of the catalog's rows; models of other providers are left out
 */
export function tableOf(files: Readonly<Record<string, SourceFile>>, rows: readonly string[]): string[] {
  const providers = Object.entries(files)
    .map(([id, file]) => ({ provider: renamed[id] ?? id, file }))
    .filter(({ provider }) => rows.includes(provider))
    .sort((one, other) => compare(one.provider, other.provider));
  const anthropic = files['anthropic'] ?? {};
  return providers.flatMap(({ provider, file }) =>
    Object.entries(file)
      .flatMap(([protocol, models]) =>
        Object.values(models).flatMap((model) => rowOf(provider, slim(model, protocol, anthropic), protocol)),
      )
      .concat(provider === 'amazon-bedrock' ? bedrockEmbeddings : [])
      .sort((one, other) => compare(one.id, other.id))
      .map((model) => JSON.stringify({ provider, ...model })),
  );
}

function rowOf(provider: string, row: CatalogModel | null, protocol: string): CatalogModel[] {
  if (row === null) return [];
  return [oneProtocolAModel.includes(provider) ? { ...row, protocols: [protocol] } : row];
}

/** By code units, so that every machine makes the same table. */
function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

async function run(command: readonly string[], cwd: string): Promise<void> {
  const child = Bun.spawn([...command], { cwd, stdout: 'ignore', stderr: 'inherit' });
  if ((await child.exited) !== 0) throw new Error(`${command.join(' ')} failed`);
}

/** @throws Error when the package is not the one that is named here */
async function fetchPackage(folder: string): Promise<string> {
  // With the version and without install scripts: the package's own dependencies are not needed.
  await run(['npm', 'pack', '--ignore-scripts', '--silent', `${source.package}@${source.version}`], folder);
  const [archive = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  const digest = createHash('sha512').update(await readFile(join(folder, archive)));
  const integrity = `sha512-${digest.digest('base64')}`;
  if (integrity !== source.integrity) throw new Error(`${archive} has the digest ${integrity}, not ${source.integrity}`);
  await run(['tar', '-xzf', archive], folder);
  return join(folder, 'package/dist/providers/data');
}

if (import.meta.main) {
  const folder = await mkdtemp(join(tmpdir(), 'ola-catalog-'));
  try {
    const data = await fetchPackage(folder);
    const read = async (name: string) => JSON.parse(await readFile(join(data, name), 'utf8')) as unknown;
    const { generatedAt } = (await read('.manifest.json')) as { readonly generatedAt: string };
    const names = (await readdir(data)).filter((name) => /^[a-z].*\.json$/.test(name));
    const files = await Promise.all(names.map(async (name) => [name.slice(0, -'.json'.length), await read(name)] as const));
    const rows = catalogProviders.map(({ id }) => id);
    const table = tableOf(Object.fromEntries(files) as Record<string, SourceFile>, rows).map((line) => `${line}\n`);
    const text = table.join('');
    const catalog = join(import.meta.dir, '../src/catalog');
    await writeFile(join(catalog, 'models.jsonl'), text);
    const sha256 = createHash('sha256').update(text).digest('hex');
    const note = { ...source, generatedAt, date: generatedAt.slice(0, 10), models: table.length, sha256 };
    await writeFile(join(catalog, 'models-source.json'), `${JSON.stringify(note, null, 2)}\n`);
    console.log(`src/catalog/models.jsonl: ${table.length} models, ${text.length} characters`);
  } finally {
    await rm(folder, { recursive: true });
  }
}
