/** The report of the agents' run, and that the doubles behind it refuse what the vendors refuse: a judge that takes all proves nothing. */
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { playAll, type Row, requestsIn, targets } from '../../scripts/agents/play.ts';
import { renderDocument, renderTable } from '../../scripts/agents/report.ts';
import { stepsFor } from '../../scripts/agents/steps.ts';
import { anthropic, signatureOf } from '../e2e/doubles/anthropic.ts';
import { openai } from '../e2e/doubles/openai.ts';
import type { Script } from '../e2e/doubles/script.ts';
import { type Behaviour, upstream } from '../e2e/upstream.ts';

const up = await upstream();
const directory = mkdtempSync(join(tmpdir(), 'ola-agents-'));
afterAll(async () => {
  await up.close();
  rmSync(directory, { recursive: true, force: true });
});

async function ask(double: (script: Script) => Behaviour, path: string, body: object): Promise<{ status: number; text: string }> {
  up.modes.set(
    'm',
    double(() => ({ text: 'taken' })),
  );
  const response = await fetch(`http://127.0.0.1:${up.port}${path}`, {
    method: 'POST',
    headers: { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'm', ...body }),
  });
  return { status: response.status, text: await response.text() };
}

const user = { role: 'user', content: 'x' };
const use = (id: string) => ({ type: 'tool_use', id, name: 'f', input: {} });
const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'r' });
const thinking = (text: string, signature: string) => ({ type: 'thinking', thinking: text, signature });
const marked = (text: string) => ({ type: 'text', text, cache_control: { type: 'ephemeral' } });
const budget = { thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 2048 };
const turn = (content: unknown) => ({ role: 'assistant', content });
const given = (...content: readonly unknown[]) => ({ role: 'user', content });

describe("the double of Anthropic's API refuses", () => {
  const refused: readonly (readonly [string, object, string])[] = [
    ['a request without a limit of the answer', { max_tokens: undefined, messages: [user] }, 'max_tokens'],
    ['a first turn of the assistant', { messages: [turn('x'), user] }, 'first message'],
    ['a system turn without the beta', { messages: [user, { role: 'system', content: 'x' }] }, 'Unexpected role'],
    ['an empty text', { messages: [given({ type: 'text', text: '' })] }, 'non-empty'],
    ['an id of another form', { messages: [user, turn([use('a.b')]), given(result('a.b'))] }, 'should match pattern'],
    ['a call without a result', { messages: [user, turn([use('a'), use('b')]), given(result('a'))] }, 'without `tool_result`'],
    ['a result behind a text', { messages: [user, turn([use('a')]), given(marked('x'), result('a'))] }, 'without `tool_result`'],
    ['a result without a call', { messages: [given(result('a'))] }, 'unexpected `tool_use_id`'],
    [
      'reasoning of another account',
      { messages: [user, turn([thinking('t', signatureOf('t', 'other'))])] },
      'Invalid `signature`',
    ],
    ['calls without their reasoning', { ...budget, messages: [user, turn([use('a')]), given(result('a'))] }, 'must start with'],
    ['more than four cache marks', { messages: [given(...['1', '2', '3', '4', '5'].map(marked))] }, 'maximum of 4'],
    ['a wrapper', { messages: [user, turn([thinking('t', 'ola-r1.m.s')])] }, 'wrapper'],
  ];
  for (const [what, body, words] of refused) {
    test(what, async () => {
      const { status, text } = await ask(anthropic, '/v1/messages', { max_tokens: 9, ...body });
      expect([status, text]).toEqual([400, expect.stringContaining(words.replaceAll('"', '\\"'))]);
    });
  }

  test('nothing else', async () => {
    const signed = thinking('t', signatureOf('t', 'k'));
    const messages = [user, turn([signed, use('a'), use('b')]), given(result('b'), result('a'), { type: 'text', text: 'go' })];
    expect((await ask(anthropic, '/v1/messages', { ...budget, messages })).status).toBe(200);
  });
});

describe("the double of OpenAI's API refuses", () => {
  const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
  const calls = (...ids: readonly string[]) => ({ role: 'assistant', content: null, tool_calls: ids.map(call) });
  const tool = (id: string) => ({ role: 'tool', tool_call_id: id, content: 'r' });
  const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } };
  const refused: readonly (readonly [string, object, string])[] = [
    ['a field that it does not know', { messages: [user], top_k: 1 }, 'top_k'],
    ['a choice without tools', { messages: [user], tool_choice: 'auto' }, 'only allowed when'],
    ['a call without a result', { messages: [user, calls('a', 'b'), tool('a'), user] }, 'did not have response messages: b'],
    ['a result without a call', { messages: [user, tool('a')] }, 'must be a response'],
    ['an image in a result', { messages: [user, calls('a'), { ...tool('a'), content: [picture] }] }, 'image_url'],
    ['an id that is too long', { messages: [user, calls('a'.repeat(65)), tool('a'.repeat(65))] }, 'too long'],
    ['nothing in place of a text', { messages: [{ role: 'user', content: null }] }, 'got null'],
  ];
  for (const [what, body, words] of refused) {
    test(what, async () => {
      const { status, text } = await ask(openai, '/v1/chat/completions', body);
      expect([status, text]).toEqual([400, expect.stringContaining(words)]);
    });
  }

  test('nothing else', async () => {
    const messages = [user, calls('a', 'b'), tool('b'), tool('a'), { role: 'user', content: [picture] }];
    expect((await ask(openai, '/v1/chat/completions', { messages })).status).toBe(200);
  });
});

const rowsOf = (faults: readonly string[]): Row[] =>
  targets.flatMap((target) =>
    stepsFor('/w').map((step) => ({
      step,
      target,
      faults,
      requests: ['HEAD / 404 route_not_found', 'HEAD / 404 route_not_found'],
    })),
  );

test('the report has each step, what became of it, and each kind of request once', () => {
  const document = renderDocument(rowsOf([]));
  for (const { what } of stepsFor('/w')) expect(document).toContain(`| ${what} | works | works | works |`);
  expect(document.match(/`HEAD \/ 404 route_not_found`/g)).toHaveLength(2);
  expect(renderTable(rowsOf(['it did not']))).not.toContain('works');
  expect(renderTable(rowsOf([]).slice(0, 1))).toContain('| works | not run | not run |');
});

test('requests are read from the log, but for those that configure', () => {
  const line = (fields: object) => `${JSON.stringify({ level: 'info', ...fields })}\n`;
  const log = [
    'ola listens\n',
    line({ message: 'listening' }),
    line({ message: 'request', method: 'PUT', route: '/config/providers/:id', status: 200 }),
    line({ message: 'request', method: 'POST', route: '/v1/messages', status: 502, code: 'upstream_truncated' }),
  ];
  expect(requestsIn(log.join(''))).toEqual(['POST /v1/messages 502 upstream_truncated']);
});

test('an agent that does nothing fails every step', async () => {
  const round = { binary: '', program: '/bin/true', directory, only: '', say: () => undefined };
  const [alone] = targets;
  const rows = alone === undefined ? [] : await playAll(round, alone);
  expect(rows.length).toBeGreaterThan(9);
  for (const { step, faults } of rows) expect([step.id, faults.length > 0]).toEqual([step.id, true]);
});
