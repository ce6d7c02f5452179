/** A page of headless Chromium, driven by its DevTools protocol over a WebSocket, and what it did meanwhile. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the page did that somebody may want to know of. */
export interface Observed {
  /** Addresses that were asked, `data:` left out. */
  readonly requests: string[];
  /** Errors and warnings of the console, exceptions, refusals by the content security policy. */
  readonly complaints: string[];
}

export interface Browser extends AsyncDisposable {
  readonly observed: Observed;
  open(url: string): Promise<void>;
  /** Evaluates an expression in the page, waiting for a promise. @throws Error with the exception's text */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until an expression is truthy. @returns its value */
  until<T>(what: string, expression: string): Promise<T>;
  /** Clicks the first element that fits the selector and has the text, by the mouse. */
  click(selector: string, text?: string): Promise<void>;
  /** Replaces what stands in an input or a text area, as if typed. */
  type(selector: string, text: string): Promise<void>;
  choose(selector: string, label: string): Promise<void>;
  /** @param whole the page to its end, in place of what shows */
  screenshot(path: string, whole?: boolean): Promise<void>;
  emulate(look: { readonly dark?: boolean; readonly width?: number; readonly height?: number }): Promise<void>;
}

/** Nothing of Chromium's own goes out, and no name but this machine's address resolves. */
const flags = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-software-rasterizer',
  '--disable-extensions',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
  '--remote-debugging-port=0',
];
/** Generous: a browser without a graphics card on a busy machine takes seconds for a picture. */
const patienceMs = 300_000;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export async function openBrowser(program: string): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'ola-browser-'));
  const child = Bun.spawn([program, ...flags, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { PATH: process.env['PATH'] ?? '', HOME: profile },
  });
  const portFile = join(profile, 'DevToolsActivePort');
  await waitFor('the browser starts', () => existsSync(portFile) && readFileSync(portFile, 'utf8').includes('/devtools/'));
  const [port, path] = readFileSync(portFile, 'utf8').split('\n');
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });

  let last = 0;
  let session: string | undefined;
  const waiting = new Map<number, (message: Message) => void>();
  const observed: Observed = { requests: [], complaints: [] };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    else observe(message, observed);
  };
  function send<T>(method: string, params: object = {}): Promise<T> {
    const id = ++last;
    socket.send(JSON.stringify({ id, method, params, ...(session === undefined ? {} : { sessionId: session }) }));
    return new Promise((resolve, reject) => {
      const overdue = setTimeout(() => reject(new Error(`${method} is not answered`)), patienceMs);
      waiting.set(id, ({ result, error }) => {
        clearTimeout(overdue);
        waiting.delete(id);
        if (error === undefined) resolve(result as T);
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  }

  const { targetId } = await send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
  ({ sessionId: session } = await send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true }));
  for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await send(`${domain}.enable`);

  async function evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await send<{
      result: { value: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails === undefined) return result.value;
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }
  async function until<T>(what: string, expression: string): Promise<T> {
    let value: T | undefined;
    await waitFor(what, async () => {
      value = await evaluate<T>(expression);
      return Boolean(value);
    });
    return value as T;
  }
  const found = (selector: string, text = '') =>
    `[...document.querySelectorAll(${JSON.stringify(selector)})].find((e) => e.textContent.includes(${JSON.stringify(text)}))`;

  return {
    observed,
    evaluate,
    until,
    async open(url) {
      await send('Page.navigate', { url });
    },
    async click(selector, text) {
      const element = found(selector, text);
      await until(`${selector} with '${text ?? ''}' is there`, `Boolean(${element})`);
      const at = await evaluate<{ x: number; y: number }>(
        `(async () => { const e = ${element}; e.scrollIntoView({ block: 'center' }); await new Promise((r) => setTimeout(r, 150));
          const { x, y, width, height } = e.getBoundingClientRect(); return { x: x + width / 2, y: y + height / 2 }; })()`,
      );
      for (const type of ['mousePressed', 'mouseReleased'])
        await send('Input.dispatchMouseEvent', { type, ...at, button: 'left', clickCount: 1 });
    },
    async type(selector, text) {
      await until(`${selector} is there`, `Boolean(document.querySelector(${JSON.stringify(selector)}))`);
      await evaluate(`(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.focus(); e.select(); })()`);
      await send('Input.insertText', { text });
    },
    async choose(selector, label) {
      const element = `document.querySelector(${JSON.stringify(selector)})`;
      await until(`${selector} is there`, `Boolean(${element})`);
      await evaluate(`(() => { const e = ${element}; const o = [...e.options].find((o) => o.textContent.includes(${JSON.stringify(label)}));
        e.value = o.value; e.dispatchEvent(new Event('change', { bubbles: true })); })()`);
    },
    async screenshot(path, whole = false) {
      const { data } = await send<{ data: string }>('Page.captureScreenshot', { format: 'png', captureBeyondViewport: whole });
      writeFileSync(path, Buffer.from(data, 'base64'));
    },
    async emulate({ dark = false, width = 1280, height = 1000 }) {
      await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
      const value = dark ? 'dark' : 'light';
      await send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      child.kill();
      await child.exited;
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

function observe({ method, params = {} }: Message, { requests, complaints }: Observed): void {
  if (method === 'Network.requestWillBeSent') {
    const { url } = params['request'] as { url: string };
    if (!url.startsWith('data:')) requests.push(url);
  } else if (method === 'Runtime.exceptionThrown') complaints.push(`exception: ${JSON.stringify(params['exceptionDetails'])}`);
  else if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(String(params['type'])))
    complaints.push(`console: ${JSON.stringify(params['args'])}`);
  else if (method === 'Log.entryAdded') complaints.push(`log: ${JSON.stringify(params['entry'])}`);
}

async function waitFor(what: string, probe: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await probe())) {
    if (performance.now() > end) throw new Error(`it did not come about in ${patienceMs / 1000} s: ${what}`);
    await Bun.sleep(50);
  }
}
