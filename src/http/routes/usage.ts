/** `/config/usage`: what was used, by whom and of whom; and `/me/usage`, a caller's own part of it. */
import { Type } from '@sinclair/typebox';
import type { Principal } from '../../core/access.ts';
import type { Clock } from '../../core/ports.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import type { Call } from '../call.ts';
import { type Route, reply, route } from '../route.ts';
import {
  type Asked,
  type Breakdown,
  breakdownOf,
  breakdownSchema,
  breakdowns,
  chartOf,
  chartSchema,
  providerMetaOf,
  providerMetaSchema,
  readUsageQuery,
  recentSchema,
  requestOf,
  summaryOf,
  summarySchema,
  telemetryOf,
  telemetrySchema,
  tokensOf,
  tokensSchema,
} from '../usage.ts';

/** Days of the telemetry of providers when none are asked for. */
const telemetryDays = 7;

const overviewSchema = Type.Object({
  days: Type.Integer(),
  summary: summarySchema,
  chart: chartSchema,
  ...Object.fromEntries(breakdownNames().map((by) => [by, breakdownSchema(by)])),
  tokens: tokensSchema,
  recent: Type.Array(recentSchema),
  latest_provider_meta: providerMetaSchema,
});
const ownSchema = Type.Object({
  days: Type.Integer(),
  summary: summarySchema,
  chart: chartSchema,
  models: breakdownSchema('models'),
});

export function usageRoutes(gateway: Gateway, now: Clock): Route[] {
  const ask = (call: Call, days?: number) => readUsageQuery(call.request.url, now(), 'limit', days);
  const reportOf = ({ window }: Asked) => gateway.usage.report(window);
  const admin = { method: 'GET', scope: 'admin' } as const;
  return [
    route({ ...admin, path: '/config/usage/summary', summary: 'What was used in all', answer: summarySchema }, async (call) => {
      const asked = ask(call);
      return answer(call, asked, summaryOf(await reportOf(asked), asked.days));
    }),
    route({ ...admin, path: '/config/usage/chart', summary: 'Usage over time', answer: chartSchema }, async (call) => {
      const asked = ask(call);
      return answer(call, asked, chartOf(await reportOf(asked)));
    }),
    ...breakdownNames().map((by) =>
      route(
        { ...admin, path: `/config/usage/${by}`, summary: breakdownSummaries[by], answer: breakdownSchema(by) },
        async (call) => {
          const asked = ask(call);
          return answer(call, asked, breakdownOf(await reportOf(asked), by).slice(0, asked.limit));
        },
      ),
    ),
    route({ ...admin, path: '/config/usage/tokens', summary: 'Usage by access token', answer: tokensSchema }, async (call) => {
      const asked = ask(call);
      return answer(call, asked, tokensOf(await reportOf(asked), gateway.tokens.nameOf).slice(0, asked.limit));
    }),
    route(
      { ...admin, path: '/config/usage/recent', summary: 'The newest requests', answer: Type.Array(recentSchema) },
      async (call) => {
        const asked = ask(call);
        return answer(call, asked, (await gateway.usage.recent(asked.limit)).map(requestOf));
      },
    ),
    route(
      {
        ...admin,
        path: '/config/usage/provider-telemetry',
        summary: 'How well each provider answered',
        answer: telemetrySchema,
      },
      async (call) => {
        const asked = ask(call, telemetryDays);
        return answer(call, asked, telemetryOf(await reportOf(asked), asked.days));
      },
    ),
    route(
      { ...admin, path: '/config/usage/overview', summary: 'All of this in one answer', answer: overviewSchema },
      async (call) => {
        const asked = readUsageQuery(call.request.url, now(), 'recent_limit');
        return answer(call, asked, await overview(gateway, asked));
      },
    ),
    route(
      { method: 'GET', path: '/me/usage', scope: 'any', summary: 'What you used yourself', answer: ownSchema },
      async (call, principal) => {
        const asked = ask(call);
        const report = await gateway.usage.report(asked.window, isOf(principal));
        return answer(call, asked, {
          days: asked.days,
          summary: summaryOf(report, asked.days),
          chart: chartOf(report),
          models: breakdownOf(report, 'models'),
        });
      },
    ),
  ];
}

const breakdownSummaries: Readonly<Record<Breakdown, string>> = {
  providers: 'Usage by provider',
  models: 'Usage by model',
  endpoints: 'Usage by route',
  sources: 'Usage by the source of the credential',
  profiles: 'Usage by auth profile',
  projects: 'Usage by project',
};

function breakdownNames(): Breakdown[] {
  return Object.keys(breakdowns) as Breakdown[];
}

async function overview({ usage, tokens }: Gateway, asked: Asked) {
  const report = await usage.report(asked.window);
  const recent = await usage.recent(asked.limit);
  return {
    days: asked.days,
    summary: summaryOf(report, asked.days),
    chart: chartOf(report),
    ...Object.fromEntries(breakdownNames().map((by) => [by, breakdownOf(report, by)])),
    tokens: tokensOf(report, tokens.nameOf),
    recent: recent.map(requestOf),
    latest_provider_meta: providerMetaOf(recent),
  };
}

/** What a caller used: a token its own, a person what all of the person's tokens did. */
function isOf({ subject }: Principal) {
  return (group: { readonly subject: string }): boolean => group.subject === subject;
}

function answer(call: Call, { clamped }: Asked, body: unknown): Response {
  return reply(call, body, 200, clamped.length === 0 ? {} : { 'x-ola-clamped': clamped.join(', ') });
}
