/** Lists of models in Google's form, both ways (https://ai.google.dev/api/models). */
import { OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { ListedModel, ModelList, ModelsCodec } from '../../core/protocol.ts';
import type { CatalogModel } from '../../core/providers.ts';
import { isModelId, isSize, rowsOf } from '../model-ids.ts';

/** Models on a page: the most that Google's API gives, and the default here, since many clients read one page only. */
const mostOnPage = 1000;

export const modelList: ModelList = {
  path: `/models?pageSize=${mostOnPage}`,
  read: (text) => rowsOf(text, 'models')?.flatMap(modelOf) ?? null,
};

/** Nothing for a row that is no model, or whose id could not be asked for. */
function modelOf(row: unknown): CatalogModel[] {
  if (!isObject(row) || typeof row['name'] !== 'string') return [];
  const id = row['name'].replace(/^(?:publishers\/[^/]+\/)?models\//, '');
  if (!isModelId(id)) return [];
  const { displayName: name, inputTokenLimit: contextWindow, outputTokenLimit: maxTokens } = row;
  return [
    {
      id,
      ...(typeof name === 'string' && name !== '' ? { name } : {}),
      ...(isSize(contextWindow) ? { contextWindow } : {}),
      ...(isSize(maxTokens) ? { maxTokens } : {}),
    },
  ];
}

export const models: ModelsCodec = {
  path: '/v1beta/models',
  isAsked: () => false,
  list(all, query) {
    const asked = new URLSearchParams(query);
    const size = numberIn(asked, 'pageSize', mostOnPage);
    const start = numberIn(asked, 'pageToken', 0);
    const end = start + size;
    const next = end < all.length ? { nextPageToken: String(end) } : {};
    return JSON.stringify({ models: all.slice(start, end).map(shown), ...next });
  },
  one: (model) => JSON.stringify(shown(model)),
};

function numberIn(query: URLSearchParams, name: string, usual: number): number {
  const text = query.get(name);
  if (text === null || text === '') return usual;
  if (!/^\d{1,6}$/.test(text)) throw new OlaError('invalid_request', `'${name}' must be a whole number.`, { param: name });
  return name === 'pageSize' ? Math.min(mostOnPage, Number(text) || usual) : Number(text);
}

/** Whether a model makes embeddings is not known: it is asked. */
const methods = ['generateContent', 'streamGenerateContent', 'countTokens', 'embedContent', 'batchEmbedContents'];

function shown({ id, name, contextWindow, maxTokens }: ListedModel): object {
  return {
    name: `models/${id}`,
    baseModelId: id,
    version: '',
    displayName: name ?? id,
    ...(contextWindow === null ? {} : { inputTokenLimit: contextWindow }),
    ...(maxTokens === null ? {} : { outputTokenLimit: maxTokens }),
    supportedGenerationMethods: methods,
  };
}
