/** What comes from Anthropic's API and goes back to it stays equal. */
import { expect, test } from 'bun:test';
import { decodeAnswer } from '../../../src/protocols/anthropic-messages/decode-answer.ts';
import { decodeRequest } from '../../../src/protocols/anthropic-messages/decode-request.ts';
import { encodeAnswer } from '../../../src/protocols/anthropic-messages/encode-answer.ts';
import { encodeRequest } from '../../../src/protocols/anthropic-messages/encode-request.ts';
import { upstreamModel } from '../upstream-model.ts';
import { decoded, digest, encoded, eventsOf, type Fields, making, samples } from './fixtures.ts';

const facts = { id: 'MODEL', midSystem: true, strictTools: true, thinking: 'adaptive' } as const;

for (const [name, text] of samples('request')) {
  test(`${name}: a request of a client is equal for an upstream of the same protocol`, () => {
    const request = JSON.parse(text) as Fields;
    const { body, dropped, headers, path } = encodeRequest(decodeRequest(request), upstreamModel('MODEL', { facts }), digest);
    expect(JSON.parse(body)).toEqual(request);
    expect({ dropped, headers, path }).toEqual({
      dropped: [],
      headers: { 'anthropic-version': '2023-06-01' },
      path: '/v1/messages',
    });
  });
}

for (const [name, text] of samples('answer')) {
  test(`${name}: an answer is equal for a client of the same protocol`, () => {
    const answer = decodeAnswer(text);
    if ('kind' in answer) throw new Error(answer.message ?? answer.kind);
    expect(JSON.parse(encodeAnswer(answer, making))).toEqual(JSON.parse(text));
  });
}

for (const [name, text] of samples('stream')) {
  test(`${name}: a stream is equal event by event for a client of the same protocol`, () => {
    const { steps, fault, failure } = decoded(text);
    expect({ fault, failure }).toEqual({ fault: null, failure: null });
    expect(eventsOf(encoded(steps))).toEqual(eventsOf(text));
  });

  test(`${name}: a stream gives the same steps wherever its bytes are cut`, () => {
    const bytes = new TextEncoder().encode(text);
    const { steps } = decoded(bytes);
    for (let at = 1; at < bytes.length; at++) expect(decoded(bytes.slice(0, at), bytes.slice(at)).steps).toEqual([...steps]);
  });

  test(`${name}: a stream that is cut anywhere does not end`, () => {
    const bytes = new TextEncoder().encode(text);
    const whole = bytes.length - 'event: message_stop\ndata: {"type":"message_stop"}\n\n'.length;
    for (let at = 0; at <= whole; at++) {
      const { steps, fault } = decoded(bytes.slice(0, at));
      expect({ fault, ended: steps.some(({ type }) => type === 'end') }).toEqual({ fault: null, ended: false });
    }
  });
}
