/** Failures by a status, inside a 200 and in a stream, and when a client may come back. */
import type { Call } from '../player.ts';
import { type Behaviour, completion } from '../upstream.ts';
import { chunkOf, done, finish, json, type Row, said, sends } from './making.ts';

/** Failures: by a status, inside a 200, and in a stream. */
const words = { message: 'the words', type: 'their_type', param: 'messages', code: 'their_code' };
const failure = { error: words };
const passed = [400, 404, 409, 413, 422, 429, 503, 529] as const;
const nine: readonly (readonly [what: string, body: string])[] = [
  ['a list', '[{"error":{"message":"the words"}}]'],
  ['detail as a text', '{"detail":"the words"}'],
  ['detail as a list', '{"detail":[{"loc":["body"],"msg":"the words"}]}'],
  ['errors', '{"errors":[{"message":"the words"}]}'],
  ['an object as message', '{"object":"error","message":{"detail":[{"msg":"the words"}]}}'],
  ['error as a text', '{"error":"the words"}'],
  ['error_msg', '{"error_code":1,"error_msg":"the words"}'],
  ['msg', '{"code":1,"msg":"the words"}'],
  ['JSON inside a text', '{"error":{"message":"{\\"error\\":{\\"message\\":\\"the words\\"}}"}}'],
  ['an event', 'data: {"error":{"message":"the words"}}\n\n'],
];
export const failures: readonly Row[] = [
  ...passed.map((status): Row => [`${status} with words`, 'chat', json(failure, status), 'same']),
  ...passed.map((status): Row => [`${status} with words for a stream`, 'stream', json(failure, status), 'same']),
  ['400 labelled text/plain', 'chat', json(failure, 400, { 'content-type': 'text/plain' }), 'same'],
  ['400 behind a byte order mark', 'chat', json(`\uFEFF${JSON.stringify(failure)}`, 400), 'same'],
  ['400 with Content-Encoding: identity', 'chat', json(failure, 400, { 'content-encoding': 'Identity' }), 'same'],
  [
    '400 of events, for a stream',
    'stream',
    json(`data: ${JSON.stringify(failure)}\n\n`, 400, { 'content-type': 'text/event-stream' }),
    { told: 'upstream_http_error', status: 400, says: /the words/ },
  ],
  ['408 with words', 'chat', json(failure, 408), 'same'],
  ...[401, 402, 403].map(
    (status): Row => [`${status}`, 'chat', json(failure, status), { told: 'upstream_auth_error', status: 502 }],
  ),
  ...[405, 418, 500, 501, 502].map(
    (status): Row => [`${status}`, 'chat', json(failure, status), { told: 'upstream_http_error', status: 502 }],
  ),
  ['504', 'chat', json(failure, 504), { told: 'upstream_timeout', status: 504 }],
  [
    '400 as a page',
    'chat',
    json('<html>words</html>', 400, { 'content-type': 'text/html' }),
    { told: 'upstream_http_error', status: 400 },
  ],
  ['503 without a body', 'chat', json('', 503), { told: 'upstream_http_error', status: 503 }],
  ...nine.map(
    ([what, body]): Row => [
      `400 that says it in ${what}`,
      'chat',
      json(body, 400),
      { told: 'upstream_http_error', status: 400, says: /the words/ },
    ],
  ),
  [
    '200 with an error of a numeric code',
    'chat',
    json({ error: { code: 429, message: 'the words' } }),
    { told: 'upstream_http_error', status: 429, says: /the words/ },
  ],
  [
    '200 with an error of a code in words',
    'chat',
    json({ error: { code: 'rate_limit_exceeded', message: 'the words' } }),
    { told: 'upstream_http_error', status: 429 },
  ],
  ['200 with an error as a text', 'chat', json({ error: 'the words' }), { told: 'upstream_http_error', status: 502 }],
  ['200 with an empty error', 'chat', json({ ...completion('Hello'), error: '' }), 'same'],
  ['200 with error: null', 'chat', json({ ...completion('Hello'), error: null }), 'same'],
  [
    '200 with object: error',
    'chat',
    json({ object: 'error', message: 'the words', code: 400 }),
    { told: 'upstream_http_error', status: 400, says: /the words/ },
  ],
  [
    '200 with an error beside choices',
    'chat',
    json({ choices: [{ index: 0, message: { content: 'Hel' } }], error: { message: 'the words' } }),
    { told: 'upstream_http_error', status: 502 },
  ],
  [
    '200 with an error in the choice',
    'chat',
    json({ choices: [{ index: 0, message: { content: 'Hel' }, error: { code: 503, message: 'the words' } }] }),
    { told: 'upstream_http_error', status: 503 },
  ],
  ...[
    '{"choices":[]}',
    '{"choices":[null]}',
    '{"choices":[{"index":0}]}',
    '{"choices":null}',
    '{"detail":"x"}',
    '[]',
    'null',
  ].map(
    (body): Row => [
      `200 ${body}`,
      'chat',
      json(body),
      { told: /choices":\[/.test(body) ? 'upstream_http_error' : 'provider_error', status: 502 },
    ],
  ),
  [
    'an error as first event',
    'stream',
    sends(`data: {"error":{"code":429,"message":"the words"}}\n\n${done}`),
    { told: 'upstream_http_error', status: 429, says: /the words/ },
  ],
  [
    'an error as first event that names what clients know',
    'stream',
    sends(`data: {"error":{"code":"context_length_exceeded","message":"the words"}}\n\n`),
    { told: 'upstream_http_error', status: 400, code: 'context_length_exceeded' },
  ],
  [
    'a named error as first event',
    'stream',
    sends('event: error\ndata: {"message":"the words"}\n\n'),
    { told: 'upstream_http_error', status: 502 },
  ],
  [
    'a JSON error for a stream',
    'stream',
    json({ error: { code: 429, message: 'the words' } }),
    { told: 'upstream_http_error', status: 429, says: /the words/ },
  ],
  [
    'an error behind text',
    'stream',
    sends(`${said}data: {"error":{"message":"the words"}}\n\n${done}`),
    { told: 'upstream_http_error', after: 'Hello' },
  ],
  [
    'a named error behind text',
    'stream',
    sends(`${said}event: error\ndata: {"message":"the words"}\n\n`),
    { told: 'upstream_http_error', after: 'Hello' },
  ],
  [
    'object: error behind text',
    'stream',
    sends(`${said}data: {"object":"error","message":"the words"}\n\n${done}`),
    { told: 'upstream_http_error', after: 'Hello' },
  ],
  [
    'an error in the choice behind text',
    'stream',
    sends(said + finish('error', { error: { code: 502, message: 'the words' } }) + done),
    { told: 'upstream_http_error', after: 'Hello' },
  ],
  [
    'finish_reason: error behind text',
    'stream',
    sends(said + finish('error') + done),
    { told: 'upstream_http_error', after: 'Hello' },
  ],
  [
    'detail as the only event',
    'stream',
    sends(`data: {"detail":"the words"}\n\n${done}`),
    { told: 'provider_error', status: 502 },
  ],
];

/** When to come back. */
const hint = (
  what: string,
  status: number,
  headers: Readonly<Record<string, string>>,
  seconds: string | null,
  body: object = failure,
  more: Readonly<Record<string, string | null>> = {},
): Row => [`${status} with ${what}`, 'chat', json(body, status, headers), { headers: { 'retry-after': seconds, ...more } }];
export const hints: readonly Row[] = [
  hint('nothing', 429, {}, '2'),
  hint('seconds', 429, { 'retry-after': '7' }, '7'),
  hint('milliseconds', 429, { 'retry-after-ms': '1500' }, '2'),
  hint('decimals', 429, { 'retry-after': '1.5' }, '2'),
  hint('two values', 429, { 'retry-after': '5, 9' }, '9'),
  hint('a date', 429, { 'retry-after': 'Wed, 21 Oct 2026 07:28:09 GMT', date: 'Wed, 21 Oct 2026 07:28:00 GMT' }, '9'),
  hint('a negative number', 429, { 'retry-after': '-5' }, '2'),
  hint('retryDelay', 429, {}, '7', { error: { code: 429, message: 'm', details: [{ '@type': 'x', retryDelay: '7s' }] } }),
  hint('a reset header of OpenAI', 429, { 'x-ratelimit-reset-requests': '1m30s', 'x-ratelimit-reset-tokens': '20ms' }, '90'),
  hint(
    'a reset header of Anthropic',
    429,
    { 'anthropic-ratelimit-requests-reset': '2026-10-21T07:28:09Z', date: 'Wed, 21 Oct 2026 07:28:00 GMT' },
    '9',
  ),
  hint('seconds', 503, { 'retry-after': '12' }, '12'),
  hint('seconds', 529, { 'retry-after': '12' }, '12'),
  hint('nothing', 503, {}, '2'),
  hint('x-should-retry', 429, { 'x-should-retry': 'false' }, '2', failure, { 'x-should-retry': 'false' }),
  hint('x-should-retry', 400, { 'x-should-retry': 'true' }, null, failure, { 'x-should-retry': 'true' }),
  hint(
    'a quota that is used up',
    429,
    {},
    null,
    { error: { message: 'm', code: 'insufficient_quota' } },
    { 'x-should-retry': 'false' },
  ),
];

/** A failure of the first of two credentials: the second one's answer is the client's. */
export const firstFails: readonly (readonly [what: string, call: Call, sends: Behaviour])[] = [
  ['429', 'chat', json(failure, 429)],
  ['429 for a stream', 'stream', json(failure, 429)],
  ['an error under 200', 'chat', json({ error: { code: 429, message: 'm' } })],
  ['no choices', 'chat', json({ choices: [] })],
  ['a JSON error for a stream', 'stream', json({ error: { code: 503, message: 'm' } })],
  ['an error as first event', 'stream', sends('data: {"error":{"code":429,"message":"m"}}\n\n')],
  [
    'a role, then an error',
    'stream',
    sends(`${chunkOf({ index: 0, delta: { role: 'assistant', content: '' } })}data: {"error":{"code":429}}\n\n`),
  ],
  ['an empty stream', 'stream', sends('')],
  ['comments alone', 'stream', sends(': keep-alive\n\n')],
  ['[DONE] alone', 'stream', sends(done)],
];

/** An upstream that refuses the field by which ola asks for usage. */
export const refusesUsage: readonly (readonly [what: string, status: number, body: object])[] = [
  ['by its param', 400, { error: { message: 'Unknown parameter', param: 'stream_options' } }],
  ['in its message', 400, { error: { message: "Unrecognized request argument supplied: 'stream_options'" } }],
  [
    'in a list of details',
    422,
    { detail: [{ loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted: stream_options' }] },
  ],
  [
    'in the words of Mistral',
    422,
    {
      object: 'error',
      message: { detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] },
      type: 'invalid_request_error',
      param: null,
      code: null,
    },
  ],
  [
    'by its place in a list of details',
    422,
    { detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] },
  ],
];
