/** `/config/profiles`: copies of the configuration under names. (Credentials are `/config/auth-profiles`.) */
import { Type } from '@sinclair/typebox';
import type { Clock } from '../../core/ports.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { requesterOf } from '../call.ts';
import { bodyRoute, type Route, reply, route } from '../route.ts';
import { deleted, missing, ok, snapshotName, time, warnings } from '../shapes.ts';

const name = snapshotName;
const saveSchema = Type.Object({ name }, { additionalProperties: true });
const importSchema = Type.Object(
  { name, content: Type.String({ description: 'a configuration as JSON text' }) },
  { additionalProperties: true },
);

const listed = Type.Object({
  name: Type.String(),
  created: time('when it was saved'),
  size: Type.Integer({ description: 'the size of its export in bytes' }),
});
const saved = Type.Object({ status: ok, name: Type.String(), warnings: Type.Optional(warnings) });
const exported = Type.Object({
  name: Type.String(),
  content: Type.String({ description: 'the configuration as JSON text' }),
  missing,
  exported_at: time('when it was exported'),
});

const path = '/config/profiles';
const iso = (at: number) => new Date(at).toISOString();

export function snapshotRoutes({ snapshots }: Gateway, now: Clock): Route[] {
  return [
    route(
      {
        method: 'GET',
        path,
        scope: 'admin',
        summary: 'List the snapshots of the configuration',
        answer: Type.Array(listed),
      },
      async (call) => {
        const list = await snapshots.list();
        return reply(
          call,
          list.map(({ name, at, size }) => ({ name, created: iso(at), size })),
        );
      },
    ),
    bodyRoute(
      { method: 'POST', path, scope: 'admin', summary: 'Save the configuration under a name', body: saveSchema, answer: saved },
      async (call, principal, body) => {
        await snapshots.save(body.name, requesterOf(call, principal));
        return reply(call, { status: 'ok', name: body.name });
      },
    ),
    bodyRoute(
      {
        method: 'POST',
        path: `${path}/import`,
        scope: 'admin',
        summary: 'Save a given configuration',
        body: importSchema,
        answer: saved,
      },
      async (call, principal, body) => {
        const warnings = await snapshots.import(body.name, body.content, requesterOf(call, principal));
        return reply(call, { status: 'ok', name: body.name, ...(warnings.length === 0 ? {} : { warnings }) });
      },
    ),
    route(
      {
        method: 'GET',
        path: `${path}/export/:name`,
        scope: 'admin',
        summary: 'Export a snapshot, secrets redacted',
        answer: exported,
      },
      async (call, _principal, params) =>
        reply(call, { ...(await snapshots.export(params['name'] ?? '')), exported_at: iso(now()) }),
    ),
    route(
      { method: 'POST', path: `${path}/:name/activate`, scope: 'admin', summary: 'Put a snapshot in force', answer: saved },
      async (call, principal, params) => {
        const wanted = params['name'] ?? '';
        const ifMatch = call.request.headers.get('if-match');
        const { snapshot, warnings } = await snapshots.activate(wanted, ifMatch, requesterOf(call, principal));
        const said = warnings.length === 0 ? {} : { warnings };
        return reply(call, { status: 'ok', name: wanted, ...said }, 200, { etag: snapshot.etag });
      },
    ),
    route(
      { method: 'DELETE', path: `${path}/:name`, scope: 'admin', summary: 'Delete a snapshot', answer: deleted },
      async (call, principal, params) => {
        const wanted = params['name'] ?? '';
        await snapshots.remove(wanted, requesterOf(call, principal));
        return reply(call, { status: 'ok', deleted: wanted });
      },
    ),
  ];
}
