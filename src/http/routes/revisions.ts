/** `/config/revisions`: the history of the configuration. */
import { Type } from '@sinclair/typebox';
import type { RevisionSummary } from '../../core/config.ts';
import { documentSchema } from '../../core/document.ts';
import { OlaError } from '../../core/errors.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { requesterOf } from '../call.ts';
import { page, pageOf } from '../paging.ts';
import { type Params, type Route, reply, route } from '../route.ts';
import { ok, time } from '../shapes.ts';

const fields = {
  id: Type.String({ description: 'the number, as text' }),
  number: Type.Integer({ minimum: 0 }),
  at: time('when it was written'),
  actor: Type.String({ description: 'who wrote it: the id of a token; `local` is the command line' }),
  summary: Type.String({ description: 'what changed, without values' }),
};
const revision = Type.Object(fields, { $id: 'Revision', description: 'One accepted write of the configuration.' });
const wholeRevision = Type.Object({ ...fields, document: documentSchema });
const change = Type.Object(
  {
    path: Type.String({ description: 'the field, dotted' }),
    change: Type.Union([Type.Literal('added'), Type.Literal('removed'), Type.Literal('changed')]),
    before: Type.Optional(Type.Unknown({ description: 'the old value, secrets redacted' })),
    after: Type.Optional(Type.Unknown({ description: 'the new value, secrets redacted' })),
  },
  { $id: 'Change' },
);
const difference = Type.Object({ from: Type.Integer(), to: Type.Integer(), changes: Type.Array(change) });
const rolledBack = Type.Object({ status: ok, revision: Type.Integer({ description: 'the number of the new revision' }) });

export function revisionRoutes({ revisions }: Gateway): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/config/revisions',
        scope: 'admin',
        summary: 'List the revisions of the configuration',
        answer: pageOf(revision),
      },
      async (call) => reply(call, page((await revisions.list()).map(onTheWire), call.request)),
    ),
    route(
      {
        method: 'GET',
        path: '/config/revisions/:number',
        scope: 'admin',
        summary: 'Show a revision, secrets redacted',
        answer: wholeRevision,
      },
      async (call, _principal, params) => {
        const revision = await revisions.show(numberIn(params));
        return reply(call, { ...onTheWire(revision), document: revision.document });
      },
    ),
    route(
      {
        method: 'GET',
        path: '/config/revisions/:number/diff',
        scope: 'admin',
        summary: 'What differs from it to another one',
        answer: difference,
      },
      async (call, _principal, params) => {
        const from = numberIn(params);
        const wanted = new URL(call.request.url).searchParams.get('to');
        const { to, changes } = await revisions.diff(from, wanted === null ? null : readNumber(wanted, 'to'));
        return reply(call, { from, to, changes: changes.map(({ path, ...rest }) => ({ path: path.join('.'), ...rest })) });
      },
    ),
    route(
      {
        method: 'POST',
        path: '/config/revisions/:number/rollback',
        scope: 'admin',
        summary: 'Put an earlier revision in force',
        answer: rolledBack,
      },
      async (call, principal, params) => {
        const ifMatch = call.request.headers.get('if-match');
        const { revision, etag } = await revisions.rollback(numberIn(params), ifMatch, requesterOf(call, principal));
        return reply(call, { status: 'ok', revision }, 200, { etag });
      },
    ),
  ];
}

const numberIn = (params: Params) => readNumber(params['number'] ?? '', 'number');

function readNumber(text: string, param: string): number {
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  throw new OlaError('invalid_request', `'${param}' is to be the number of a revision; GET /config/revisions lists them.`, {
    param,
  });
}

function onTheWire({ number, at, actor, summary }: RevisionSummary) {
  return { id: String(number), number, at: new Date(at).toISOString(), actor, summary };
}
