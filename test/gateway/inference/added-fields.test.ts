import { expect, test } from 'bun:test';
import type { UpstreamFailure } from '../../../src/core/protocol.ts';
import { noQuirks } from '../../../src/core/providers.ts';
import { createAddedFields } from '../../../src/gateway/inference/added-fields.ts';
import type { ActiveEndpoint } from '../../../src/gateway/routing/registry.ts';

const endpoint = () => ({ quirks: noQuirks }) as ActiveEndpoint;
const refusal = (rest: Partial<UpstreamFailure>): UpstreamFailure => ({
  kind: 'invalid_request',
  status: 400,
  message: null,
  param: null,
  code: null,
  retryAfterMs: null,
  body: null,
  ...rest,
});

test.each([
  ['stream_options', { message: 'Unknown field: stream_options' }, { noStreamUsage: true }],
  [
    'reasoning.summary',
    { param: 'reasoning.summary', message: 'Your organization must be verified to generate reasoning summaries.' },
    { noReasoningSummary: true },
  ],
] as const)('an endpoint that refuses %s, which ola added, is not sent it again', (field, said, quirk) => {
  const fields = createAddedFields();
  const [one, other] = [endpoint(), endpoint()];
  expect(fields.isRefused(one, refusal(said), { added: [] })).toBe(false);
  expect(fields.isRefused(one, refusal({ ...said, status: 429 }), { added: [field] })).toBe(false);
  expect(fields.quirksOf(one)).toEqual({});
  expect(fields.isRefused(one, refusal(said), { added: [field] })).toBe(true);
  expect([fields.quirksOf(one), fields.quirksOf(other)]).toEqual([quirk, {}]);
});

test('an endpoint that refuses two fields is sent neither', () => {
  const fields = createAddedFields();
  const one = endpoint();
  for (const param of ['stream_options', 'reasoning.summary']) fields.isRefused(one, refusal({ param }), { added: [param] });
  expect(fields.quirksOf(one)).toEqual({ noStreamUsage: true, noReasoningSummary: true });
});
