/** The list of models that an upstream answers, as OpenAI and the servers that are like it write it. */
import { isObject } from '../../core/json.ts';
import type { ModelList } from '../../core/protocol.ts';
import type { CatalogModel } from '../../core/providers.ts';
import { parsed } from '../failure-words.ts';
import { isModelId, isSize } from '../model-ids.ts';

/** Members in which servers tell the context size in tokens: vLLM's, OpenRouter's and LiteLLM's, Groq's. */
const sizeNames = ['max_model_len', 'context_length', 'context_window'] as const;

export const modelList: ModelList = {
  path: '/models',
  read(text) {
    const answer = parsed(text);
    const rows: unknown = isObject(answer) ? answer['data'] : answer;
    return Array.isArray(rows) ? rows.flatMap(modelOf) : null;
  },
};

/** Nothing for a row that is no model, or whose id could not be asked for. */
function modelOf(row: unknown): CatalogModel[] {
  const id: unknown = isObject(row) ? row['id'] : null;
  if (!isObject(row) || !isModelId(id)) return [];
  const contextWindow = sizeNames.map((name) => row[name]).find(isSize);
  return [contextWindow === undefined ? { id } : { id, contextWindow }];
}
