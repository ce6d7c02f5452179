import { expect, test } from 'bun:test';
import type { ProviderState } from '../../src/core/providers.ts';
import { type StartSummary, welcome } from '../../src/serve/welcome.ts';

const token = `ola_${'x'.repeat(49)}`;
const openai: ProviderState = { id: 'openai', usable: true, keys: ['OPENAI_API_KEY'], why: null };
const mistral: ProviderState = { id: 'mistral', usable: false, keys: [], why: 'MY_KEY is not set' };
const local: ProviderState = { id: 'local', usable: true, keys: [], why: null };
const said = (facts: Partial<StartSummary>) =>
  welcome({
    address: 'http://127.0.0.1:8080',
    version: '0.1.0',
    token: null,
    open: false,
    providers: [],
    model: null,
    demo: false,
    home: '/home/me/.open_llm_auth',
    configFile: null,
    ...facts,
  });

test('no printed command has a variable in it that its reader has not set', () => {
  for (const facts of [
    {},
    { token },
    { open: true },
    { token, providers: [openai], model: 'openai/gpt-5' },
    { providers: [mistral] },
  ])
    expect(said(facts)).not.toContain('$');
});

test('without a usable provider the next command needs no token: it stores a key', () => {
  for (const providers of [[], [mistral]]) {
    expect(said({ providers })).toContain('No provider can be used yet.');
    expect(said({ providers })).toContain('\n    ola config set providers.openai.apiKey\n');
  }
});

test('a provider that lists no model counts as usable, and its name stands in the example', () => {
  const text = said({ token, providers: [local] });
  expect(text).not.toContain('No provider can be used yet');
  expect(text).toContain('"model":"local/MODEL"');
});

test('the providers are in one line: those that can be used, and why others cannot', () => {
  expect(said({ providers: [openai, local, mistral] })).toContain(
    '\n  Providers: openai (OPENAI_API_KEY), local; mistral: MY_KEY is not set\n',
  );
  expect(said({ providers: [mistral] })).toContain('\n  Providers: none can be used; mistral: MY_KEY is not set\n');
});
