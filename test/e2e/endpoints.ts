/** Every inference endpoint as tests ask it: a request, and a good answer of the upstream. */
import type { Ola } from './stage.ts';
import { adminToken } from './stage.ts';
import { answer, type Behaviour, completion, usage } from './upstream.ts';

export interface Asked {
  readonly path: string;
  /** With the model in it: a JSON text, or a form's bytes. */
  readonly body: (model: string) => string | Buffer;
  readonly type: string;
  readonly answer: Behaviour;
  /** What the client must get, byte for byte. */
  readonly answered: Buffer;
  readonly answeredType: string;
  /** What the usage row must say. */
  readonly tokens: readonly [prompt: number | null, completion: number | null];
}

export const boundary = '----form-0123456789';
export const formType = `multipart/form-data; boundary=${boundary}`;
/** Bytes that are no text, and what looks like the end of a part. */
export const binary = Buffer.from([0, 255, 13, 10, 45, 45, 13, 10, 13, 10, 128, 26, 200]);

/** A form of text fields and one file, as clients write it. */
export function form(model: string | null, file: string, fields: Readonly<Record<string, string>> = {}): Buffer {
  const text = (name: string, value: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  return Buffer.concat([
    Buffer.from(
      Object.entries(fields)
        .map(([name, value]) => text(name, value))
        .join(''),
    ),
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${file}"; filename="ü \\" .bin"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    ),
    binary,
    Buffer.from('\r\n'),
    Buffer.from(model === null ? '' : text('model', model)),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
}

const jsonRow = (path: string, fields: string, given: object, tokens: Asked['tokens']): Asked => {
  const text = ` ${JSON.stringify({ ...given, vendor: 'ü' })}\n`;
  return {
    path,
    body: (model) => `{ ${fields}, "x-vendor":12345678901234567890,"model" : "${model}" }`,
    type: 'application/json',
    answer: answer(200, text),
    answered: Buffer.from(text),
    answeredType: 'application/json',
    tokens,
  };
};
const formRow = (path: string, file: string, given: object, tokens: Asked['tokens']): Asked => ({
  ...jsonRow(path, '', given, tokens),
  body: (model) => form(model, file, { prompt: 'words "model"', temperature: '0.10' }),
  type: formType,
});

const images = { created: 1, data: [{ b64_json: 'aGk=' }], usage: { input_tokens: 5, output_tokens: 9, total_tokens: 14 } };
const heard = { text: 'said', usage: { type: 'tokens', input_tokens: 4, output_tokens: 2, total_tokens: 6 } };
const embedded = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: 'AACAPw==' }],
  usage: { prompt_tokens: 3, total_tokens: 3 },
};

export const endpoints: readonly Asked[] = [
  jsonRow('/v1/chat/completions', '"messages":[{}]', completion('x'), [usage.prompt_tokens, usage.completion_tokens]),
  jsonRow('/v1/completions', '"prompt":["a",""],"temperature":1.0', { choices: [{ text: 'x' }], usage }, [11, 7]),
  jsonRow('/v1/embeddings', '"input":[[1,2],[3]],"encoding_format":"base64","dimensions":8', embedded, [3, null]),
  jsonRow('/v1/moderations', '"input":[{"type":"text","text":"x"}]', { id: 'm', results: [{ flagged: false }] }, [null, null]),
  jsonRow('/v1/images/generations', '"prompt":"x","n":1.0,"stream":false', images, [5, 9]),
  formRow('/v1/images/edits', 'image[]', images, [5, 9]),
  formRow('/v1/images/variations', 'image', { created: 1, data: [{ url: 'https://x.example/' }] }, [null, null]),
  {
    ...jsonRow('/v1/audio/speech', '"input":"hello","voice":{"id":"v"}', {}, [null, null]),
    answer: answer(200, binary, { 'content-type': 'audio/mpeg' }),
    answered: binary,
    answeredType: 'audio/mpeg',
  },
  formRow('/v1/audio/transcriptions', 'file', heard, [4, 2]),
  formRow('/v1/audio/translations', 'file', heard, [4, 2]),
];

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
}

/** Asks with these very bytes. */
export async function askRaw(
  ola: Ola,
  path: string,
  body: string | Buffer,
  type: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const response = await fetch(ola.address + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': type, ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes, text: bytes.toString() };
}
