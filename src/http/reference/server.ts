/** What the reference says of the server itself: health, its master key, and the pages. */
import { Type } from '@sinclair/typebox';
import { assetList } from '../../web/asset-list.ts';
import type { DescribedAnswer, Operation, OperationKey, Operations } from './operations.ts';
import { json, ok } from './shapes.ts';

const health = Type.Object(
  {
    status: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('unavailable')]),
    version: Type.String(),
    uptimeSeconds: Type.Integer({ minimum: 0 }),
    checks: Type.Object({
      store: Type.Union([Type.Literal('ok'), Type.Literal('failed')]),
      config: Type.Union([Type.Literal('ok'), Type.Literal('invalid')], {
        description: 'whether the configuration file can be used',
      }),
      server: Type.Union([Type.Literal('ok'), Type.Literal('draining')]),
    }),
  },
  { $id: 'Health' },
);
const working = {
  status: 'ok',
  version: '0.1.0',
  uptimeSeconds: 42,
  checks: { store: 'ok', config: 'ok', server: 'ok' },
} as const;

const keyIds = (description: string) => Type.Array(Type.String(), { description });
const rotation = Type.Object(
  {
    status: ok,
    keyId: Type.String({ description: 'of the key that seals now' }),
    source: Type.String({ description: 'where it is kept' }),
    resealed: Type.Integer({ minimum: 0, description: 'secrets that were sealed anew' }),
    dropped: keyIds('keys that nothing needs any more'),
    retiredTo: Type.Union([Type.String(), Type.Null()], {
      description: 'where ola keeps those; null: they are not ola’s to keep',
    }),
    kept: keyIds('older keys that stay, because damaged secrets name them'),
    damaged: keyIds('secrets that do not open, left as they are'),
    notes: Type.Array(Type.String(), { description: 'what to do and to know' }),
  },
  { $id: 'KeyRotation' },
);

const cached = { ETag: 'Of these very bytes; sent as `If-None-Match` it saves sending them again.' };
const unchanged: DescribedAnswer = { status: 304, description: 'What you have is current.', content: [] };
const bytes = (type: string, description: string): DescribedAnswer => ({
  status: 200,
  description,
  headers: cached,
  content: [{ type, schema: Type.String() }],
});

export const serverOperations: Operations = {
  'GET /health': {
    id: 'getHealth',
    tag: 'Health',
    description:
      'For probes: asks nobody who they are, and says names and states alone. `degraded`: it works, by the last good configuration.',
    answers: [
      { status: 200, description: 'It works.', content: json(health, { fine: { summary: 'All is well', value: working } }) },
      {
        status: 503,
        description: 'It is shutting down, or its database cannot be used.',
        content: json(health, {
          stopping: {
            summary: 'Shutting down',
            value: { ...working, status: 'unavailable', checks: { ...working.checks, server: 'draining' } },
          },
        }),
      },
    ],
  },
  'POST /config/keys/rotate': {
    id: 'rotateMasterKey',
    tag: 'Configuration',
    description:
      'Seals all stored secrets with a new master key while everything runs. Backups made before need the old one: `notes` say where it is.',
    answers: [
      {
        status: 200,
        description: 'All secrets are sealed with the new key.',
        content: json(rotation, {
          done: {
            summary: 'Two secrets were sealed anew',
            value: {
              status: 'ok',
              keyId: 'k_5e8a1c02',
              source: '/home/me/.open_llm_auth/master.key',
              resealed: 2,
              dropped: ['k_91b3d7f4'],
              retiredTo: '/home/me/.open_llm_auth/master.key.retired',
              kept: [],
              damaged: [],
              notes: ['Backups made before this need the old key: keep it as long as you keep them.'],
            },
          },
        }),
      },
    ],
    errors: ['conflict', 'persistence_unavailable'],
  },
  'GET /docs': {
    id: 'getReferencePage',
    tag: 'Pages',
    description: 'This page. It asks nobody but this gateway, and keeps a token in memory alone.',
    answers: [bytes('text/html', 'The page.'), unchanged],
  },
  'GET /docs/json': {
    id: 'getReference',
    tag: 'Pages',
    description: 'This document: OpenAPI 3.1, for generators of clients.',
    answers: [
      {
        status: 200,
        description: 'The document.',
        headers: cached,
        content: json(
          Type.Object(
            { openapi: Type.String(), info: Type.Object({}, { additionalProperties: true }) },
            { additionalProperties: true },
          ),
        ),
      },
      unchanged,
    ],
  },
  ...Object.fromEntries(
    assetList.map(({ path, type, id, what }): [OperationKey, Operation] => [
      `GET ${path}`,
      { id, tag: 'Pages', answers: [bytes(mediaType(type), what), unchanged] },
    ]),
  ),
};

/** Without its parameters. */
function mediaType(contentType: string): string {
  return contentType.split(';')[0] ?? contentType;
}
