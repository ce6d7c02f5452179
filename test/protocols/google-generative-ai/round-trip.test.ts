/** What comes from Google's API and goes back to it stays equal. */
import { expect, test } from 'bun:test';
import { fold } from '../../../src/core/answers.ts';
import { decodeAnswer } from '../../../src/protocols/google-generative-ai/decode-answer.ts';
import { decodeRequest } from '../../../src/protocols/google-generative-ai/decode-request.ts';
import { encodeRequest } from '../../../src/protocols/google-generative-ai/encode-request.ts';
import { upstreamModel } from '../upstream-model.ts';
import { conversation, user } from './conversations.ts';
import { decoded, digest, type Fields, samples } from './fixtures.ts';

for (const [name, text] of samples('request')) {
  test(`${name}: a request of a client is equal for an upstream of the same protocol`, () => {
    const request = JSON.parse(text) as Fields;
    const facts = { id: 'm', reasoning: true, thinking: 'adaptive' } as const;
    const { body, dropped, path, reasoningLost } = encodeRequest(decodeRequest(request), upstreamModel('m', { facts }), digest);
    expect(JSON.parse(body)).toEqual(request);
    expect({ dropped, path, reasoningLost }).toEqual({ dropped: [], path: '/models/m:generateContent', reasoningLost: false });
  });
}

/** The content of the model, as a client of Google's API sends it back. */
function sentBack(answer: Parameters<typeof conversation>[0]['turns']): Fields[] {
  const { body } = encodeRequest(conversation({ turns: [user('a'), ...(answer ?? [])] }), upstreamModel('m'), digest);
  const { contents } = JSON.parse(body) as { contents: { parts: Fields[] }[] };
  return contents[1]?.parts ?? [];
}

for (const [name, text] of samples('answer')) {
  test(`${name}: litellm#16893: the parts of an answer go back with each signature on its part`, () => {
    const answer = decodeAnswer(text);
    if ('kind' in answer) throw new Error(answer.message ?? answer.kind);
    const { candidates } = JSON.parse(text) as { candidates: { content: { parts: Fields[] } }[] };
    // A thought that nobody signed is no use to Google.
    const given = candidates[0]!.content.parts.filter((part) => part['thought'] !== true);
    expect(sentBack([{ role: 'assistant', parts: answer.parts }])).toEqual(given);
  });
}

test('litellm#16893: a streamed text goes back with the signature that came behind it', () => {
  const [, text] = samples('stream').find(([name]) => name === 'stream-text.sse')!;
  const { parts } = fold(decoded(text).steps);
  expect(sentBack([{ role: 'assistant', parts }])).toEqual([{ text: 'A “leek” grows. 🌱', thoughtSignature: 'dGV4dA==' }]);
});
