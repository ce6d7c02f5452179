/**
 * Walks through `/docs` in Chromium as somebody new would: authorizes, makes a token, adds a provider, asks it, with the
 * page's own buttons. Fails when the page asks anybody else, complains, or keeps anything, and when it is wider than a phone.
 *
 *   bun scripts/docs-page.ts DIRECTORY_FOR_SCREENSHOTS
 *
 * The binary is dist/ola or OLA_BINARY; the browser is /usr/bin/chromium or CHROMIUM. Everything stays on loopback.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, openBrowser } from './browser.ts';

const binary = process.env['OLA_BINARY'] ?? join(import.meta.dir, '../dist/ola');
const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const adminToken = 'docs-page-admin-token-0123456789-0123456789';
const answer = 'Greetings from the other side.';

async function main(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const home = mkdtempSync(join(tmpdir(), 'ola-docs-page-'));
  const upstream = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: answerChat });
  const ola = Bun.spawn([binary, 'serve', '--demo', '--port', '0'], {
    env: { PATH: process.env['PATH'] ?? '', HOME: home, OPEN_LLM_AUTH_HOME: home, OPEN_LLM_AUTH_TOKEN: adminToken },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const address = await addressOf(ola.stdout);
    await using browser = await openBrowser(chromium);
    await walk(browser, address, `http://127.0.0.1:${upstream.port}/v1`, directory);
  } finally {
    ola.kill();
    await ola.exited;
    await upstream.stop(true);
    rmSync(home, { recursive: true, force: true });
  }
}

async function walk(browser: Browser, address: string, baseUrl: string, directory: string): Promise<void> {
  const picture = (name: string, whole = false) => {
    console.log(name);
    return browser.screenshot(join(directory, `${name}.png`), whole);
  };
  await browser.emulate({});
  await browser.open(`${address}/docs`);
  await browser.until('the reference is drawn', `document.querySelectorAll('.opblock').length > 20`);
  await picture('1-page');
  await browser.emulate({ dark: true });
  await Bun.sleep(300);
  await picture('3-dark');
  await browser.emulate({ width: 375, height: 800 });
  await checkNarrow(browser, 'the page');
  for (const id of ['Inference-createTranscription', 'Inference-createChatCompletion', 'Providers-putProvider']) {
    await browser.click(`#operations-${id} .opblock-summary-control`);
    await browser.until('it is open', `Boolean(document.querySelector('#operations-${id} .responses-table'))`);
    await Bun.sleep(300);
    await checkNarrow(browser, id);
  }
  await picture('4-narrow');
  await checkErrorsFold(browser, '#operations-Providers-putProvider');
  await browser.emulate({});

  await authorize(browser, picture);
  assert.equal((await browser.evaluate<string>(`document.body.innerHTML`)).includes(adminToken), false, 'the token shows');

  const made = await run(browser, 'Tokens-createToken');
  assert.equal(made.status, '201');
  const token = /ola_[0-9A-Za-z]{49}/.exec(made.body)?.[0];
  assert.ok(token !== undefined, `no token in ${made.body}`);
  assert.match(made.curl, /Authorization: Bearer YOUR_TOKEN/);
  assert.equal(made.curl.includes(adminToken), false, 'the command line shows the token');
  await picture('6-token');

  // The link of the introduction leads there, in this very page.
  await browser.click('.info a', 'PUT /config/providers');
  await browser.until(
    'the link opened it, and led to it',
    `(() => { const block = document.querySelector('#operations-Providers-putProvider'); const { top } = block.getBoundingClientRect();
      return block.classList.contains('is-open') && top >= 0 && top < innerHeight / 2; })()`,
  );
  await checkExampleFills(browser, '#operations-Providers-putProvider');
  const body = JSON.stringify({ baseUrl, allowLocal: true, authHeader: false, models: [{ id: 'polite' }] }, null, 2);
  const added = await run(browser, 'Providers-putProvider', { body, parameters: { id: 'mine' } });
  const effectiveUrl = `${baseUrl}/chat/completions`;
  assert.deepEqual([added.status, JSON.parse(added.body)], ['200', { status: 'ok', provider: 'mine', effectiveUrl }]);
  await picture('7-provider');

  const models = await run(browser, 'Models-listModels');
  assert.ok(models.body.includes('mine/polite'), models.body);

  const question = JSON.stringify({ model: 'mine/polite', messages: [{ role: 'user', content: 'Hello' }] }, null, 2);
  const said = await run(browser, 'Inference-createChatCompletion', { body: question });
  assert.equal(said.status, '200');
  assert.ok(said.body.includes(answer), said.body);
  await picture('8-chat');

  const demo = await run(browser, 'Inference-createChatCompletion', { example: 'The demo model' });
  assert.equal(demo.status, '200');
  assert.ok(demo.body.includes('You said'), demo.body);
  await picture('9-demo');

  await checkKept(browser, [adminToken, token]);
  const { requests, complaints } = browser.observed;
  assert.deepEqual(
    requests.filter((url) => !url.startsWith(`${address}/`) && url !== 'about:blank'),
    [],
    'it asked somebody else',
  );
  assert.deepEqual(complaints, [], 'the browser complained');
  console.log(`${requests.length} requests, all to ${address}; nothing kept; pictures in ${directory}`);
}

async function checkNarrow(browser: Browser, what: string): Promise<void> {
  const [page, screen] = await browser.evaluate<number[]>(
    `[document.documentElement.scrollWidth, document.documentElement.clientWidth]`,
  );
  assert.equal(page, screen, `${what} is wider than a phone`);
}

/** The examples of an error are shown when they are asked for. */
async function checkErrorsFold(browser: Browser, block: string): Promise<void> {
  const shown = () => browser.evaluate<number>(`document.querySelectorAll('${block} [data-code="401"] .example').length`);
  assert.equal(await shown(), 0, 'an example of an error shows');
  await browser.click(`${block} [data-code="401"] + tr .fold`);
  await browser.until('the example shows', `Boolean(document.querySelector('${block} [data-code="401"] .example'))`);
  await browser.click(`${block} [data-code="401"] + tr .fold`);
  await browser.until('it is folded', `!document.querySelector('${block} [data-code="401"] .example')`);
}

