/** `/config/export` and `/config/import`: the whole configuration, for another machine. */
import { Type } from '@sinclair/typebox';
import type { Json } from '../../core/json.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { requesterOf } from '../call.ts';
import { bodyRoute, type Route, reply } from '../route.ts';

const anyObject = (description: string) => Type.Object({}, { additionalProperties: true, description });
const passphrase = Type.Optional(Type.String({ maxLength: 1024, description: 'what the secrets are sealed to' }));
const exportSchema = Type.Object({ passphrase }, { additionalProperties: true });
const importSchema = Type.Object(
  {
    content: anyObject('the configuration'),
    sealed: Type.Optional(anyObject('the secrets, as they were exported')),
    passphrase,
  },
  { additionalProperties: true },
);

export function exportRoutes({ exports }: Gateway): Route[] {
  return [
    bodyRoute(
      {
        method: 'POST',
        path: '/config/export',
        scope: 'admin',
        summary: 'Export the configuration, secrets sealed or left out',
        body: exportSchema,
      },
      async (call, principal, body) => {
        const wanted = { passphrase: body.passphrase ?? null, local: call.connection.kind === 'control' };
        const { content, missing, sealed } = await exports.export(wanted, requesterOf(call, principal));
        return reply(call, { content, missing, ...(sealed === null ? {} : { sealed }) });
      },
    ),
    bodyRoute(
      { method: 'POST', path: '/config/import', scope: 'admin', summary: 'Replace the configuration', body: importSchema },
      async (call, principal, body) => {
        const given = { content: body.content as Json, sealed: body.sealed, passphrase: body.passphrase ?? null };
        const ifMatch = call.request.headers.get('if-match');
        const { snapshot, warnings } = await exports.import(given, ifMatch, requesterOf(call, principal));
        return reply(call, { status: 'ok', ...(warnings.length === 0 ? {} : { warnings }) }, 200, { etag: snapshot.etag });
      },
    ),
  ];
}
