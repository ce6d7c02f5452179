/** `/config/explain` and `/config/requests`: how a model would be called now, and how a request was. */
import { Type } from '@sinclair/typebox';
import { errorEnvelope, OlaError } from '../../core/errors.ts';
import type { AttemptRecord } from '../../core/usage.ts';
import { credentialId } from '../../gateway/cooled-credentials.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { numberedPageOf, pageOf } from '../paging.ts';
import { type Route, reply, route } from '../route.ts';
import { credential, timeOrNull } from '../shapes.ts';
import { recentSchema, requestOf } from '../usage.ts';

const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const standings = ['ready', 'last', 'probe', 'cooling'] as const;
const explanationSchema = Type.Object({
  model: nullable('the name that was asked about; null: the default model'),
  provider: nullable('the provider that it leads to'),
  upstreamModel: nullable('the id of the model at this provider'),
  attempts: Type.Array(
    Type.Object({
      provider: Type.String(),
      model: Type.String(),
      credential,
      standing: Type.Union(
        standings.map((standing) => Type.Literal(standing)),
        {
          description:
            '`ready`; `last`: its provider failed a moment ago; `probe`: one call tries whether its cooldown is over; `cooling`: it is not used now',
        },
      ),
      readyAt: timeOrNull('when a cooling credential may be tried again'),
    }),
    { description: 'in the order in which they would be made' },
  ),
  mostAttempts: Type.Integer({ minimum: 1, description: 'attempts that one call may make' }),
  passed: Type.Array(
    Type.Object({
      provider: Type.String(),
      credential,
      reason: Type.String({ description: 'why it is not used, as a code' }),
      why: Type.String({ description: 'the same in words: the end of a sentence that begins with the credential' }),
    }),
    { description: 'credentials that are not used' },
  ),
  fallbacks: Type.Array(Type.Object({ model: Type.String(), why: nullable('why it cannot be used; null: it can') })),
  error: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()], {
    description: 'the error of a call, before anything is sent; null: it would be sent',
  }),
});
const requestSchema = Type.Object({
  request: recentSchema,
  attempts: Type.Array(
    Type.Object({
      provider: Type.String(),
      model: Type.String(),
      credential,
      status: Type.Union([Type.Integer(), Type.Null()], { description: 'the status of the provider; null: it gave none' }),
      error: nullable('the code of the error; null: it answered'),
      milliseconds: Type.Union([Type.Integer(), Type.Null()], { description: 'null for the attempt that answered' }),
    }),
    { description: 'all attempts, the last one is the one that answered, or the one that the client was told of' },
  ),
  now: explanationSchema,
});

export function explainRoutes(gateway: Gateway): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/config/explain',
        scope: 'admin',
        summary: 'How a model would be called now, and why',
        answer: explanationSchema,
      },
      (call) => {
        const query = new URL(call.request.url).searchParams;
        const model = query.get('model');
        const found = gateway.explain(model, operationOf(query.get('operation')));
        return reply(call, explanationOf(model, found));
      },
    ),
    route(
      {
        method: 'GET',
        path: '/config/requests',
        scope: 'admin',
        summary: 'List the calls of models',
        answer: pageOf(recentSchema),
      },
      async (call) => {
        const { limit, after } = numberedPageOf(call.request);
        const rows = await gateway.usage.page(limit + 1, after);
        const shown = rows.slice(0, limit);
        const hasMore = rows.length > limit;
        const nextCursor = hasMore ? String(shown.at(-1)?.place) : null;
        return reply(call, { object: 'list', data: shown.map(({ row }) => requestOf(row)), hasMore, nextCursor });
      },
    ),
    route(
      {
        method: 'GET',
        path: '/config/requests/:id',
        scope: 'admin',
        summary: 'How a request was answered: every attempt',
        answer: requestSchema,
      },
      async (call, _principal, params) => {
        const row = await gateway.usage.find(params['id'] ?? '');
        if (row === null) {
          throw new OlaError('not_found', 'There is no call of a model with this request id; GET /config/requests lists them.');
        }
        const last =
          row.provider === null || row.attempts?.at(-1)?.error === row.error
            ? []
            : [
                {
                  provider: row.provider,
                  model: row.model ?? '',
                  source: row.source ?? '',
                  status: row.error === null ? 200 : null,
                  error: row.error,
                },
              ];
        return reply(call, {
          request: requestOf(row),
          attempts: [...(row.attempts ?? []).map(attemptOf), ...last.map((each) => attemptOf({ ...each, milliseconds: null }))],
          now: explanationOf(
            row.requested,
            gateway.explain(row.requested, row.endpoint.endsWith('/embeddings') ? 'embeddings' : 'chat'),
          ),
        });
      },
    ),
  ];
}

function operationOf(text: string | null): 'chat' | 'embeddings' {
  if (text === null || text === 'chat') return 'chat';
  if (text === 'embeddings') return text;
  throw new OlaError('invalid_field', "'operation' is `chat` or `embeddings`.", { param: 'operation' });
}

type Told = Omit<AttemptRecord, 'milliseconds'> & { readonly milliseconds: number | null };

function attemptOf({ provider, model, source, status, error, milliseconds }: Told) {
  return { provider, model, credential: credentialId({ provider, source }), status, error, milliseconds };
}

/** As it goes over the wire. */
function explanationOf(model: string | null, found: Explanation) {
  return {
    model,
    provider: found.provider,
    upstreamModel: found.model,
    attempts: found.attempts.map(({ source, readyAt, ...attempt }) => ({
      provider: attempt.provider,
      model: attempt.model,
      credential: credentialId({ provider: attempt.provider, source }),
      standing: attempt.standing,
      readyAt: readyAt === null ? null : new Date(readyAt).toISOString(),
    })),
    mostAttempts: found.mostAttempts,
    passed: found.passed.map(({ provider, source, reason, why }) => ({
      provider,
      credential: credentialId({ provider, source }),
      reason,
      why,
    })),
    fallbacks: found.fallbacks.map(({ name, why }) => ({ model: name, why })),
    error: found.problem === null ? null : { code: found.problem.code, message: errorEnvelope(found.problem).error.message },
  };
}

type Explanation = ReturnType<Gateway['explain']>;