/** The id follows the example, until the user types one. */
async function checkExampleFills(browser: Browser, block: string): Promise<void> {
  const select = `${block} .examples-select-element`;
  const input = `${block} tr[data-param-name="id"] input`;
  for (const [label, id] of [
    ['A server on this machine', 'local'],
    ['A vendor by its key', 'groq'],
  ] as const) {
    await browser.choose(select, label);
    await browser.until(`the id is ${id}`, `document.querySelector('${input}').value === '${id}'`);
  }
  await browser.type(input, 'mine');
  await browser.choose(select, 'A server on this machine');
  await browser.until(
    'the example is there',
    `document.querySelector('${block} .body-param__text').value.includes('allowLocal')`,
  );
  assert.equal(await browser.evaluate(`document.querySelector('${input}').value`), 'mine', 'a typed id is gone');
}

async function authorize(browser: Browser, picture: (name: string) => Promise<void>): Promise<void> {
  await browser.click('.btn.authorize');
  // The one field, in sight and ready to be typed in.
  await browser.until(
    'the field of the token is ready',
    `document.activeElement?.id === 'auth-bearer-value' && document.querySelectorAll('.modal-ux input').length === 1 &&
      (({ top, bottom }) => top > 0 && bottom < innerHeight)(document.activeElement.getBoundingClientRect())`,
  );
  await browser.type('#auth-bearer-value', adminToken);
  await picture('5-authorize');
  await browser.click('.auth-container .btn.authorize');
  await browser.until('it is authorized', `document.querySelector('.auth-container h6')?.textContent === 'Authorized'`);
  await browser.click('.auth-container .btn-done');
}

interface Wanted {
  /** In place of the first example. */
  readonly body?: string;
  /** Part of the label of another example. */
  readonly example?: string;
  /** By name. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** Opens an operation, fills it in, executes it. @param id `Tag-operationId` */
async function run(browser: Browser, id: string, { body, example, parameters = {} }: Wanted = {}) {
  const block = `#operations-${id}`;
  const open = await browser.evaluate<boolean>(`document.querySelector('${block}').classList.contains('is-open')`);
  if (!open) await browser.click(`${block} .opblock-summary-control`);
  await browser.until(`${id} is open`, `Boolean(document.querySelector('${block} .btn.execute'))`);
  if (await browser.evaluate<boolean>(`Boolean(document.querySelector('${block} .btn-clear'))`))
    await browser.click(`${block} .btn-clear`);
  for (const [name, value] of Object.entries(parameters))
    await browser.type(`${block} tr[data-param-name="${name}"] input`, value);
  if (example !== undefined) await browser.choose(`${block} .examples-select-element`, example);
  if (body !== undefined) await browser.type(`${block} .body-param__text`, body);
  await browser.click(`${block} .btn.execute`);
  const text = (selector: string) =>
    browser.until<string>(`${id} has an answer`, `document.querySelector('${block} ${selector}')?.textContent`);
  return {
    status: (await text('.live-responses-table .response .response-col_status')).trim(),
    body: await text('.live-responses-table .response .highlight-code > .microlight'),
    curl: await text('.curl-command .curl'),
  };
}

/** A token is in the page's memory and nowhere else: a reload forgets it. */
async function checkKept(browser: Browser, secrets: readonly string[]): Promise<void> {
  const kept = await browser.evaluate<Record<string, unknown>>(`(async () => ({
    local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie, address: location.href,
    databases: await indexedDB.databases(), caches: await caches.keys(), state: history.state, name: window.name,
  }))()`);
  const { address, ...places } = kept;
  assert.deepEqual(places, { local: {}, session: {}, cookie: '', databases: [], caches: [], state: null, name: '' });
  assert.equal(
    secrets.some((secret) => String(address).includes(secret)),
    false,
    'the address has a token',
  );
  await browser.evaluate('location.reload()');
  await browser.until('it is drawn again', `document.querySelectorAll('.opblock').length > 20`);
  await browser.until('it is not authorized', `Boolean(document.querySelector('.btn.authorize.unlocked'))`);
}

function answerChat(): Response {
  const choices = [{ index: 0, message: { role: 'assistant', content: answer }, finish_reason: 'stop' }];
  const usage = { prompt_tokens: 1, completion_tokens: 5, total_tokens: 6 };
  return Response.json({ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'polite', choices, usage });
}

async function addressOf(stdout: ReadableStream<Uint8Array>): Promise<string> {
  let written = '';
  for await (const chunk of stdout.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
    written += chunk;
    const found = /listens on (http:\/\/\S+)\n.*Ctrl-C/s.exec(written)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error(`ola did not start: ${written}`);
}

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  console.error('Usage: bun scripts/docs-page.ts DIRECTORY_FOR_SCREENSHOTS');
  process.exitCode = 2;
} else await main(directory);
