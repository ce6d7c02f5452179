import { describe, expect, test } from 'bun:test';
import { createRedactor } from '../../src/core/redaction.ts';
import type { EndedRequest } from '../../src/core/request-log.ts';
import { createRequestLog, type RequestLogOptions } from '../../src/runtime/request-log.ts';

const at = Date.parse('2026-11-21T12:01:33.500Z');
const chat: EndedRequest = {
  at,
  requestId: 'req_1',
  subject: 'tok_1',
  tokenId: 'tok_1',
  method: 'POST',
  route: '/v1/chat/completions',
  status: 200,
  code: null,
  requested: 'groq/llama',
  provider: 'groq',
  model: 'llama',
  failedAttempts: 0,
  firstByteMs: 180,
  totalMs: 820,
  promptTokens: 29,
  completionTokens: 64,
  routine: false,
};
const refused: EndedRequest = {
  ...chat,
  ...{ subject: null, tokenId: null, status: 401, code: 'invalid_api_key', requested: null, provider: null, model: null },
  ...{ firstByteMs: null, totalMs: 0, promptTokens: null, completionTokens: null },
};

function open(options: Partial<RequestLogOptions> = {}) {
  const written: string[] = [];
  const log = createRequestLog({
    level: 'info',
    format: 'pretty',
    enabled: () => true,
    write: (text) => void written.push(text),
    unwritten: () => 0,
    redact: (text) => text,
    nameOf: (id) => (id === 'tok_1' ? 'laptop' : null),
    ...options,
  });
  const lines = (...requests: readonly EndedRequest[]) => {
    for (const each of requests) log.add(each);
    log.flush();
    return written.splice(0).join('').split('\n').slice(0, -1);
  };
  const line = (more: Partial<EndedRequest>) => lines({ ...chat, ...more })[0] ?? '';
  return { log, written, lines, line };
}

describe('a line for people', () => {
  const { line, lines } = open();

  test('has its columns below each other', () => {
    expect(
      lines(chat, refused, { ...chat, method: 'GET', route: '/v1/models', requested: null, provider: null, model: null }),
    ).toEqual([
      '12:01:33  POST /v1/chat/completions    200  laptop        groq/llama -> groq  180/820 ms  29+64 tokens  req_1',
      '12:01:33  POST /v1/chat/completions    401  -             invalid_api_key  0 ms  req_1',
      '12:01:33  GET /v1/models               200  laptop        180/820 ms  29+64 tokens  req_1',
    ]);
  });

  test('keeps the columns below each other when a longer name comes, within limits', () => {
    const names: Record<string, string> = { a: 'laptop', b: 'n'.repeat(20), c: 'n'.repeat(40) };
    const { lines: written } = open({ nameOf: (id) => names[id] ?? null });
    const columns = (...ids: string[]) =>
      written(...ids.map((tokenId) => ({ ...chat, tokenId }))).map((line) => line.indexOf('groq/'));
    expect(columns('a')).toEqual([58]);
    expect(columns('a', 'b', 'a')).toEqual([66, 66, 66]);
    expect(columns('c', 'a')).toEqual([86, 70]);
  });

  test('says who answered, when that is not what was asked for', () => {
    expect(line({ requested: 'llama' })).toContain('  llama -> groq  ');
    expect(line({ requested: 'fast' })).toContain('  fast -> groq/llama  ');
    expect(line({ requested: '' })).toContain('  default -> groq/llama  ');
    expect(line({ provider: null, model: null })).toContain('  groq/llama  ');
    expect(line({ failedAttempts: 2 })).toContain('  groq/llama -> groq (2 failed before)  ');
  });

  test('says what is not known', () => {
    expect(line({ promptTokens: null })).toContain('  ?+64 tokens  ');
    expect(line({ firstByteMs: null })).toContain('  820 ms  ');
    expect(line({ subject: 'legacy-admin', tokenId: null })).toContain('  legacy-admin  ');
    expect(line({ subject: 'tok_2', tokenId: 'tok_2' })).toContain('  tok_2  ');
  });
});

test('a line for machines is one JSON object with what is known', () => {
  const { lines } = open({ format: 'json' });
  expect(lines(chat, refused).map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      time: '2026-11-21T12:01:33.500Z',
      level: 'info',
      message: 'request',
      request: 'req_1',
      method: 'POST',
      route: '/v1/chat/completions',
      status: 200,
      principal: 'tok_1',
      token: 'laptop',
      model: 'groq/llama',
      provider: 'groq',
      upstreamModel: 'llama',
      firstByteMs: 180,
      totalMs: 820,
      promptTokens: 29,
      completionTokens: 64,
    },
    {
      time: '2026-11-21T12:01:33.500Z',
      level: 'info',
      message: 'request',
      request: 'req_1',
      method: 'POST',
      route: '/v1/chat/completions',
      status: 401,
      code: 'invalid_api_key',
      totalMs: 0,
    },
  ]);
});

