/** Amazon Bedrock behind ola: signed requests, event streams, and where the keys come from. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { event, exception } from '../protocols/bedrock-converse-stream/frames.ts';
import { type Bedrock, bearer, bedrock, called, said } from './doubles/bedrock.ts';
import { adminToken, type Ola, stage } from './stage.ts';

const { directory, start } = stage();
let upstream: Bedrock;
let ola: Ola;
let openai: OpenAI;
const claude = 'aws/eu.anthropic.claude-sonnet-4-5-20250929-v1:0';
const keys = {
  AWS_ACCESS_KEY_ID: 'AKIAENVIRONMENT',
  AWS_SECRET_ACCESS_KEY: 'secret-of-the-environment',
  AWS_SESSION_TOKEN: 'token-of-the-environment',
};

/** Configures the double as Amazon Bedrock. */
async function configure(server: Ola, more: object = {}, id = 'aws'): Promise<void> {
  const provider = { baseUrl: upstream.url, api: 'bedrock-converse-stream', region: 'eu-west-1', allowLocal: true, ...more };
  const { status, text } = await server.ask('PUT', `/config/providers/${id}`, provider);
  expect([status < 300, text]).toEqual([true, text]);
}

/** A home of AWS's tools, and the variables that name it. */
function awsHome(config: string, credentials = ''): { readonly home: string; readonly env: Record<string, string> } {
  const home = directory();
  mkdirSync(join(home, '.aws/sso/cache'), { recursive: true });
  writeFileSync(join(home, '.aws/config'), config, { mode: 0o600 });
  writeFileSync(join(home, '.aws/credentials'), credentials, { mode: 0o600 });
  return { home, env: { HOME: home, OPEN_LLM_AUTH_ALLOW_LOCALHOST_EGRESS: '1' } };
}

const by = () => upstream.requests.at(-1)?.by;

beforeAll(async () => {
  upstream = bedrock();
  ola = await start({ env: keys });
  await configure(ola, { auth: 'aws-sdk' });
  openai = new OpenAI({ apiKey: adminToken, baseURL: `${ola.address}/v1`, maxRetries: 0 });
});
afterAll(() => upstream[Symbol.asyncDispose]());
beforeEach(async () => {
  upstream.answers = [said('Hello')];
  await ola.endCooldowns('aws');
});

describe('a client of OpenAI', () => {
  test('gets a whole answer, and its tokens are counted', async () => {
    const answer = await openai.chat.completions.create({ model: claude, messages: [{ role: 'user', content: 'Hi' }] });
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'Hello' } });
    expect(answer.usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 7 });
    expect(upstream.requests.at(-1)).toMatchObject({
      path: '/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse',
      accept: 'application/json',
      body: { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] },
      by: 'AKIAENVIRONMENT',
    });
  });

  test('gets a stream, with a model by the ARN of a profile of one’s own', async () => {
    const model = 'aws/arn:aws:bedrock:eu-west-1:1:application-inference-profile/ab';
    const stream = openai.chat.completions.stream({ model, messages: [{ role: 'user', content: 'Hi' }] });
    expect((await stream.finalChatCompletion()).choices[0]?.message.content).toBe('Hello');
    const path = '/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aapplication-inference-profile%2Fab/converse-stream';
    expect(upstream.requests.at(-1)).toMatchObject({ path, accept: 'application/vnd.amazon.eventstream' });
  });

  test('calls tools, whole and streamed', async () => {
    upstream.answers = [called('tide', { port: 'Emden' })];
    const request = {
      model: claude,
      messages: [{ role: 'user' as const, content: 'When?' }],
      tools: [{ type: 'function' as const, function: { name: 'tide', parameters: { type: 'object', properties: {} } } }],
    };
    const whole = await openai.chat.completions.create(request);
    const streamed = await openai.chat.completions.stream(request).finalChatCompletion();
    for (const { choices } of [whole, streamed]) {
      expect(choices[0]).toMatchObject({
        finish_reason: 'tool_calls',
        message: { tool_calls: [{ id: 'tooluse_1', function: { name: 'tide', arguments: '{"port":"Emden"}' } }] },
      });
    }
    expect(upstream.requests.at(-1)?.body).toMatchObject({ toolConfig: { tools: [{ toolSpec: { name: 'tide' } }] } });
  });

  test('is told an exception in the middle of a stream, never a clean end', async () => {
    const begin = [
      event('messageStart', { role: 'assistant' }),
      event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hel' } }),
    ];
    upstream.answers = [{ whole: {}, frames: [...begin, exception('modelStreamErrorException', 'It broke.')] }];
    const told = await ola.chat(claude, { stream: true });
    expect(told.text).toContain('Hel');
    expect(told.text).toContain('"error"');
    expect(told.text).not.toContain('[DONE]');
    upstream.answers = [{ whole: {}, frames: begin }];
    expect((await ola.chat(claude, { stream: true })).text).toContain('upstream_truncated');
  });

  test('C06: a stream that begins with an exception is a failed attempt, and the next provider answers', async () => {
    const server = await start({ env: keys });
    const provider = { baseUrl: upstream.url, api: 'bedrock-converse-stream', region: 'eu-west-1', allowLocal: true };
    const providers = { aws: { ...provider, auth: 'aws-sdk' }, spare: { ...provider, apiKey: bearer } };
    const document = { providers, providerFallback: { order: { [`chat:${claude}`]: ['spare/m'] } } };
    expect((await server.ask('POST', '/config', document)).status).toBe(200);
    upstream.answers = [{ whole: {}, frames: [exception('throttlingException', 'Too many tokens.')] }, said('Spare')];
    const { text } = await server.chat(claude, { stream: true });
    expect(text).toContain('[DONE]');
    expect(text).not.toContain('"error"');
    expect(by()).toBe('bearer');
  });
});

