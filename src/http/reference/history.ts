/** What the reference says of revisions and snapshots. */
import { Type } from '@sinclair/typebox';
import { documentSchema } from '../../core/document.ts';
import type { Operations, Parameter } from './operations.ts';
import { etagHeader, ifMatch, json, listOf, missing, ok, pageParameters, time, warnings, writeErrors } from './shapes.ts';

const named = Type.Object({ status: ok, name: Type.String(), warnings: Type.Optional(warnings) });

const revisionFacts = {
  id: Type.String({ description: 'the number again, as text' }),
  number: Type.Integer({ minimum: 0 }),
  at: time('when it was written'),
  actor: Type.String({ description: 'who wrote it: the id of a token, `local`, ...' }),
  summary: Type.String({ description: 'what changed, without values' }),
};
const revision = Type.Object(revisionFacts, { $id: 'Revision', description: 'one accepted write of the configuration' });
const revisionExample = {
  id: '2',
  number: 2,
  at: '2026-11-21T09:00:00.000Z',
  actor: 'tok_0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  summary: 'provider.update groq',
};

const change = Type.Object(
  {
    path: Type.String({ description: 'where, dotted' }),
    change: Type.Union([Type.Literal('added'), Type.Literal('removed'), Type.Literal('changed')]),
    before: Type.Optional(Type.Unknown({ description: 'what stood there, secrets redacted' })),
    after: Type.Optional(Type.Unknown({ description: 'what stands there now, secrets redacted' })),
  },
  { $id: 'Change' },
);

const number: Parameter = {
  name: 'number',
  in: 'path',
  description: 'The number of a revision; 0 is the state before the first.',
  schema: Type.Integer({ minimum: 0 }),
  example: 1,
};
const name: Parameter = {
  name: 'name',
  in: 'path',
  description: 'The name of a snapshot: 1 to 128 characters, no `/`, no `\\`, no `..`.',
  schema: Type.String({ minLength: 1, maxLength: 128 }),
  example: 'before the move',
};
const snapshotBody = (more: Parameters<typeof Type.Object>[0] = {}) =>
  Type.Object(
    { name: Type.String({ minLength: 1, maxLength: 128, description: 'replaces one of the same name' }), ...more },
    { additionalProperties: true },
  );
const snapshotName = 'before the move';

const exampleDocument = { providers: { groq: { apiKey: '[REDACTED]' } }, defaultModel: 'groq/llama-3.3-70b-versatile' };
const portable = { defaultModel: 'groq/llama-3.3-70b-versatile', usage: { retentionDays: 90 } };

