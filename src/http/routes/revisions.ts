/** `/config/revisions`: the history of the configuration. */
import type { RevisionSummary } from '../../core/config.ts';
import { OlaError } from '../../core/errors.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { requesterOf } from '../call.ts';
import { page } from '../paging.ts';
import { type Params, type Route, reply, route } from '../route.ts';

export function revisionRoutes({ revisions }: Gateway): Route[] {
  return [
    route(
      { method: 'GET', path: '/config/revisions', scope: 'admin', summary: 'List the revisions of the configuration' },
      async (call) => reply(call, page((await revisions.list()).map(onTheWire), call.request)),
    ),
    route(
      { method: 'GET', path: '/config/revisions/:number', scope: 'admin', summary: 'Show a revision, secrets redacted' },
      async (call, _principal, params) => {
        const revision = await revisions.show(numberIn(params));
        return reply(call, { ...onTheWire(revision), document: revision.document });
      },
    ),
    route(
      { method: 'GET', path: '/config/revisions/:number/diff', scope: 'admin', summary: 'What differs from it to another one' },
      async (call, _principal, params) => {
        const from = numberIn(params);
        const wanted = new URL(call.request.url).searchParams.get('to');
        const { to, changes } = await revisions.diff(from, wanted === null ? null : readNumber(wanted, 'to'));
        return reply(call, { from, to, changes: changes.map(({ path, ...rest }) => ({ path: path.join('.'), ...rest })) });
      },
    ),
    route(
      { method: 'POST', path: '/config/revisions/:number/rollback', scope: 'admin', summary: 'Put an earlier revision in force' },
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
