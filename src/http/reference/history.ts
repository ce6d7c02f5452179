/** What the reference says of revisions, snapshots, export and import. */
import { Type } from '@sinclair/typebox';
import { documentSchema } from '../../core/document.ts';
import { snapshotName } from '../shapes.ts';
import { etagHeader, ifMatch, type Operations, type Parameter, pageParameters, writeErrors } from './operations.ts';

const at = '2026-11-21T09:00:00.000Z';
const revision = {
  id: '2',
  number: 2,
  at,
  actor: 'tok_0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  summary: 'provider.update groq',
};
const document = { providers: { groq: { apiKey: '[REDACTED]' } }, defaultModel: 'groq/llama-3.3-70b-versatile' };
const withoutSecrets = { defaultModel: 'groq/llama-3.3-70b-versatile', usage: { retentionDays: 90 } };
const missing = ['providers.groq.apiKey'];

const number: Parameter = {
  name: 'number',
  in: 'path',
  description: 'The number of a revision; 0 is the empty configuration before the first revision.',
  schema: Type.Integer({ minimum: 0 }),
  example: 1,
};
const name: Parameter = {
  name: 'name',
  in: 'path',
  description: 'The name of a snapshot.',
  schema: snapshotName,
  example: 'before the move',
};

export const historyOperations: Operations = {
  'GET /config/revisions': {
    id: 'listRevisions',
    tag: 'History',
    description: 'The newest first. ola keeps the last 50.',
    parameters: pageParameters,
    answers: [
      {
        description: 'A page of revisions, without their documents.',
        example: { object: 'list', data: [revision], hasMore: false, nextCursor: null },
      },
    ],
    errors: ['invalid_field', 'persistence_unavailable'],
  },
  'GET /config/revisions/:number': {
    id: 'getRevision',
    tag: 'History',
    parameters: [number],
    answers: [{ description: 'The revision with its document, secrets redacted.', example: { ...revision, document } }],
    errors: ['invalid_request', 'not_found', 'persistence_unavailable'],
  },
  'GET /config/revisions/:number/diff': {
    id: 'diffRevisions',
    tag: 'History',
    parameters: [
      number,
      { ...number, name: 'to', in: 'query', description: 'The revision to compare with; absent: the newest.', example: 2 },
    ],
    answers: [
      {
        description: 'Every field that differs. A secret that was entered again is listed as changed; both values are redacted.',
        example: { from: 1, to: 2, changes: [{ path: 'defaultModel', change: 'added', after: document.defaultModel }] },
      },
    ],
    errors: ['invalid_request', 'not_found', 'persistence_unavailable'],
  },
  'POST /config/revisions/:number/rollback': {
    id: 'rollbackConfig',
    tag: 'History',
    description:
      'Makes a new revision with the document of an earlier one, including its secrets. So a rollback can be undone as well.',
    parameters: [number, ifMatch],
    answers: [
      {
        description: 'The document is in force, under a new number.',
        headers: etagHeader,
        example: { status: 'ok', revision: 3 },
      },
    ],
    errors: ['invalid_request', 'not_found', 'conflict', ...writeErrors],
  },
  'GET /config/profiles': {
    id: 'listSnapshots',
    tag: 'History',
    description: 'Copies of the configuration that were saved under names.',
    answers: [{ description: 'All snapshots, by name.', example: [{ name: name.example, created: at, size: 311 }] }],
    errors: ['persistence_unavailable'],
  },
  'POST /config/profiles': {
    id: 'saveSnapshot',
    tag: 'History',
    description:
      'Saves the configuration in force with its secrets, which do not leave ola. A snapshot of the same name is replaced.',
    request: { examples: { 'Save what is in force': { name: name.example } } },
    answers: [{ description: 'The snapshot is saved.', example: { status: 'ok', name: name.example } }],
    errors: ['invalid_request', 'persistence_unavailable'],
  },
  'POST /config/profiles/import': {
    id: 'importSnapshot',
    tag: 'History',
    description:
      'Checks a configuration as `POST /config` does, and saves it as a snapshot. `[REDACTED]` in it stands for the secret that the configuration in force has at the same place.',
    request: {
      examples: { 'A small one': { name: 'small', content: JSON.stringify(withoutSecrets) } },
    },
    answers: [
      {
        description: 'The snapshot is saved. It is in force only after it is activated.',
        example: {
          status: 'ok',
          name: 'small',
          warnings: [{ path: 'defaultModel', reason: "Provider 'groq' has no usable credential. Set GROQ_API_KEY and restart." }],
        },
      },
    ],
    errors: ['invalid_request', 'unsafe_destination', 'secret_required', 'persistence_unavailable'],
  },
  'GET /config/profiles/export/:name': {
    id: 'exportSnapshot',
    tag: 'History',
    parameters: [name],
    answers: [
      {
        description: 'The snapshot as JSON text, without the secrets.',
        example: { name: name.example, content: JSON.stringify(document, null, 2), missing, exported_at: at },
      },
    ],
    errors: ['invalid_request', 'not_found', 'persistence_unavailable'],
  },
  'POST /config/profiles/:name/activate': {
    id: 'activateSnapshot',
    tag: 'History',
    description:
      'Makes a new revision with the document of the snapshot, including its secrets. The document is checked as `POST /config` checks it.',
    parameters: [name, ifMatch],
    answers: [{ description: 'The snapshot is in force.', headers: etagHeader, example: { status: 'ok', name: name.example } }],
    errors: ['invalid_request', 'not_found', 'unsafe_destination', 'conflict', 'invalid_field', ...writeErrors],
  },
  'DELETE /config/profiles/:name': {
    id: 'deleteSnapshot',
    tag: 'History',
    description: 'Deletes the snapshot, and the secrets that only it holds.',
    parameters: [name],
    answers: [{ description: 'The snapshot is deleted.', example: { status: 'ok', deleted: name.example } }],
    errors: ['invalid_request', 'not_found', 'persistence_unavailable'],
  },
  'POST /config/export': {
    id: 'exportConfig',
    tag: 'History',
    description:
      'The configuration for another machine. Over the network it comes without secrets; `ola config export FILE --with-secrets` on the machine itself seals them with a passphrase.',
    request: { examples: { 'Without secrets': {} } },
    answers: [
      { description: 'The configuration, and the places of the missing secrets.', example: { content: document, missing } },
    ],
    errors: ['persistence_unavailable'],
  },
  'POST /config/import': {
    id: 'importConfig',
    tag: 'History',
    description:
      'Replaces the configuration by an exported one. `[REDACTED]` stands for the sealed secret of its place, or, without one, for the secret that is stored there now.',
    parameters: [ifMatch],
    request: {
      fields: { content: documentSchema },
      examples: { 'Without secrets': { content: withoutSecrets } },
    },
    answers: [
      { description: 'The configuration is in force, as a new revision.', headers: etagHeader, example: { status: 'ok' } },
    ],
    errors: ['unsafe_destination', 'secret_required', 'conflict', ...writeErrors],
  },
};