test('a client of Anthropic gets its events, and thinking with its signature goes back', async () => {
  const thinking = [
    event('messageStart', { role: 'assistant' }),
    event('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: 'I think.' } } }),
    event('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { signature: 'c2ln' } } }),
    event('contentBlockStop', { contentBlockIndex: 0 }),
    event('contentBlockDelta', { contentBlockIndex: 1, delta: { text: 'So.' } }),
    event('contentBlockStop', { contentBlockIndex: 1 }),
    event('messageStop', { stopReason: 'end_turn' }),
    event('metadata', { usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 } }),
  ];
  upstream.answers = [{ whole: {}, frames: thinking }];
  const anthropic = new Anthropic({ apiKey: adminToken, baseURL: ola.address, maxRetries: 0 });
  // A model of the catalog's own row: its facts say how it is asked to think.
  await configure(ola, { auth: 'aws-sdk' }, 'bedrock');
  const model = 'bedrock/eu.anthropic.claude-sonnet-4-5-20250929-v1:0';
  const request = { model, max_tokens: 4096, thinking: { type: 'enabled' as const, budget_tokens: 2048 } };
  const first = { role: 'user' as const, content: 'Think.' };
  const answer = await anthropic.messages.stream({ ...request, messages: [first] }).finalMessage();
  expect(answer.content.map(({ type }) => type)).toEqual(['thinking', 'text']);
  expect(upstream.requests.at(-1)?.body).toMatchObject({
    additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2048 } },
  });
  const history = [first, { role: 'assistant' as const, content: answer.content }, { role: 'user' as const, content: 'And?' }];
  await anthropic.messages.stream({ ...request, messages: history }).finalMessage();
  expect(upstream.requests.at(-1)?.body).toMatchObject({
    messages: [{}, { content: [{ reasoningContent: { reasoningText: { text: 'I think.', signature: 'c2ln' } } }, {}] }, {}],
  });
});

