/** The way of somebody who has just built ola: start, copy the printed line, use the official client. */
import { expect, test } from 'bun:test';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI, { AuthenticationError, BadRequestError, NotFoundError, UnprocessableEntityError } from 'openai';
import { pathWithCurl } from './sandbox.ts';
import { type Ola, request, stage } from './stage.ts';
import { type completion, event, stream } from './upstream.ts';

const { run, start, directory, upstream } = stage();

/** As typed in an empty directory: no home and no token in the environment. */
async function demo(
  cwd: string,
  home = directory(),
): Promise<{ readonly ola: Ola; readonly token: string; readonly home: string }> {
  const ola = await start({ args: ['--demo'], cwd, home, env: { OPEN_LLM_AUTH_HOME: '', OPEN_LLM_AUTH_TOKEN: '' } });
  const token = /ola_[0-9A-Za-z]{49}/.exec(ola.out())?.[0] ?? '';
  return { ola, token, home };
}

test('the printed curl line, copied as it is into a shell, gets an answer', async () => {
  const { ola } = await demo(directory());
  const line = /^ {4}(curl (?:.*\\\n)*.*)$/m.exec(ola.out())?.[1] ?? '';
  expect(line).toContain(`${ola.address}/v1/chat/completions`);
  const shell = Bun.spawn(['sh', '-c', line], { env: { PATH: pathWithCurl(directory()) }, stderr: 'ignore' });
  const said = JSON.parse(await new Response(shell.stdout).text()) as ReturnType<typeof completion> & OpenAI.ChatCompletion;
  expect(said.choices[0]?.message.content).toBe('You said: Hello');
});

test('all state of the demo is in a folder of the default home, for its owner alone, and nothing is in the working directory', async () => {
  const cwd = directory();
  const { home } = await demo(cwd);
  expect(readdirSync(cwd)).toEqual([]);
  const defaultHome = join(home, '.open_llm_auth');
  expect(readdirSync(defaultHome)).toEqual(['demo']);
  const demoHome = join(defaultHome, 'demo');
  for (const path of [defaultHome, demoHome]) expect(statSync(path).mode & 0o777).toBe(0o700);
  const modes = readdirSync(demoHome).map((name) => `${name} ${(statSync(join(demoHome, name)).mode & 0o777).toString(8)}`);
  expect(modes.filter((line) => !line.endsWith(' 600'))).toEqual([]);
  expect(existsSync(join(demoHome, 'runtime_state.sqlite3'))).toBe(true);
});

test('each start of the demo prints a fresh token; those of the eight newest starts are valid', async () => {
  const home = directory();
  const tokens: string[] = [];
  let answers: number[] = [];
  for (let started = 0; started < 9; started++) {
    const { ola, token } = await demo(directory(), home);
    tokens.push(token);
    const models = (each: string) => request(`${ola.address}/v1/models`, 'GET', { authorization: `Bearer ${each}` });
    answers = (await Promise.all(tokens.map(models))).map(({ status }) => status);
    ola.kill('SIGTERM');
    expect(await ola.exited).toBe(0);
    if (started < 8) expect(answers).toEqual(tokens.map(() => 200));
  }
  expect(new Set(tokens).size).toBe(9);
  expect(answers).toEqual([401, ...Array.from({ length: 8 }, () => 200)]);
});

test('while the demo is the only server, reads and tokens are about it, and say so; a change is about it with --demo alone', async () => {
  const home = directory();
  const { ola } = await demo(directory(), home);
  const typed = (...args: readonly string[]) => run(args, { home, env: { OPEN_LLM_AUTH_HOME: '' } });
  const defaultHome = join(home, '.open_llm_auth');
  const said = `No server runs on ${defaultHome}. This is about the demo that runs, in ${join(defaultHome, 'demo')}.\n`;

  const made = await typed('token', 'create', 'laptop');
  expect(made).toMatchObject({ code: 0, err: said });
  const authorization = `Bearer ${made.out.trim()}`;
  expect((await request(`${ola.address}/v1/models`, 'GET', { authorization })).status).toBe(200);
  expect(await typed('status')).toMatchObject({ code: 0, err: said, out: expect.stringContaining(ola.address) });
  expect(JSON.parse((await typed('status', '--json')).out)).toMatchObject({
    healthy: true,
    providers: [{ id: 'demo', usable: true }],
  });

  const own = await typed('config', 'set', 'defaultModel', 'demo/own');
  expect(own).toMatchObject({ code: 0, err: expect.stringContaining(`This was about ${defaultHome}. With --demo`) });
  expect(await typed('config', 'get', 'defaultModel')).toMatchObject({ code: 1 });
  expect(await typed('config', 'set', 'defaultModel', 'demo/echo', '--demo')).toMatchObject({ code: 0, err: '' });
  expect((await typed('config', 'get', 'defaultModel')).out).toBe('demo/echo\n');

  const server = await start({ home, env: { OPEN_LLM_AUTH_HOME: '' } });
  expect((await typed('config', 'get', 'defaultModel')).out).toBe('demo/own\n');
  expect(await typed('status')).toMatchObject({ code: 0, err: '', out: expect.stringContaining(server.address) });
});