export const historyOperations: Operations = {
  'GET /config/revisions': {
    id: 'listRevisions',
    tag: 'History',
    description: 'Newest first; the last 50 are kept.',
    parameters: pageParameters,
    answers: [
      {
        status: 200,
        description: 'A page of them, without their documents.',
        content: json(listOf(revision), {
          one: { summary: 'One revision', value: { object: 'list', data: [revisionExample], hasMore: false, nextCursor: null } },
        }),
      },
    ],
    errors: ['invalid_field', 'persistence_unavailable'],
  },
  'GET /config/revisions/:number': {
    id: 'getRevision',
    tag: 'History',
    parameters: [number],
    answers: [
      {
        status: 200,
        description: 'The revision with its document.',
        content: json(Type.Object({ ...revisionFacts, document: documentSchema }), {
          one: { summary: 'Secrets redacted', value: { ...revisionExample, document: exampleDocument } },
        }),
      },
    ],
    errors: ['invalid_request', 'not_found', 'persistence_unavailable'],
  },
  'GET /config/revisions/:number/diff': {
    id: 'diffRevisions',
    tag: 'History',
    parameters: [
      number,
      {
        name: 'to',
        in: 'query',
        description: 'The revision to compare it with; absent: the newest.',
        schema: Type.Integer({ minimum: 0 }),
      },
    ],
    answers: [
      {
        status: 200,
        description: 'Each place that differs; a secret that was entered again differs, though nobody sees how.',
        content: json(Type.Object({ from: Type.Integer(), to: Type.Integer(), changes: Type.Array(change) }), {
          added: {
            summary: 'A default model was set',
            value: {
              from: 1,
              to: 2,
              changes: [{ path: 'defaultModel', change: 'added', after: 'groq/llama-3.3-70b-versatile' }],
            },
          },
        }),
      },
    ],
    errors: ['invalid_request', 'not_found', 'persistence_unavailable'],
  },
  'POST /config/revisions/:number/rollback': {
    id: 'rollbackConfig',
    tag: 'History',
    description:
      'Makes a new revision with the document of an earlier one, its secrets too; so a rollback can be taken back as well.',
    parameters: [number, ifMatch],
    answers: [
      {
        status: 200,
        description: 'It is in force again, under a new number.',
        headers: etagHeader,
        content: json(Type.Object({ status: ok, revision: Type.Integer() }), {
          back: { summary: 'In force as revision 3', value: { status: 'ok', revision: 3 } },
        }),
      },
    ],
    errors: ['invalid_request', 'not_found', 'conflict', ...writeErrors],
  },
  'GET /config/profiles': {
    id: 'listSnapshots',
    tag: 'History',
    description: 'Copies of the configuration that were put aside under names.',
    answers: [
      {
        status: 200,
        description: 'All of them, by name.',
        content: json(
          Type.Array(
            Type.Object({
              name: Type.String(),
              created: time('when it was saved'),
              size: Type.Integer({ description: 'bytes of its export' }),
            }),
          ),
          { one: { summary: 'One snapshot', value: [{ name: snapshotName, created: '2026-11-21T09:00:00.000Z', size: 311 }] } },
        ),
      },
    ],
    errors: ['persistence_unavailable'],
  },
  'POST /config/profiles': {
    id: 'saveSnapshot',
    tag: 'History',
    description: 'With its secrets, which stay in ola.',
    request: json(snapshotBody(), { save: { summary: 'Save what is in force', value: { name: snapshotName } } }),
    answers: [
      {
        status: 200,
        description: 'It is saved.',
        content: json(named, { saved: { summary: 'Saved', value: { status: 'ok', name: snapshotName } } }),
      },
    ],
    errors: ['invalid_request', 'persistence_unavailable'],
  },
  'POST /config/profiles/import': {
    id: 'importSnapshot',
    tag: 'History',
    description:
      'Judged as a write of the whole configuration, and put aside. `[REDACTED]` in it is what stands at the same place now.',
    request: json(snapshotBody({ content: Type.String({ description: 'a configuration as JSON text' }) }), {
      text: { summary: 'A small one', value: { name: 'small', content: JSON.stringify(portable) } },
    }),
    answers: [
      {
        status: 200,
        description: 'It is saved; nothing changes until it is activated.',
        content: json(named, { saved: { summary: 'Saved', value: { status: 'ok', name: 'small' } } }),
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
        status: 200,
        description: 'JSON text without the secrets.',
        content: json(
          Type.Object({
            name: Type.String(),
            content: Type.String({ description: 'JSON text' }),
            missing,
            exported_at: time('now'),
          }),
          {
            one: {
              summary: 'A key is missing',
              value: {
                name: snapshotName,
                content: JSON.stringify(exampleDocument),
                missing: ['providers.groq.apiKey'],
                exported_at: '2026-11-21T09:00:00.000Z',
              },
            },
          },
        ),
      },
    ],
    errors: ['invalid_request', 'not_found', 'persistence_unavailable'],
  },
  'POST /config/profiles/:name/activate': {
    id: 'activateSnapshot',
    tag: 'History',
    description: 'Makes a new revision with the document of the snapshot, its secrets too. The rules of now hold for it.',
    parameters: [name, ifMatch],
    answers: [
      {
        status: 200,
        description: 'It is in force.',
        headers: etagHeader,
        content: json(named, { active: { summary: 'In force', value: { status: 'ok', name: snapshotName } } }),
      },
    ],
    errors: ['invalid_request', 'not_found', 'unsafe_destination', 'conflict', 'invalid_field', ...writeErrors],
  },
  'DELETE /config/profiles/:name': {
    id: 'deleteSnapshot',
    tag: 'History',
    parameters: [name],
    answers: [
      {
        status: 200,
        description: 'It is gone, and each secret that nothing else names.',
        content: json(Type.Object({ status: ok, deleted: Type.String() }), {
          gone: { summary: 'Deleted', value: { status: 'ok', deleted: snapshotName } },
        }),
      },
    ],
    errors: ['invalid_request', 'not_found', 'persistence_unavailable'],
  },
};
