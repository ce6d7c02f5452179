/** Lists of models in Ollama's form, both ways (https://docs.ollama.com/api/tags), and what its clients ask about a server besides. */
import { Type } from '@sinclair/typebox';
import { isObject } from '../../core/json.ts';
import { longestModelName } from '../../core/models.ts';
import type { ListedModel, ModelList, OwnRoute } from '../../core/protocol.ts';
import type { CatalogModel } from '../../core/providers.ts';
import { isModelId, rowsOf } from '../model-ids.ts';
import { refuse } from './members.ts';

export const modelList: ModelList = {
  path: '/api/tags',
  read: (text) => rowsOf(text, 'models')?.flatMap(modelOf) ?? null,
};

/** Nothing for a row that is no model, or whose id could not be asked for. Older versions have `name` alone. */
function modelOf(row: unknown): CatalogModel[] {
  if (!isObject(row)) return [];
  const id = row['model'] ?? row['name'];
  return isModelId(id) ? [{ id }] : [];
}

/** Go's date of nothing: most vendors do not tell one. */
const unknownDate = '0001-01-01T00:00:00Z';

/** The files of a model are at its vendor: their sizes, hashes and formats are not known. */
const details = { parent_model: '', format: '', family: '', families: [], parameter_size: '', quantization_level: '' };

function listed({ id }: ListedModel): object {
  return { name: id, model: id, modified_at: unknownDate, size: 0, digest: '', details };
}

/** The form of https://docs.ollama.com/api/show. Clients read the capabilities and the length of the context. */
function shown({ contextWindow, input, reasoning }: ListedModel): object {
  const length = contextWindow === null ? {} : { 'ola.context_length': contextWindow };
  return {
    license: '',
    modelfile: '',
    parameters: '',
    template: '',
    details,
    model_info: { 'general.architecture': 'ola', ...length },
    capabilities: [
      'completion',
      'tools',
      ...(input?.includes('image') === true ? ['vision'] : []),
      ...(reasoning === true ? ['thinking'] : []),
    ],
    modified_at: unknownDate,
  };
}

const name = Type.Optional(Type.String({ maxLength: longestModelName }));
/** `name` is the older spelling. */
const showRequest = Type.Object({ model: name, name }, { additionalProperties: true });

/** Newer clients ask for a version from which on an API is served; this one has all that ola serves. */
const servedVersion = '0.12.6';

const noFiles = 'the models are at their vendors, and ola keeps no files of them. An administrator adds providers and models.';

export const ownRoutes: readonly OwnRoute[] = [
  {
    method: 'GET',
    path: '/api/tags',
    summary: 'List the models that can be used now (Ollama)',
    tells: 'models',
    list: (models) => JSON.stringify({ models: models.map(listed) }),
  },
  {
    method: 'POST',
    path: '/api/show',
    summary: 'Show one model (Ollama)',
    tells: 'model',
    schema: showRequest,
    nameOf: ({ model, name: old }) => nameIn(model) ?? nameIn(old) ?? refuse('model', '`model` must name a model.'),
    one: (model) => JSON.stringify(shown(model)),
  },
  {
    method: 'GET',
    path: '/api/version',
    summary: 'Show the version (Ollama)',
    tells: 'server',
    about: (version) => JSON.stringify({ version: servedVersion, ola: version }),
  },
  {
    method: 'GET',
    path: '/api/ps',
    summary: 'List the models in memory (Ollama)',
    tells: 'server',
    about: () => JSON.stringify({ models: [] }),
  },
  ...(['pull', 'push', 'create', 'copy'] as const).map(
    (call): OwnRoute => ({
      method: 'POST',
      path: `/api/${call}`,
      summary: `Refuse to ${call} a model (Ollama)`,
      tells: 'nothing',
      why: `ola does not ${call} models: ${noFiles}`,
    }),
  ),
  {
    method: 'DELETE',
    path: '/api/delete',
    summary: 'Refuse to delete a model (Ollama)',
    tells: 'nothing',
    why: `ola does not delete models: ${noFiles}`,
  },
];

function nameIn(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}
