/** The routes of protocols that ola answers itself: what clients ask about models and the server, in their own form. */
import { OlaError } from '../../core/errors.ts';
import type { OwnRoute, Protocol } from '../../core/protocol.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { bodyRoute, type Route, replyText, route } from '../route.ts';
import { listed } from './models.ts';

export function ownRoutes(gateway: Gateway): Route[] {
  return gateway.protocols.flatMap((protocol) => (protocol.ownRoutes ?? []).map((own) => routeOf(gateway, protocol, own)));
}

function routeOf(gateway: Gateway, { errorBody }: Protocol, own: OwnRoute): Route {
  const { method, path, summary } = own;
  const declared = { method, path, summary, scope: own.tells === 'nothing' ? 'write' : 'read', errorBody } as const;
  switch (own.tells) {
    case 'models':
      return route(declared, async (call) => replyText(call, own.list((await gateway.listModels()).map(listed))));
    case 'model':
      return bodyRoute({ ...declared, body: own.schema }, async (call, _principal, body) => {
        const model = await gateway.findModel(own.nameOf(body as Readonly<Record<string, unknown>>));
        return replyText(call, own.one(listed(model)));
      });
    case 'server':
      return route(declared, async (call) => replyText(call, own.about((await gateway.health.report()).version)));
    case 'nothing':
      return route(declared, () => {
        throw new OlaError('not_implemented', own.why);
      });
  }
}
