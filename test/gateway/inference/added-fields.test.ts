import { expect, test } from 'bun:test';
import type { UpstreamFailure } from '../../../src/core/protocol.ts';
import { noQuirks } from '../../../src/core/providers.ts';
import { createAddedFields } from '../../../src/gateway/inference/added-fields.ts';
import type { ActiveEndpoint } from '../../../src/gateway/routing/registry.ts';

const endpointOf = (): ActiveEndpoint => ({ quirks: noQuirks }) as ActiveEndpoint;
const refusal = (message: string, more: Partial<UpstreamFailure> = {}): UpstreamFailure => ({
  kind: 'invalid_request',
  status: 400,
  message,
  param: null,
  code: null,
  retryAfterMs: null,
  body: null,
  ...more,
});

test('a model that cannot think is not told to any more; other models of the same server are', () => {
  const fields = createAddedFields();
  const endpoint = endpointOf();
  const cannot = { endpoint, model: 'gemma3' };
  expect(fields.quirksOf(cannot)).toBe(noQuirks);
  expect(fields.isRefused(cannot, refusal('"gemma3" does not support thinking'), { added: ['think'] })).toBe(true);
  expect(fields.quirksOf(cannot)).toEqual({ noThink: true });
  expect(fields.quirksOf(cannot)).toBe(fields.quirksOf(cannot));
  expect(fields.quirksOf({ endpoint, model: 'qwen3' })).toEqual(noQuirks);
  expect(fields.quirksOf({ endpoint: endpointOf(), model: 'gemma3' })).toBe(noQuirks);
});

test('a server that refuses the usage of streams is learned once for all of its models, those known already too', () => {
  const fields = createAddedFields();
  const endpoint = endpointOf();
  fields.isRefused({ endpoint, model: 'a' }, refusal('no thinking here'), { added: ['think'] });
  const failure = refusal('Unrecognized request argument', { param: 'stream_options' });
  expect(fields.isRefused({ endpoint, model: 'b' }, failure, { added: ['stream_options'] })).toBe(true);
  expect(fields.quirksOf({ endpoint, model: 'a' })).toEqual({ noThink: true, noStreamUsage: true });
  expect(fields.quirksOf({ endpoint, model: 'c' })).toEqual({ noStreamUsage: true });
});

test('an organisation that may have no summaries of reasoning is not asked for them again', () => {
  const fields = createAddedFields();
  const asked = { endpoint: endpointOf(), model: 'a' };
  const failure = refusal('Your organization must be verified to generate reasoning summaries.', { param: 'reasoning.summary' });
  expect(fields.isRefused(asked, failure, { added: ['reasoning.summary'] })).toBe(true);
  expect(fields.quirksOf({ ...asked, model: 'b' })).toEqual({ noReasoningSummary: true });
});

test('a refusal is ola’s to answer for only when it names a field that ola added', () => {
  const fields = createAddedFields();
  const asked = { endpoint: endpointOf(), model: 'a' };
  const added = { added: ['think'] };
  expect(fields.isRefused(asked, refusal('model is required'), added)).toBe(false);
  expect(fields.isRefused(asked, refusal('does not support thinking'), { added: [] })).toBe(false);
  expect(fields.isRefused(asked, refusal('does not support thinking', { status: 404 }), added)).toBe(false);
  expect(fields.isRefused(asked, refusal('bad tools'), { added: ['tools'] })).toBe(false);
});

test('models that are remembered are bounded: the oldest is forgotten', () => {
  const fields = createAddedFields();
  const endpoint = endpointOf();
  for (let at = 0; at <= 256; at++) {
    fields.isRefused({ endpoint, model: `m${at}` }, refusal('does not support thinking'), { added: ['think'] });
  }
  expect(fields.quirksOf({ endpoint, model: 'm0' })).toEqual(noQuirks);
  expect(fields.quirksOf({ endpoint, model: 'm1' })).toEqual({ noThink: true });
  expect(fields.quirksOf({ endpoint, model: 'm256' })).toEqual({ noThink: true });
});
