/** What the reference says of `/config/cooldowns`. */
import { Type } from '@sinclair/typebox';
import { type Operations, type Parameter, pageParameters } from './operations.ts';

const id: Parameter = {
  name: 'id',
  in: 'path',
  description: 'The id of an auth profile, `env:NAME`, or `provider-config:PROVIDER`.',
  schema: Type.String(),
  example: 'env:GROQ_API_KEY',
};

const example = {
  id: 'env:GROQ_API_KEY llama-3.3-70b-versatile',
  credential: 'env:GROQ_API_KEY',
  provider: 'groq',
  model: 'llama-3.3-70b-versatile',
  reason: 'rate_limit',
  since: '2026-11-21T09:00:00.000Z',
  until: '2026-11-21T09:00:30.000Z',
  probeAt: '2026-11-21T09:00:30.000Z',
};
const forced = {
  ...example,
  id: 'env:GROQ_API_KEY',
  model: null,
  reason: 'forced',
  until: '2026-11-21T10:00:00.000Z',
  probeAt: '2026-11-21T10:00:00.000Z',
};

export const cooldownOperations: Operations = {
  'GET /config/cooldowns': {
    id: 'listCooldowns',
    tag: 'Providers',
    description:
      'The credentials that ola leaves alone for a while, because their provider limits or refuses them. A rate limit is of one model. They heal by themselves: from `probeAt` on one call tries, and a success ends the cooldown.',
    parameters: pageParameters,
    answers: [
      { description: 'A page of cooldowns.', example: { object: 'list', data: [example], hasMore: false, nextCursor: null } },
    ],
    errors: ['invalid_field'],
  },
  'PUT /config/cooldowns/:id': {
    id: 'forceCooldown',
    tag: 'Providers',
    description: 'Calls pass the credential over until the time is up; no call tries it before that.',
    parameters: [id],
    request: {
      examples: {
        'For an hour': { seconds: 3600 },
        'One model, for a minute': { seconds: 60, model: 'llama-3.3-70b-versatile' },
      },
    },
    answers: [{ description: 'The cooldown.', example: forced }],
    errors: ['not_found'],
  },
  'DELETE /config/cooldowns/:id': {
    id: 'clearCooldowns',
    tag: 'Providers',
    description: 'The next call may use the credential again.',
    parameters: [id],
    answers: [{ description: 'They are over.', example: { status: 'ok', credential: 'env:GROQ_API_KEY', ended: 1 } }],
    errors: ['not_found'],
  },
};
