/** What the reference says of `/config/usage` and `/me/usage`. */
import { usageQuery } from '../usage.ts';
import type { Operation, Operations, Parameter } from './operations.ts';

const counts = {
  requests: 412,
  errors: 3,
  prompt_tokens: 80_410,
  completion_tokens: 61_022,
  total_tokens: 141_432,
  total_cost: 1.83,
  unpriced_requests: 3,
  avg_latency_ms: 820,
};
const summary = { days: 30, from: '2026-10-23T00:00:00.000Z', ...counts };
const chart = {
  labels: ['2026-11-20', '2026-11-21'],
  requests: [160, 252],
  tokens: [60_123, 81_309],
  cost: [0.71, 1.12],
  latency: [790, 839],
};
const started_at = '2026-11-21T09:00:00.000Z';
const served = {
  started_at,
  provider: 'groq',
  model: 'llama-3.3-70b-versatile',
  profile: 'groq:work',
  source: 'profile:groq:work',
  status: 200,
  error: null,
};
/** A request as `/config/usage` shows it. */
export const exampleRequest = {
  request_id: 'req_7f0c1b52-4f0e-4c1f-9f4e-0d3a5a2b7c61',
  token: 'tok_0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  project: 'website',
  endpoint: '/v1/chat/completions',
  requested: 'groq/llama-3.3-70b-versatile',
  ...served,
  stream: true,
  failed_attempts: 0,
  prompt_tokens: 29,
  completion_tokens: 64,
  total_cost: 0.000068,
  first_byte_ms: 180,
  latency_ms: 820,
};
const by = {
  providers: [{ provider: 'groq', ...counts }],
  models: [{ model: served.model, provider: 'groq', ...counts }],
  endpoints: [{ endpoint: exampleRequest.endpoint, ...counts }],
  sources: [{ source: served.source, ...counts }],
  profiles: [{ profile: served.profile, ...counts }],
  projects: [{ project: 'website', ...counts }],
  tokens: [{ token: exampleRequest.token, name: 'editor', ...counts }],
};

const days: Parameter = {
  name: 'days',
  in: 'query',
  description:
    'How far back. 1: the last 24 hours; more: days of UTC, today the last of them. A number out of range becomes the nearest one in it, and `X-Ola-Clamped` says so.',
  schema: usageQuery.days,
};
const since: Parameter = {
  name: 'since',
  in: 'query',
  description: 'In place of `days`: from the hour of this time on.',
  schema: usageQuery.since,
};
const limit: Parameter = { name: 'limit', in: 'query', description: 'The longest list.', schema: usageQuery.limit };
const recentLimit: Parameter = {
  name: 'recent_limit',
  in: 'query',
  description: 'Requests in `recent`, at most.',
  schema: usageQuery.recent_limit,
};
const period = [days, since];
const errors = ['invalid_field', 'persistence_unavailable'] as const;

/** A list by one property of the requests, the one with the most requests first. */
const breakdown = (name: keyof typeof by, id: string, description: string): Operation => ({
  id,
  tag: 'Usage',
  parameters: [...period, limit],
  answers: [{ description, example: by[name] }],
  errors,
});

export const usageOperations: Operations = {
  'GET /config/usage/overview': {
    id: 'getUsageOverview',
    tag: 'Usage',
    description: 'For a page or a terminal that shows all of it: `ola usage` asks for this.',
    parameters: [...period, recentLimit],
    answers: [
      {
        description: 'Every list of usage, and the newest requests.',
        example: { days: 30, summary, chart, ...by, recent: [exampleRequest], latest_provider_meta: served },
      },
    ],
    errors,
  },
  'GET /config/usage/summary': {
    id: 'getUsageSummary',
    tag: 'Usage',
    description: 'Counts every request for an answer, also one that failed.',
    parameters: period,
    answers: [{ description: 'The sums.', example: summary }],
    errors,
  },
  'GET /config/usage/chart': {
    id: 'getUsageChart',
    tag: 'Usage',
    parameters: period,
    answers: [{ description: 'An item for each day, or for each hour when the period is short.', example: chart }],
    errors,
  },
  'GET /config/usage/providers': breakdown('providers', 'listUsageByProvider', 'The provider with the most requests first.'),
  'GET /config/usage/models': breakdown('models', 'listUsageByModel', 'The model with the most requests first.'),
  'GET /config/usage/tokens': breakdown('tokens', 'listUsageByToken', 'The token with the most requests first.'),
  'GET /config/usage/projects': breakdown('projects', 'listUsageByProject', 'The project with the most requests first.'),
  'GET /config/usage/endpoints': breakdown('endpoints', 'listUsageByRoute', 'The route with the most requests first.'),
  'GET /config/usage/sources': breakdown(
    'sources',
    'listUsageBySource',
    'The source of credentials with the most requests first.',
  ),
  'GET /config/usage/profiles': breakdown('profiles', 'listUsageByProfile', 'The auth profile with the most requests first.'),
  'GET /config/usage/recent': {
    id: 'listRecentUsage',
    tag: 'Usage',
    description: 'Neither prompts nor answers: ola does not keep them.',
    parameters: [limit],
    answers: [{ description: 'The newest request first.', example: [exampleRequest] }],
    errors,
  },
  'GET /config/usage/provider-telemetry': {
    id: 'getProviderTelemetry',
    tag: 'Usage',
    parameters: [{ ...days, schema: { ...usageQuery.days, default: 7 } }, since],
    answers: [
      {
        description: 'The provider with the most requests first.',
        example: { days: 7, providers: [{ provider: 'groq', error_rate: 0.0073, ...counts }] },
      },
    ],
    errors,
  },
  'GET /me/usage': {
    id: 'getMyUsage',
    tag: 'Usage',
    description: 'What the token of this request was used for.',
    parameters: period,
    answers: [{ description: 'Your part alone.', example: { days: 30, summary, chart, models: by.models } }],
    errors,
  },
};
