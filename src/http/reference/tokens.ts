/** What the reference says of `/config/tokens`. */
import { Type } from '@sinclair/typebox';
import { type Operations, type Parameter, pageParameters } from './operations.ts';

const id: Parameter = { name: 'id', in: 'path', description: 'The id of a token, not the token itself.', schema: Type.String() };

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

export const tokenOperations: Operations = {
  'POST /config/tokens': {
    id: 'createToken',
    tag: 'Tokens',
    description:
      'Make one token for each tool, script or agent: then each can be revoked alone. The answer shows the token **once**; ola stores only a hash of it.\n\n' +
      'Without `scopes` and `admin` the token can read and write, but not administrate. Without `expiresAt` and `expiresInDays` it expires after 30 days. An unknown field is refused: it could be a restriction that ola would not enforce.',
    request: {
      examples: {
        'For a client: read and write, 30 days': { name: 'editor', expiresInDays: 30 },
        'Read only, a week': { name: 'dashboard', scopes: ['read'], expiresInDays: 7 },
        'All scopes, never expires': { name: 'operations', admin: true, expiresAt: null },
        'Counts for a project': { name: 'nightly build', project: 'website', expiresInDays: 365 },
      },
    },
    answers: [
      {
        status: 201,
        description: 'The token is valid from now on. Copy `token` now.',
        example: { ...example, token: 'ola_(49 letters and digits, shown this once)' },
      },
    ],
    errors: ['persistence_unavailable'],
  },
  'GET /config/tokens': {
    id: 'listTokens',
    tag: 'Tokens',
    description: 'All tokens that are not revoked, without the tokens themselves.',
    parameters: pageParameters,
    answers: [
      { description: 'A page of tokens.', example: { object: 'list', data: [example], hasMore: false, nextCursor: null } },
    ],
    errors: ['invalid_field'],
  },
  'GET /config/tokens/:id': {
    id: 'getToken',
    tag: 'Tokens',
    parameters: [id],
    answers: [{ description: 'What may be shown of the token.', example }],
    errors: ['not_found'],
  },
  'DELETE /config/tokens/:id': {
    id: 'revokeToken',
    tag: 'Tokens',
    description: 'From this moment on the token is refused. This cannot be undone.',
    parameters: [id],
    answers: [{ description: 'The token is revoked.', example: { status: 'ok', deleted: example.id } }],
    errors: ['not_found', 'persistence_unavailable'],
  },
};
