/** The list of models that an upstream answers, as OpenAI writes it. */
import { isObject } from '../../core/json.ts';
import type { ModelList } from '../../core/protocol.ts';
import type { CatalogModel } from '../../core/providers.ts';
import { isModelId } from '../model-ids.ts';

export const modelList: ModelList = {
  path: '/models',
  read(text) {
    const rows = rowsIn(text);
    return Array.isArray(rows) ? rows.flatMap(modelOf) : null;
  },
};

function rowsIn(text: string): unknown {
  try {
    const answer: unknown = JSON.parse(text);
    return isObject(answer) ? answer['data'] : answer;
  } catch {
    return null;
  }
}

/** Nothing for a row that is no model, or whose id could not be asked for. */
function modelOf(row: unknown): CatalogModel[] {
  const id: unknown = isObject(row) ? row['id'] : null;
  return isModelId(id) ? [{ id }] : [];
}
