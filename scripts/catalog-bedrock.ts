/** Facts of models on Amazon Bedrock, where the model's vendor decides what it is told: its name stands in the id. */
import type { CatalogModel } from '../src/core/providers.ts';
import type { SourceFile, SourceModel } from './catalog-source.ts';

/** The id at Anthropic of `us.anthropic.claude-haiku-4-5-20251001-v1:0`: `claude-haiku-4-5-20251001`. */
const claudeId = /(?:^|\.)anthropic\.(claude-[a-z0-9-]+?)(?:-v\d+(?::\d+)?)?$/;
const openWeights = /(?:^|\.)openai\.gpt-oss-/;
const openai = /(?:^|\.)openai\./;

/**
 * The model as Anthropic serves it, which the source describes more closely; null: it is none of Anthropic's, or no longer served.
 * @param anthropic the source's file of Anthropic's models
 */
export function twinOf({ id }: SourceModel, anthropic: SourceFile): SourceModel | null {
  const name = claudeId.exec(id)?.[1];
  const models = Object.values(anthropic).flatMap((each) => Object.values(each));
  return models.find((each) => each.id === name) ?? null;
}

/** @param efforts of the twin, or of the model itself */
export function bedrockFacts(
  model: SourceModel,
  twin: SourceModel | null,
  efforts: CatalogModel['efforts'],
): Partial<CatalogModel> {
  const strict: Partial<CatalogModel> = model.compat?.supportsStrictMode === true ? { strictTools: true } : {};
  if (claudeId.test(model.id)) return { ...strict, ...claudeFacts(twin, efforts) };
  if (!model.reasoning || !openai.test(model.id)) return strict;
  // The open weights know three levels and always reason; the others refuse `minimal` (reference: pi-ai, bedrock-converse-stream).
  return openWeights.test(model.id)
    ? { ...strict, effortField: 'reasoning_effort', efforts: { off: null, minimal: 'low', xhigh: null, max: null } }
    : { ...strict, effortField: 'reasoning', efforts: { minimal: 'low', max: null } };
}

const titan: CatalogModel = {
  id: 'amazon.titan-embed-text-v2:0',
  contextWindow: 8192,
  price: { input: 20_000, output: 0 },
  input: ['text'],
  reasoning: false,
  embeddings: { form: 'titan', texts: 1, sized: true },
};
const cohere3: CatalogModel = {
  id: 'cohere.embed-english-v3',
  contextWindow: 512,
  price: { input: 100_000, output: 0 },
  input: ['text'],
  reasoning: false,
  embeddings: { form: 'cohere', texts: 96 },
};
const cohere4: CatalogModel = {
  ...cohere3,
  id: 'cohere.embed-v4:0',
  contextWindow: 128_000,
  price: { input: 120_000, output: 0 },
  embeddings: { form: 'cohere', texts: 96, sized: true },
};

/**
 * Models that make embeddings, which the source does not have. Ids and sizes: models-supported.html, inference-profiles-support.html,
 * titan-embedding-models.html, model-parameters-titan-embed-text.html, model-parameters-embed-v3.html and -v4.html, all of
 * https://docs.aws.amazon.com/bedrock/latest/userguide/; prices: https://aws.amazon.com/bedrock/pricing/.
 */
export const bedrockEmbeddings: readonly CatalogModel[] = [
  titan,
  { ...titan, id: 'amazon.titan-embed-text-v1', price: { input: 100_000, output: 0 }, embeddings: { form: 'titan', texts: 1 } },
  cohere3,
  { ...cohere3, id: 'cohere.embed-multilingual-v3' },
  cohere4,
  ...['us', 'eu', 'global'].map((scope) => ({ ...cohere4, id: `${scope}.${cohere4.id}` })),
];

/** Models that Anthropic no longer serves are given a number of tokens to think. */
function claudeFacts(twin: SourceModel | null, efforts: CatalogModel['efforts']): Partial<CatalogModel> {
  return {
    ...(efforts === undefined ? {} : { efforts }),
    thinking: twin?.compat?.forceAdaptiveThinking === true ? 'adaptive' : 'budget',
    ...(twin?.compat?.supportsTemperature === false ? { noSampling: true } : {}),
    cachePoints: true,
  };
}
