/** `GET /health`. */
import { Type } from '@sinclair/typebox';
import type { Gateway } from '../../gateway/gateway.ts';
import { publicRoute, type Route, reply } from '../route.ts';

const states = <State extends string>(...names: readonly State[]) => Type.Union(names.map((name) => Type.Literal(name)));
const health = Type.Object(
  {
    status: states('ok', 'degraded', 'unavailable'),
    version: Type.String(),
    uptimeSeconds: Type.Integer({ minimum: 0 }),
    checks: Type.Object({
      store: states('ok', 'failed'),
      config: states('ok', 'invalid'),
      server: states('ok', 'draining'),
    }),
  },
  { $id: 'Health' },
);

export function healthRoutes(gateway: Gateway): Route[] {
  return [
    publicRoute(
      { method: 'GET', path: '/health', summary: 'Whether the gateway can do its work', answer: health },
      async (call) => {
        const report = await gateway.health.report();
        return reply(call, report, report.status === 'unavailable' ? 503 : 200);
      },
    ),
  ];
}
