/** `GET /health`. */
import type { Gateway } from '../../gateway/gateway.ts';
import { publicRoute, type Route, reply } from '../route.ts';

export function healthRoutes(gateway: Gateway): Route[] {
  return [
    publicRoute({ method: 'GET', path: '/health', summary: 'Whether the gateway can do its work' }, async (call) => {
      const report = await gateway.health.report();
      return reply(call, report, report.status === 'unavailable' ? 503 : 200);
    }),
  ];
}