test('the demo prints address, token, variables and Python once each, and logs nothing of them', async () => {
  const { ola, token } = await demo(directory());
  expect(ola.out()).toStartWith(`ola 0.1.0 listens on ${ola.address}\n`);
  expect(ola.out()).toContain(`OPENAI_BASE_URL=${ola.address}/v1 OPENAI_API_KEY=${token} CLIENT\n`);
  expect(ola.out()).not.toContain('export');
  expect(ola.out()).toContain(`OpenAI(base_url="${ola.address}/v1", api_key="${token}")`);
  expect(ola.err()).not.toContain(token);
});

const messages = [{ role: 'user' as const, content: 'one two three' }];

test('the openai package, unchanged, against the demo: chat, stream, stream with usage, models', async () => {
  const { ola, token } = await demo(directory());
  const client = new OpenAI({ baseURL: `${ola.address}/v1`, apiKey: token, maxRetries: 0 });
  const whole = await client.chat.completions.create({ model: 'demo/echo', messages });
  expect(whole.choices[0]?.message.content).toBe('You said: one two three');
  expect(whole.usage?.total_tokens).toBeGreaterThan(3);

  const pieces: OpenAI.ChatCompletionChunk[] = [];
  for await (const piece of await client.chat.completions.create({ model: 'demo/echo', messages, stream: true }))
    pieces.push(piece);
  expect(pieces.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('You said: one two three');
  expect(pieces.some(({ usage }) => usage !== undefined && usage !== null)).toBe(false);

  const options = { model: 'demo/echo', messages, stream: true, stream_options: { include_usage: true } } as const;
  const counted: OpenAI.ChatCompletionChunk[] = [];
  for await (const piece of await client.chat.completions.create(options)) counted.push(piece);
  expect(counted.at(-1)?.usage).toEqual(whole.usage!);

  const listed: string[] = [];
  for await (const model of client.models.list()) listed.push(model.id);
  expect(listed).toContain('demo/echo');
  expect(await client.models.retrieve('demo/echo')).toMatchObject({ id: 'demo/echo', object: 'model', owned_by: 'demo' });
});

test('the openai package meets the errors it knows', async () => {
  const { ola, token } = await demo(directory());
  const client = (apiKey: string) => new OpenAI({ baseURL: `${ola.address}/v1`, apiKey, maxRetries: 0 });
  const caught = (call: PromiseLike<unknown>) =>
    Promise.resolve(call).then(
      () => null,
      (error: unknown) => error,
    );
  const ask = (model: string, list: OpenAI.ChatCompletionMessageParam[], apiKey = token) =>
    caught(client(apiKey).chat.completions.create({ model, messages: list }));
  expect(await ask('demo/echo', messages, 'sk-wrong')).toBeInstanceOf(AuthenticationError);
  const missing = await ask('demo/nothing', messages);
  expect(missing).toBeInstanceOf(NotFoundError);
  expect(missing).toMatchObject({ code: 'model_not_found', param: 'model', type: 'invalid_request_error' });
  expect(await caught(client(token).models.retrieve('demo/nothing'))).toBeInstanceOf(NotFoundError);
  expect(await ask('demo/echo', [])).toBeInstanceOf(UnprocessableEntityError);
  expect(await ask('demo/echo', [{} as never])).toBeInstanceOf(BadRequestError);
});

test('the openai package against an upstream that is configured: chat, stream helper, tool calls, a stream that breaks', async () => {
  const ola = await start();
  const up = await upstream();
  await ola.addProvider('acme', up);
  const { token } = (await ola.ask('POST', '/config/tokens', { name: 'client' })).json as unknown as { token: string };
  const client = new OpenAI({ baseURL: `${ola.address}/v1`, apiKey: token, maxRetries: 0 });
  expect((await client.chat.completions.create({ model: 'acme/any', messages })).choices[0]?.message.content).toBe('Hello');

  const { data, response } = await client.chat.completions.create({ model: 'acme/any', messages }).withResponse();
  expect(data.usage?.prompt_tokens).toBe(11);
  expect(response.headers.get('x-request-id')).toStartWith('req_');

  const call = (index: number, more: object) => ({
    choices: [{ index: 0, delta: { role: 'assistant', tool_calls: [{ index, ...more }] }, finish_reason: null }],
  });
  const finish = { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] };
  const opened = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":' } };
  up.modes.set(
    'tools',
    stream(
      event('', call(0, opened)),
      event('', call(0, { function: { arguments: '"Oslo"}' } })),
      event('', finish),
      'data: [DONE]\n\n',
    ),
  );
  const final = await client.chat.completions.stream({ model: 'acme/tools', messages }).finalChatCompletion();
  expect(final.choices[0]?.message.tool_calls?.[0]).toMatchObject({
    id: 'call_1',
    function: { name: 'weather', arguments: '{"city":"Oslo"}' },
  });

  up.modes.set('breaks', stream(event('Hel')));
  const seen: string[] = [];
  const broken = (async () => {
    for await (const piece of await client.chat.completions.create({ model: 'acme/breaks', messages, stream: true })) {
      seen.push(piece.choices[0]?.delta.content ?? '');
    }
  })();
  expect(
    await broken.then(
      () => null,
      (error: unknown) => error,
    ),
  ).toBeInstanceOf(OpenAI.APIError);
  expect(seen).toEqual(['Hel']);
});
