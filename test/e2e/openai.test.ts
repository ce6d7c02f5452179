/** The unchanged `openai` package against the binary: what it sends arrives, what it gets it understands. */
import { expect, test } from 'bun:test';
import OpenAI, { toFile } from 'openai';
import { binary } from './endpoints.ts';
import { adminToken, stage } from './stage.ts';
import { answer, chunk, lastChunk, stream, streamHead } from './upstream.ts';

const { start, upstream } = stage();
const shared = (async () => {
  const ola = await start({ args: ['--demo'] });
  const up = await upstream();
  await ola.addProvider('acme', up);
  const client = new OpenAI({ apiKey: adminToken, baseURL: `${ola.address}/v1`, maxRetries: 0 });
  return { ola, up, client };
})();

const floats = (...numbers: number[]) => Buffer.from(Float32Array.from(numbers).buffer).toString('base64');

test('embeddings, which it asks for in base64 unless told otherwise', async () => {
  const { up, client } = await shared;
  up.modes.set('embed', (received) => {
    const asked = JSON.parse(received.body) as { encoding_format?: string };
    const embedding = asked.encoding_format === 'base64' ? floats(0.5, -2) : [0.25];
    void answer(200, { object: 'list', data: [{ object: 'embedding', index: 0, embedding }], model: 'embed' })(received);
  });
  expect((await client.embeddings.create({ model: 'acme/embed', input: 'x' })).data[0]?.embedding).toEqual([0.5, -2]);
  const plain = await client.embeddings.create({ model: 'acme/embed', input: ['x'], encoding_format: 'float', dimensions: 1 });
  expect(plain.data[0]?.embedding).toEqual([0.25]);
  const demo = await client.embeddings.create({ model: 'demo/echo', input: 'hello there' });
  const same = await client.embeddings.create({ model: 'demo/echo', input: 'hello there', encoding_format: 'float' });
  expect(demo.data[0]?.embedding).toHaveLength(8);
  expect(demo.data[0]?.embedding).toEqual(same.data[0]?.embedding.map(Math.fround));
  expect(Math.hypot(...(demo.data[0]?.embedding ?? []))).toBeCloseTo(1, 5);
});

test('completions, whole and as a stream', async () => {
  const { up, client } = await shared;
  up.modes.set('legacy', answer(200, { choices: [{ text: 'b', index: 0 }] }));
  expect((await client.completions.create({ model: 'acme/legacy', prompt: 'a' })).choices[0]?.text).toBe('b');
  const event = (text: string) => `data: ${JSON.stringify({ choices: [{ text, index: 0 }] })}\n\n`;
  up.modes.set('legacy-stream', stream(event('b'), event('c'), 'data: [DONE]\n\n'));
  const texts: string[] = [];
  for await (const part of await client.completions.create({ model: 'acme/legacy-stream', prompt: 'a', stream: true }))
    texts.push(part.choices[0]?.text ?? '');
  expect(texts).toEqual(['b', 'c']);
});

test('moderations', async () => {
  const { up, client } = await shared;
  up.modes.set('moderate', answer(200, { id: 'm', model: 'moderate', results: [{ flagged: true }] }));
  expect((await client.moderations.create({ model: 'acme/moderate', input: 'x' })).results[0]?.flagged).toBe(true);
  const missing = await client.moderations.create({ input: 'x' }).catch((error: unknown) => error);
  expect(missing).toBeInstanceOf(OpenAI.NotFoundError);
});

test('images: generated, as a stream, and edited from files', async () => {
  const { up, client } = await shared;
  up.modes.set('image', answer(200, { created: 1, data: [{ b64_json: 'aGk=' }] }));
  expect((await client.images.generate({ model: 'acme/image', prompt: 'x' })).data?.[0]?.b64_json).toBe('aGk=');

  const event = (type: string) => `event: ${type}\ndata: ${JSON.stringify({ type, b64_json: 'aGk=' })}\n\n`;
  const types = ['image_generation.partial_image', 'image_generation.completed'];
  up.modes.set(
    'image-stream',
    ({ socket }) => void socket.write(streamHead + types.map((type) => chunk(event(type))).join('') + lastChunk),
  );
  const got: string[] = [];
  for await (const each of await client.images.generate({ model: 'acme/image-stream', prompt: 'x', stream: true }))
    got.push(each.type);
  expect(got).toEqual(types);

  up.modes.set('image-cut', ({ socket }) => void socket.write(streamHead + chunk(event(types[0] ?? '')) + lastChunk));
  const cut = async () => {
    for await (const _ of await client.images.generate({ model: 'acme/image-cut', prompt: 'x', stream: true }));
  };
  await expect(cut()).rejects.toThrow('before it was complete');

  up.modes.set('edit', answer(200, { created: 1, data: [{ url: 'https://x.example/1' }] }));
  const image = [await toFile(binary, 'ä.png', { type: 'image/png' }), await toFile(binary, 'b.png', { type: 'image/png' })];
  const edited = await client.images.edit({ model: 'acme/edit', image, prompt: 'redder' });
  expect(edited.data?.[0]?.url).toBe('https://x.example/1');
  const sent = up.requestFor('edit');
  expect(sent.bytes.indexOf(binary)).toBeGreaterThan(0);
  expect(sent.bytes.lastIndexOf(binary)).toBeGreaterThan(sent.bytes.indexOf(binary));
});

test('speech comes byte for byte, and a recording that was cut is an error', async () => {
  const { up, client } = await shared;
  up.modes.set('speak', answer(200, binary, { 'content-type': 'audio/mpeg' }));
  const spoken = await client.audio.speech.create({ model: 'acme/speak', voice: 'alloy', input: 'x' });
  expect(Buffer.from(await spoken.arrayBuffer()).equals(binary)).toBe(true);
  up.modes.set('speak-cut', ({ socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 99\r\n\r\nabc`, () =>
      setTimeout(() => socket.end(), 40),
    );
  });
  const cut = client.audio.speech.create({ model: 'acme/speak-cut', voice: 'alloy', input: 'x' });
  await expect(cut.then((response) => response.arrayBuffer())).rejects.toThrow();
});

test('transcriptions as JSON, as text and as a stream; translations', async () => {
  const { up, client } = await shared;
  const file = () => toFile(binary, 'a.mp3');
  up.modes.set('hear', answer(200, { text: 'said' }));
  expect((await client.audio.transcriptions.create({ model: 'acme/hear', file: await file() })).text).toBe('said');
  expect((await client.audio.translations.create({ model: 'acme/hear', file: await file() })).text).toBe('said');
  up.modes.set('hear-text', answer(200, 'said\n', { 'content-type': 'text/plain; charset=utf-8' }));
  const text = await client.audio.transcriptions.create({ model: 'acme/hear-text', file: await file(), response_format: 'text' });
  expect(text as unknown).toBe('said\n');
  const types = ['transcript.text.delta', 'transcript.text.done'];
  const events = types.map((type) => `data: ${JSON.stringify({ type, text: 'said' })}\n\n`);
  up.modes.set('hear-stream', ({ socket }) => void socket.write(streamHead + events.map(chunk).join('') + lastChunk));
  const got: string[] = [];
  for await (const each of await client.audio.transcriptions.create({
    model: 'acme/hear-stream',
    file: await file(),
    stream: true,
  }))
    got.push(each.type);
  expect(got).toEqual(types);
});