describe('embeddings', () => {
  const titan = 'bedrock/amazon.titan-embed-text-v2:0';
  const cohere = 'bedrock/eu.cohere.embed-v4:0';

  beforeAll(() => configure(ola, { auth: 'aws-sdk' }, 'bedrock'));

  test('of Titan, one text a call, in the forms of OpenAI', async () => {
    // The client asks for base64 by itself, and reads it.
    const answer = await openai.embeddings.create({ model: titan, input: 'four', dimensions: 256 });
    expect(answer.data[0]?.embedding).toHaveLength(256);
    expect(answer.data[0]?.embedding[0]).toBe(4);
    expect(answer.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
    expect(upstream.requests.at(-1)).toMatchObject({
      path: '/model/amazon.titan-embed-text-v2%3A0/invoke',
      accept: 'application/json',
      body: { inputText: 'four', dimensions: 256 },
      by: 'AKIAENVIRONMENT',
    });
  });

  test('of Cohere, for several texts, with the tokens of its header', async () => {
    const answer = await openai.embeddings.create({ model: cohere, input: ['a', 'four'], encoding_format: 'float' });
    expect(answer.data.map(({ embedding }) => embedding)).toEqual([
      [1, 0],
      [4, 0],
    ]);
    expect(answer.usage.prompt_tokens).toBe(9);
  });

  test('go to clients of Ollama and Google too', async () => {
    const vectors = [
      [1, 0],
      [4, 0],
    ];
    const ollama = await ola.ask('POST', '/api/embed', { model: cohere, input: ['a', 'four'] });
    expect([ollama.status, ollama.json]).toMatchObject([200, { embeddings: vectors, prompt_eval_count: 9 }]);
    const requests = ['a', 'four'].map((text) => ({ content: { parts: [{ text }] } }));
    const google = await ola.ask('POST', `/v1beta/models/${encodeURIComponent(cohere)}:batchEmbedContents`, { requests });
    expect([google.status, google.json]).toMatchObject([200, { embeddings: vectors.map((values) => ({ values })) }]);
  });

  test('that the model cannot make are refused before anything is sent', async () => {
    const before = upstream.requests.length;
    const two = await ola.ask('POST', '/v1/embeddings', { model: titan, input: ['a', 'b'] });
    expect([two.status, two.json['error']]).toMatchObject([400, { code: 'invalid_request', param: 'input' }]);
    const chat = await ola.ask('POST', '/v1/embeddings', { model: 'bedrock/amazon.nova-pro-v1:0', input: 'a' });
    expect([chat.status, chat.json['error']]).toMatchObject([400, { code: 'embeddings_not_supported', param: 'model' }]);
    expect(upstream.requests.length).toBe(before);
  });
});

describe('keys', () => {
  test('a Bedrock API key goes as a bearer token', async () => {
    await configure(ola, { apiKey: bearer }, 'keyed');
    expect((await ola.chat('keyed/m')).status).toBe(200);
    expect(by()).toBe('bearer');
  });

  test('of a profile named by an auth profile come before those of the environment', async () => {
    const credentials = '[default]\naws_access_key_id=AKIAPROFILE\naws_secret_access_key=secret-of-the-profile\n';
    const { env } = awsHome('[default]\nregion = eu-west-1 # here\n', credentials);
    const server = await start({ env: { ...keys, ...env } });
    await configure(server);
    const profile = { provider: 'aws', type: 'aws-sdk', metadata: { profile: 'default' } };
    expect((await server.ask('PUT', '/config/auth-profiles/aws:mine', profile)).status).toBeLessThan(300);
    expect((await server.chat('aws/m')).headers.get('x-ola-profile')).toBe('aws:mine');
    expect(by()).toBe('AKIAPROFILE');
  });

  test('of a role are asked of STS, with the keys of the profile below it', async () => {
    const config =
      '[profile base]\n[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\nregion = eu-west-1\n';
    const { env } = awsHome(config, '[base]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = secret-of-the-profile\n');
    const server = await start({ env: { ...env, AWS_PROFILE: 'work', AWS_ENDPOINT_URL_STS: upstream.url } });
    await configure(server, { auth: 'aws-sdk' });
    expect((await server.chat('aws/m')).status).toBe(200);
    expect(by()).toBe('ASIAROLE');
    expect(server.err()).not.toContain('secret-of-the');
  });

  test('of a program of the AWS files', async () => {
    const { home, env } = awsHome('');
    const program = join(home, 'give keys');
    const answer = JSON.stringify({ Version: 1, AccessKeyId: 'AKIAPROGRAM', SecretAccessKey: 'secret-of-the-program' });
    writeFileSync(program, `#!/bin/sh\n[ "$1" = "a b" ] && echo '${answer}'\n`);
    chmodSync(program, 0o700);
    writeFileSync(join(home, '.aws/config'), `[default]\ncredential_process = "${program}" 'a b'\n`, { mode: 0o600 });
    const server = await start({ env });
    await configure(server, { auth: 'aws-sdk' });
    expect((await server.chat('aws/m')).status).toBe(200);
    expect(by()).toBe('AKIAPROGRAM');
  });

  test('of a login with IAM Identity Center, until it ends', async () => {
    const session = '[sso-session corp]\nsso_start_url = https://corp.example/start\nsso_region = eu-west-1\n';
    const { home, env } = awsHome(`[default]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = Reader\n${session}`);
    const cache = join(home, '.aws/sso/cache', `${createHash('sha1').update('corp').digest('hex')}.json`);
    writeFileSync(cache, JSON.stringify({ accessToken: 'sso-token', expiresAt: '2999-01-01T00:00:00Z' }), { mode: 0o600 });
    const server = await start({ env: { ...env, AWS_ENDPOINT_URL_SSO: upstream.url } });
    await configure(server, { auth: 'aws-sdk' });
    expect((await server.chat('aws/m')).status).toBe(200);
    expect(by()).toBe('ASIALOGIN');
    writeFileSync(cache, JSON.stringify({ accessToken: 'sso-token', expiresAt: '2020-01-01T00:00:00UTC' }), { mode: 0o600 });
    const later = await start({ env: { ...env, AWS_ENDPOINT_URL_SSO: upstream.url } });
    await configure(later, { auth: 'aws-sdk' });
    expect((await later.chat('aws/m')).text).toContain('aws sso login');
  });

  test('that are nowhere are told, with the remedy, and nothing is sent', async () => {
    const { env } = awsHome('');
    const server = await start({ env });
    await configure(server, { auth: 'aws-sdk' });
    const before = upstream.requests.length;
    const { status, text } = await server.chat('aws/m');
    expect(status).toBe(502);
    expect(text).toContain('AWS_ACCESS_KEY_ID');
    expect(text).toContain('allowInstanceMetadata');
    expect(upstream.requests.length).toBe(before);
  });

  test('in a file that other users can write are not used', async () => {
    const { home, env } = awsHome('', '[default]\naws_access_key_id=AKIAPROFILE\naws_secret_access_key=secret-of-the-profile\n');
    chmodSync(join(home, '.aws/credentials'), 0o666);
    const server = await start({ env });
    await configure(server, { auth: 'aws-sdk' });
    expect((await server.chat('aws/m')).status).toBe(502);
    expect(server.err()).toContain('chmod go-w');
  });

  test('that AWS refuses are told as the provider’s matter', async () => {
    const server = await start({ env: { ...keys, AWS_SECRET_ACCESS_KEY: 'another-secret' } });
    await configure(server, { auth: 'aws-sdk' });
    const { status, text } = await server.chat('aws/m');
    expect(status).toBe(502);
    expect(text).toContain('upstream_auth_error');
    expect(text).not.toContain('another-secret');
  });
});

test('amazon-bedrock is a row: its address follows the region, and its models are listed', async () => {
  const server = await start({ env: { AWS_BEARER_TOKEN_BEDROCK: bearer, AWS_REGION: 'eu-north-1' } });
  const { json } = await server.ask('GET', '/v1/models');
  const ids = (json['data'] as unknown as readonly { readonly id: string }[]).map(({ id }) => id);
  expect(ids).toContain('amazon-bedrock/eu.anthropic.claude-sonnet-4-5-20250929-v1:0');
  const explained = await server.ask('GET', '/config/explain?model=bedrock/amazon.nova-pro-v1:0');
  expect(explained.text).toContain('AWS_BEARER_TOKEN_BEDROCK');
  expect(await addressOf(server)).toBe('https://bedrock-runtime.eu-north-1.amazonaws.com');
  const { env } = awsHome('[profile p]\nregion = ap-south-1\n');
  expect(await addressOf(await start({ env: { ...env, AWS_PROFILE: 'p' } }))).toBe(
    'https://bedrock-runtime.ap-south-1.amazonaws.com',
  );
});

/** The address of Bedrock as the catalog describes it. */
async function addressOf(server: Ola): Promise<unknown> {
  const { text } = await server.ask('GET', '/config/builtin-providers');
  return /https:\/\/bedrock-runtime[^"]*/.exec(text)?.[0];
}
