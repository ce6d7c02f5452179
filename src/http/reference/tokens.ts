/** What the reference says of `/config/tokens`. */
import { Type } from '@sinclair/typebox';
import { scopes } from '../../core/access.ts';
import { newTokenSchema } from '../../core/tokens.ts';
import type { Operations } from './operations.ts';
import { json, listOf, ok, pageParameters, time, timeOrNull } from './shapes.ts';

const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const scope = Type.Union(scopes.map((name) => Type.Literal(name)));

const facts = {
  hint: Type.String({ description: 'how it ends, so that one that was found can be told' }),
  name: Type.String(),
  owner: nullable('the person it belongs to; null: nobody in particular'),
  project: nullable('what its use counts for'),
  scopes: Type.Array(scope),
  admin: Type.Boolean({ description: 'whether it may do everything' }),
  enabled: Type.Boolean(),
  createdAt: time('when it was made'),
  expiresAt: timeOrNull('when it ends; null: never'),
  lastUsedAt: timeOrNull('within a minute; null: not yet'),
  useCount: Type.Integer({ minimum: 0 }),
};
const id = Type.String({ description: '`tok_` and 32 hex digits; no secret' });
const token = Type.Object({ id, ...facts }, { $id: 'Token', description: 'what may be shown of an access token' });
const newToken = Type.Object(
  { id, token: Type.String({ description: 'the token itself, shown this once: copy it now' }), ...facts },
  { $id: 'NewToken', description: 'an access token that was made just now' },
);

const example = {
  id: 'tok_0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  hint: 'ola_****9xQ2',
  name: 'editor',
  owner: null,
  project: null,
  scopes: ['read', 'write'],
  enabled: true,
  createdAt: '2026-11-21T09:00:00.000Z',
  expiresAt: '2026-12-21T09:00:00.000Z',
  lastUsedAt: null,
  useCount: 0,
  admin: false,
};
const idParameter = { name: 'id', in: 'path', description: 'The id of a token, not the token.', schema: Type.String() } as const;

export const tokenOperations: Operations = {
  'POST /config/tokens': {
    id: 'createToken',
    tag: 'Tokens',
    description:
      'One for each tool, script or agent, so that one can be taken away without the others. The answer holds the token, **once**: ola keeps only a hash of it.\n\n' +
      'Without `scopes` and `admin` it may read and write, not administrate; without an end it lasts 30 days. A field that ola does not know is refused: a restriction that is not understood would not be kept.',
    request: json(newTokenSchema, {
      client: { summary: 'For a client: read and write, 30 days', value: { name: 'editor', expiresInDays: 30 } },
      reader: { summary: 'Reads only, a week', value: { name: 'dashboard', scopes: ['read'], expiresInDays: 7 } },
      admin: { summary: 'May do everything, without an end', value: { name: 'operations', admin: true, expiresAt: null } },
      project: { summary: 'Counts for a project', value: { name: 'nightly build', project: 'website', expiresInDays: 365 } },
    }),
    answers: [
      {
        status: 201,
        description: 'It is valid from now on.',
        content: json(newToken, {
          made: { summary: 'Copy `token` now', value: { ...example, token: 'ola_(49 letters and digits, shown this once)' } },
        }),
      },
    ],
    errors: ['persistence_unavailable'],
  },
  'GET /config/tokens': {
    id: 'listTokens',
    tag: 'Tokens',
    description: 'All that are not revoked, without the tokens themselves.',
    parameters: pageParameters,
    answers: [
      {
        status: 200,
        description: 'A page of them.',
        content: json(listOf(token), {
          one: { summary: 'One token', value: { object: 'list', data: [example], hasMore: false, nextCursor: null } },
        }),
      },
    ],
    errors: ['invalid_field'],
  },
  'GET /config/tokens/:id': {
    id: 'getToken',
    tag: 'Tokens',
    parameters: [idParameter],
    answers: [
      {
        status: 200,
        description: 'The token, without itself.',
        content: json(token, { one: { summary: 'A token', value: example } }),
      },
    ],
    errors: ['not_found'],
  },
  'DELETE /config/tokens/:id': {
    id: 'revokeToken',
    tag: 'Tokens',
    description: 'From this moment on nobody comes in with it. This cannot be taken back.',
    parameters: [idParameter],
    answers: [
      {
        status: 200,
        description: 'It is revoked.',
        content: json(Type.Object({ status: ok, deleted: Type.String() }), {
          gone: { summary: 'Revoked', value: { status: 'ok', deleted: example.id } },
        }),
      },
    ],
    errors: ['not_found', 'persistence_unavailable'],
  },
};
