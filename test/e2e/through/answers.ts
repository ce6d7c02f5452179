/** Labels, codings, framings, and the answers of the other endpoints. */
import { gzipSync } from 'node:zlib';
import { answer, bytes, completion, type Received, usage } from '../upstream.ts';
import {
  bytesOf,
  done,
  finish,
  framed,
  good,
  hello,
  json,
  piecewise,
  type Row,
  said,
  sends,
  stop,
  tool,
  usageChunk,
  whole,
} from './making.ts';

/** Labels, codings and framings. */
export const labels: readonly Row[] = [
  ...[
    null,
    'text/plain',
    'application/json',
    'application/octet-stream',
    'application/x-ndjson',
    'text/plain; charset=utf-8',
  ].map((type): Row => [`events labelled ${type}`, 'stream', sends(good, 'in chunks', { type }), 'same']),
  ...['Text/Event-Stream; Charset=UTF-8', 'text/event-stream;charset=utf-8', 'text/event-stream, text/event-stream'].map(
    (type): Row => [`events labelled ${type}`, 'stream', sends(good, 'in chunks', { type }), 'same'],
  ),
  ['JSON for a stream', 'stream', json(whole), { better: { ...hello, usage: null } }],
  ['JSON for a stream that asked for usage', 'stream with usage', json(whole), { better: { ...hello, usage } }],
  ['JSON labelled as events for a stream', 'stream', sends(whole, 'by length'), { better: hello }],
  ['JSON with tool calls for a stream', 'stream', json(toolAnswer()), { better: { calls: ['f {"x":1}'], finish: 'tool_calls' } }],
  [
    'JSON with reasoning for a stream',
    'stream',
    json(
      JSON.stringify({
        choices: [{ index: 0, message: { role: 'assistant', reasoning_content: 'hm', content: 'Hello' }, finish_reason: 'stop' }],
      }),
    ),
    { better: { ...hello, reasoning: 'hm' } },
  ],
  [
    'JSON of a legacy completion for a stream',
    'completion',
    json({ object: 'text_completion', choices: [{ index: 0, text: 'ab', finish_reason: 'stop' }] }),
    { better: { text: 'ab', finish: 'stop' } },
  ],
  ['JSON behind blanks for a stream', 'stream', piecewise(' ', '\n', whole), { better: hello }],
  ['JSON behind blanks', 'chat', piecewise(' ', '\n', whole), { better: { ...hello, usage } }],
  [
    'events for a plain call, the usage in the last chunk and no [DONE]',
    'chat',
    sends(said + finish('stop').replace('"choices"', `"usage":${JSON.stringify(usage)},"choices"`)),
    { better: { ...hello, usage } },
  ],
  [
    'events with nulls, comments and names for a plain call',
    'chat',
    sends(`: a\n\ndata: null\n\nevent: ping\n\n${said}${stop}${done}`),
    { better: hello },
  ],
  [
    'events labelled as JSON for a plain call',
    'chat',
    sends(said + stop + done, 'in chunks', { type: 'application/json' }),
    { better: hello },
  ],
  [
    'an error event for a plain call',
    'chat',
    sends('data: {"error":{"code":429,"message":"the words"}}\n\n'),
    { told: 'upstream_http_error', status: 429, says: /the words/ },
  ],
  [
    'a page for a stream',
    'stream',
    json('<!doctype html><html>words</html>', 200, { 'content-type': 'text/html' }),
    { told: 'provider_error', status: 502 },
  ],
  ['events for a plain call', 'chat', sends(said + stop + usageChunk + done), { better: { ...hello, usage } }],
  [
    'events of tool calls for a plain call',
    'chat',
    sends(tool(0, 'f', '{"x"', 'a') + tool(0, undefined, ':1}') + finish('tool_calls')),
    { better: { calls: ['f {"x":1}'], finish: 'tool_calls' } },
  ],
  ['events that are cut for a plain call', 'chat', sends(said), { told: 'provider_error', status: 502 }],
  ...[null, 'text/plain', 'text/html', 'application/octet-stream', 'text/event-stream'].map(
    (type): Row => [
      `a chat labelled ${type}`,
      'chat',
      sends(whole, 'by length', { type }),
      type === 'application/json' ? 'same' : { better: { ...hello, usage } },
    ],
  ),
  [
    'a chat of type application/json; charset=utf-8',
    'chat',
    sends(whole, 'by length', { type: 'application/json; charset=utf-8' }),
    'same',
  ],
  ['a chat of a vendor’s +json', 'chat', sends(whole, 'by length', { type: 'application/vnd.x+json' }), 'same'],
  ...['none', 'Identity', '', 'identity, identity', 'aws-chunked', 'utf-8'].map(
    (coding): Row => [
      `Content-Encoding: ${coding === '' ? '(empty)' : coding}`,
      'chat',
      json(whole, 200, { 'content-encoding': coding }),
      'same',
    ],
  ),
  ['gzip where it is asked for', 'chat', gzipped, 'same'],
  ['events with Content-Encoding: none', 'stream', sends(good, 'in chunks', { lines: 'content-encoding: none\r\n' }), 'same'],
  ...['100 Continue', '102 Processing', '103 Early Hints'].map(
    (status): Row => [
      `${status} in front`,
      'chat',
      bytes(`HTTP/1.1 ${status}\r\n\r\n${framed(whole, 'by length', { type: 'application/json' })}`),
      'same',
    ],
  ),
  ...['202 Accepted', '204 No Content', '205 Reset Content', '206 Partial Content'].map(
    (status): Row => [
      `${status}`,
      'chat',
      bytes(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`),
      { told: 'provider_error', status: 502 },
    ],
  ),
  [
    'a head of LF lines',
    'chat',
    bytes(framed(whole, 'by length', { type: 'application/json' }).replaceAll('\r\n', '\n')),
    'same',
  ],
  ['a status without a reason', 'chat', sends(whole, 'by length', { type: 'application/json', status: '200 ' }), 'same'],
  [
    'HTTP/1.0',
    'chat',
    bytes(framed(whole, 'by close', { type: 'application/json' }).replace('HTTP/1.1', 'HTTP/1.0'), 'end'),
    'same',
  ],
  [
    'HTTP/1.0 on a connection that stays',
    'chat',
    bytes(
      framed(whole, 'by length', { type: 'application/json', lines: 'connection: keep-alive\r\n' }).replace(
        'HTTP/1.1',
        'HTTP/1.0',
      ),
    ),
    'same',
  ],
  ['HTTP/1.0, a stream', 'stream', bytes(framed(good, 'by close').replace('HTTP/1.1', 'HTTP/1.0'), 'end'), 'same'],
  [
    'Content-Length twice with one value',
    'chat',
    sends(whole, 'by length', { type: 'application/json', lines: `content-length: ${whole.length}\r\n` }),
    'same',
  ],
  ['trailers', 'stream', bytes(framed(good).replace(/0\r\n\r\n$/, '0\r\nx-trailer: a\r\n\r\n')), 'same'],
  ['chunk extensions', 'stream', bytes(framed(good).replace(/\r\n\r\n([0-9a-f]+)\r\n/, '\r\n\r\n$1;a=b\r\n')), 'same'],
  [
    'an answer cut short of its length',
    'chat',
    bytes(framed(whole, 'by length', { type: 'application/json' }).slice(0, -9), 'end'),
    { told: 'upstream_truncated', status: 502 },
  ],
  ['NaN in an answer', 'chat', json(whole.replace('"created":1', '"created":NaN')), { told: 'provider_error', status: 502 }],
  ['nothing in a plain answer', 'chat', json(''), { told: 'provider_error', status: 502 }],
];

function toolAnswer(): string {
  const message = {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } }],
  };
  return JSON.stringify({ ...completion(''), choices: [{ index: 0, message, finish_reason: 'tool_calls' }] });
}

/** An upstream that compresses when, and only when, the client says that it may. */
function gzipped(received: Received): void {
  const asked = received.headers.get('accept-encoding')?.includes('gzip') === true;
  void (asked ? answer(200, gzipSync(whole), { 'content-encoding': 'gzip' }) : json(whole))(received);
}

/** The other endpoints. */
const floats = [0.5, -2, 0.25];
const packed = Buffer.from(Float32Array.from(floats).buffer).toString('base64');
const embedded = (embedding: unknown) => ({
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding }],
  model: 'm',
  usage,
});
const sound = Buffer.from([0xff, 0xfb, 0x90, 0, 1, 2, 3]);
const picture = { created: 1, data: [{ b64_json: 'aGk=' }] };
const typedEvents = (...types: string[]) =>
  types.map((type) => `event: ${type}\ndata: ${JSON.stringify({ type, text: 'said' })}\n\n`).join('');
export const others: readonly Row[] = [
  ['embeddings in base64', 'embeddings', json(embedded(packed)), 'same'],
  [
    'embeddings as numbers where base64 was asked for',
    'embeddings',
    json(embedded(floats)),
    { better: { text: JSON.stringify([floats]) } },
  ],
  ['embeddings as numbers', 'embeddings as numbers', json(embedded(floats)), 'same'],
  ...['audio/mpeg', null, 'binary/octet-stream', 'application/octet-stream', 'video/mp4'].map(
    (type): Row => [
      `speech labelled ${type}`,
      'speech',
      bytesOf(
        Buffer.concat([Buffer.from(framed('x'.repeat(sound.length), 'by length', { type }).slice(0, -sound.length)), sound]),
      ),
      'same',
    ],
  ),
  [
    'an error in the place of speech',
    'speech',
    json({ error: { code: 400, message: 'the words' } }),
    { told: 'upstream_http_error', status: 400, says: /the words/ },
  ],
  ['a transcript as JSON', 'transcript', json({ text: 'said' }), 'same'],
  ['subtitles of type text/srt', 'subtitles', json('1\nsaid\n', 200, { 'content-type': 'text/srt' }), 'same'],
  ['subtitles as text/html', 'subtitles', json('1\nsaid\n', 200, { 'content-type': 'text/html; charset=utf-8' }), 'same'],
  ['subtitles without a label', 'subtitles', sends('1\nsaid\n', 'by length', { type: null }), 'same'],
  ['a text in quotes as application/json', 'subtitles', json('"hi"'), 'same'],
  [
    'an error in the place of a transcript',
    'transcript',
    json({ error: { code: 429, message: 'the words' } }),
    { told: 'upstream_http_error', status: 429 },
  ],
  ['a transcript as events', 'transcript stream', sends(typedEvents('transcript.text.delta', 'transcript.text.done')), 'same'],
  [
    'a transcript as events, cut',
    'transcript stream',
    sends(typedEvents('transcript.text.delta')),
    { told: 'upstream_truncated' },
  ],
  ...['application/json', 'text/plain', null, 'text/json', 'application/octet-stream'].map(
    (type): Row => [
      `an image labelled ${type}`,
      'image',
      sends(JSON.stringify(picture), 'by length', { type }),
      type === 'application/json' ? 'same' : { better: { text: JSON.stringify(picture.data[0]) } },
    ],
  ),
  [
    'an image as events',
    'image stream',
    sends(typedEvents('image_generation.partial_image', 'image_generation.completed')),
    'same',
  ],
];
