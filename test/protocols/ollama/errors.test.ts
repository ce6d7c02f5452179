import { expect, test } from 'bun:test';
import { OlaError } from '../../../src/core/errors.ts';
import { errorBody, errorEvent, readFailure } from '../../../src/protocols/ollama/errors.ts';

const read = (status: number, error: string) => readFailure(status, () => null, JSON.stringify({ error }));

test('an error is a text, in a body and in the last line of a stream', () => {
  const error = new OlaError('model_not_found', 'No such model.', { param: 'model', details: { candidates: [] } });
  expect(errorBody(error)).toBe('{"error":"No such model."}');
  expect(new TextDecoder().decode(errorEvent(error))).toBe('{"error":"No such model."}\n');
});

test('a model that a server does not have can be pulled, which the hint says', () => {
  for (const message of ['model "qwen3:8b" not found, try pulling it first', "model 'qwen3:8b' not found"])
    expect(read(404, message)).toMatchObject({ message, hint: 'On its machine, `ollama pull qwen3:8b` fetches it.' });
  expect(read(404, 'page not found').hint).toBeUndefined();
  expect(read(400, 'model "a" not found').hint).toBeUndefined();
  // The words are the upstream's: what is no name of a model is not made a command.
  expect(read(404, 'model "a; rm -rf /" not found').hint).toBeUndefined();
});

test.each([
  [400, 'the input length exceeds the context length', 'context_overflow'],
  [400, '"gemma3" does not support thinking', 'invalid_request'],
  [401, 'unauthorized', 'auth'],
  [429, 'you have reached your hourly usage limit', 'rate_limit'],
  [500, 'model requires more system memory (9.1 GiB) than is available (7.2 GiB)', 'server_error'],
  [503, 'server busy, please try again.  maximum pending requests exceeded', 'overloaded'],
])('%p %p is %s', (status, message, kind) => {
  expect(read(status, message)).toMatchObject({ status, message, kind: kind as never });
});
