/** Lists of models in Anthropic's form, both ways. @see https://docs.anthropic.com/en/api/models-list */
import { OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { ListedModel, ModelList, ModelsCodec } from '../../core/protocol.ts';
import type { CatalogModel } from '../../core/providers.ts';
import { isModelId, isSize, rowsOf } from '../model-ids.ts';
import { versionHeader, versionHeaders } from './version.ts';

/** Models on a page: the most that Anthropic's API gives, and the default here, since many clients read one page only. */
const mostOnPage = 1000;

export const modelList: ModelList = {
  path: `/v1/models?limit=${mostOnPage}`,
  headers: versionHeaders,
  read: (text) => rowsOf(text, 'data')?.flatMap(modelOf) ?? null,
};

/** Nothing for a row that is no model, or whose id could not be asked for. */
function modelOf(row: unknown): CatalogModel[] {
  const id: unknown = isObject(row) ? row['id'] : null;
  if (!isObject(row) || !isModelId(id)) return [];
  const { display_name: name, max_input_tokens: contextWindow, max_tokens: maxTokens } = row;
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
  isAsked: (header) => header(versionHeader) !== null,
  list(all, query) {
    const { page, more } = pageOf(all, new URLSearchParams(query));
    const ids = page.map(({ id }) => id);
    return JSON.stringify({
      data: page.map(shown),
      has_more: more,
      first_id: ids[0] ?? null,
      last_id: ids.at(-1) ?? null,
    });
  },
  one: (model) => JSON.stringify(shown(model)),
};

/** Anthropic's date of a model whose release is not known. */
const unknownDate = '1970-01-01T00:00:00Z';

function shown({ id, name, contextWindow, maxTokens }: ListedModel): object {
  return {
    type: 'model',
    id,
    display_name: name ?? id,
    created_at: unknownDate,
    max_input_tokens: contextWindow,
    max_tokens: maxTokens,
  };
}

/** `more`: there are models behind the page, or in front of it where `before_id` asked for it. */
function pageOf(all: readonly ListedModel[], query: URLSearchParams): { page: readonly ListedModel[]; more: boolean } {
  const limit = limitOf(query.get('limit'));
  const after = query.get('after_id');
  const before = query.get('before_id');
  if (after !== null && before !== null) throw refused('before_id', "'after_id' and 'before_id' exclude each other; send one.");
  if (before !== null) {
    const end = placeOf(all, before, 'before_id');
    const start = Math.max(0, end - limit);
    return { page: all.slice(start, end), more: start > 0 };
  }
  const start = after === null ? 0 : placeOf(all, after, 'after_id') + 1;
  return { page: all.slice(start, start + limit), more: start + limit < all.length };
}

function limitOf(text: string | null): number {
  if (text === null) return mostOnPage;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > mostOnPage) throw refused('limit', `'limit' must be a whole number from 1 to ${mostOnPage}.`);
  return limit;
}

function placeOf(all: readonly ListedModel[], id: string, param: string): number {
  const at = all.findIndex((model) => model.id === id);
  if (at < 0) throw refused(param, `'${param}' is no model of this list; begin again without it.`);
  return at;
}

function refused(param: string, message: string): OlaError {
  return new OlaError('invalid_request', message, { param });
}