describe('what others chose', () => {
  const fields = ['requestId', 'method', 'route', 'requested', 'provider', 'model', 'subject'] as const;

  test('breaks no line, drives no terminal and passes for no other column', () => {
    for (const format of ['pretty', 'json'] as const) {
      const { lines } = open({ format });
      for (const field of fields) {
        const [line = '', ...others] = lines({
          ...chat,
          tokenId: null,
          [field]: 'a\u001b[2J\r\n12:00:00  GET /x  200  \u202eadmin\u2028\u0000b',
        });
        expect([format, field, others]).toEqual([format, field, []]);
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }
    }
    const { line } = open();
    expect(line({ requested: 'x  200  admin' })).toContain('  "x  200  admin" -> groq/llama  ');
    expect(line({ requested: 'say "hi"' })).toContain('  "say \\"hi\\"" -> groq/llama  ');
  });

  test('is cut', () => {
    for (const format of ['pretty', 'json'] as const) {
      const { lines } = open({ format, nameOf: () => 'n'.repeat(1000) });
      const long = Object.fromEntries(fields.map((field) => [field, '\u{1F600}x'.repeat(500)]));
      const [line = ''] = lines({ ...chat, ...long });
      expect(line.length).toBeLessThan(1000);
      expect(line).not.toMatch(/[\uD800-\uDFFF](?<!\p{Extended_Pictographic})/u);
    }
  });

  test('is redacted before it is cut, once for all lines of a batch', () => {
    const secret = `zq${'s'.repeat(98)}`;
    const redactor = createRedactor(() => [secret, 'a secret\nof two lines']);
    let calls = 0;
    const redact = (text: string) => {
      calls++;
      return redactor(text);
    };
    const { lines } = open({ redact, nameOf: () => `for ${secret}` });
    const leaky = {
      requested: `${'m'.repeat(50)}${secret}`,
      route: `/v1/${secret}`,
      requestId: secret,
      method: secret,
      model: secret,
      provider: secret,
    };
    const all = lines(...Array.from({ length: 50 }, () => ({ ...chat, ...leaky }))).join('\n');
    expect(calls).toBe(1);
    expect(all).not.toContain('zqs');
    expect(all).toContain('[REDACTED]');
  });

  test('is redacted value by value when a secret reaches over two of them', () => {
    const { lines } = open({ redact: createRedactor(() => ['one-half\nother-half']), nameOf: () => 'one-half' });
    const found = lines({ ...chat, method: 'other-half' }, chat);
    expect(found).toHaveLength(2);
    expect(found[1]).toContain('groq/llama -> groq');
  });
});

describe('lines', () => {
  test('are written together: at 200 at once, else a moment later', async () => {
    const { log, written } = open();
    for (let n = 0; n < 199; n++) log.add(chat);
    expect(written).toEqual([]);
    log.add(chat);
    expect(written.map((text) => text.split('\n').length - 1)).toEqual([200]);
    log.add(chat);
    expect(written).toHaveLength(1);
    while (written.length < 2) await Bun.sleep(10);
    expect(written[1]?.split('\n')).toHaveLength(2);
    log.flush();
    expect(written).toHaveLength(2);
  });

  test('are of the level info, those of probes of debug', () => {
    const probe = { ...chat, routine: true };
    const count = (level: RequestLogOptions['level']) => open({ level }).lines(chat, probe).length;
    expect([count('debug'), count('info'), count('warn'), count('error')]).toEqual([2, 1, 0, 0]);
    expect(['debug', 'info', 'warn', 'error'].map((level) => open({ level: level as 'info' }).log.on())).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(open({ enabled: () => false }).log.on()).toBe(false);
  });

  test('that a slow reader would pile up in memory are left out and counted', () => {
    for (const format of ['pretty', 'json'] as const) {
      let unwritten = 0;
      const { lines } = open({ format, unwritten: () => unwritten });
      unwritten = 9 * 1024 * 1024;
      expect(lines(chat, chat)).toEqual([]);
      expect(lines(chat)).toEqual([]);
      unwritten = 0;
      const [gap = '', line = '', ...more] = lines(chat);
      expect(gap).toMatch(format === 'json' ? /"requests":3/ : /^ +3 requests are missing here/);
      expect(line).toContain('req_1');
      expect(more).toEqual([]);
      expect(lines(chat)).toHaveLength(1);
    }
  });
});
