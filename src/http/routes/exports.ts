/** `/config/export` and `/config/import`: the whole configuration, for another machine. */
import { Type } from '@sinclair/typebox';
import { documentSchema } from '../../core/document.ts';
import type { Json } from '../../core/json.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { requesterOf } from '../call.ts';
import { bodyRoute, type Route, reply } from '../route.ts';
import { missing, written } from '../shapes.ts';

const open = { additionalProperties: true } as const;
const passphrase = Type.Optional(
  Type.String({ maxLength: 1024, description: 'seals the secrets; accepted over the control socket only' }),
);
const exportSchema = Type.Object({ passphrase }, open);
/** Its content is checked by the use-case, which first folds the names of fields. */
const importSchema = Type.Object(
  {
    content: Type.Object({}, open),
    sealed: Type.Optional(Type.Object({}, { ...open, description: 'the secrets, as they were exported' })),
    passphrase,
  },
  open,
);

const sealed = Type.Object(
  {
    format: Type.String(),
    version: Type.Integer(),
    kdf: Type.Object({}, { ...open, description: 'how the key is derived from the passphrase' }),
    salt: Type.String(),
    nonce: Type.String(),
    data: Type.String(),
  },
  { $id: 'Sealed', description: 'Secrets, encrypted with a passphrase.' },
);
const exported = Type.Object({ content: documentSchema, missing, sealed: Type.Optional(sealed) });

export function exportRoutes({ exports }: Gateway): Route[] {
  return [
    bodyRoute(
      {
        method: 'POST',
        path: '/config/export',
        scope: 'admin',
        summary: 'Export the configuration, secrets sealed or left out',
        body: exportSchema,
        answer: exported,
      },
      async (call, principal, body) => {
        const wanted = { passphrase: body.passphrase ?? null, local: call.connection.kind === 'control' };
        const { content, missing, sealed } = await exports.export(wanted, requesterOf(call, principal));
        return reply(call, { content, missing, ...(sealed === null ? {} : { sealed }) });
      },
    ),
    bodyRoute(
      {
        method: 'POST',
        path: '/config/import',
        scope: 'admin',
        summary: 'Replace the configuration',
        body: importSchema,
        answer: written,
      },
      async (call, principal, body) => {
        const given = { content: body.content as Json, sealed: body.sealed, passphrase: body.passphrase ?? null };
        const ifMatch = call.request.headers.get('if-match');
        const { snapshot, warnings } = await exports.import(given, ifMatch, requesterOf(call, principal));
        return reply(call, { status: 'ok', ...(warnings.length === 0 ? {} : { warnings }) }, 200, { etag: snapshot.etag });
      },
    ),
  ];
}
