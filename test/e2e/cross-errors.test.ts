/** Failures of an upstream, told to a client of another protocol: the class and the status that its official package gives them. */
import { describe, expect, test } from 'bun:test';
import type OpenAI from 'openai';
import { crossed, type Scene, type Scenes, says, scenesOn, user } from './doubles/scene.ts';
import { stage } from './stage.ts';
import { answer } from './upstream.ts';

const shared = scenesOn(stage());
const scene = async (...of: Parameters<Scenes['scene']>): Promise<Scene> => (await shared).scene(...of);

describe('errors, in the class and with the status of each package', () => {
  interface Kind {
    readonly status: number;
    readonly type: string;
    readonly code?: string;
    readonly message: string;
    /** The status that the client gets. */
    readonly told: number;
    readonly class: string;
    /** Where Anthropic's package has a class of its own for it. */
    readonly anthropic?: string;
    /** Words of the upstream that reach the client; null: none may. */
    readonly words: string | null;
  }
  const kinds: readonly Kind[] = [
    { status: 400, type: 'invalid_request_error', message: 'odd field', told: 400, class: 'BadRequestError', words: 'odd field' },
    {
      status: 400,
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
      message: 'prompt is too long: 9 tokens > 8 maximum',
      told: 400,
      class: 'BadRequestError',
      words: 'prompt is too long',
    },
    { status: 404, type: 'not_found_error', message: 'no such model', told: 404, class: 'NotFoundError', words: 'no such model' },
    {
      status: 413,
      type: 'request_too_large',
      message: 'too large',
      told: 413,
      class: 'APIError',
      anthropic: 'ContentTooLargeError',
      words: 'too large',
    },
    { status: 429, type: 'rate_limit_error', message: 'slow down', told: 429, class: 'RateLimitError', words: 'slow down' },
    { status: 401, type: 'authentication_error', message: 'bad secret', told: 502, class: 'InternalServerError', words: null },
    { status: 403, type: 'permission_error', message: 'forbidden', told: 502, class: 'InternalServerError', words: null },
    { status: 500, type: 'api_error', message: 'inner words', told: 502, class: 'InternalServerError', words: null },
    {
      status: 503,
      type: 'overloaded_error',
      message: 'busy now',
      told: 503,
      class: 'InternalServerError',
      anthropic: 'ServiceUnavailableError',
      words: 'busy now',
    },
    {
      status: 529,
      type: 'overloaded_error',
      message: 'busy now',
      told: 529,
      class: 'InternalServerError',
      anthropic: 'OverloadedError',
      words: 'busy now',
    },
  ];
  for (const [client, up] of crossed) {
    for (const kind of kinds) {
      test(`${kind.status} ${kind.code ?? kind.type} of ${up}'s upstream, to ${client}'s client`, async () => {
        const { addProvider } = await shared;
        // Its own provider: a refused key must not cool the one of the others.
        const provider = `e${kind.status}${kind.code === undefined ? '' : 'o'}-${up}`;
        await addProvider(provider, up);
        const headers = kind.status === 429 ? { 'retry-after': '3' } : {};
        const { ask } = await scene(client, up, says({ ...kind, headers }), { provider });
        for (const stream of [false, true]) {
          const failure = (await ask({ turns: [user], stream }).then(
            () => null,
            (thrown: unknown) => thrown,
          )) as (InstanceType<typeof OpenAI.APIError> & { readonly headers: Headers }) | null;
          const expected = client === 'anthropic' ? (kind.anthropic ?? kind.class) : kind.class;
          expect([stream, failure?.constructor.name, failure?.status]).toEqual([stream, expected, kind.told]);
          // The second call meets a credential that cools down, which is told in ola's own words.
          if (stream && kind.status === 429) expect(failure?.message).not.toContain(kind.message);
          else if (kind.words !== null) expect(failure?.message).toContain(kind.words);
          else expect(failure?.message).not.toContain(kind.message);
          if (kind.status === 429) expect(Number(failure?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
        }
      });
    }
  }

  test('an answer of another kind under 200 is no answer', async () => {
    const { up, sdks } = await shared;
    up.modes.set('html', answer(200, '<html>sign in</html>', { 'content-type': 'text/html' }));
    for (const { ask } of sdks) {
      for (const provider of ['chat', 'messages']) {
        const failure = await ask({ model: `${provider}/html`, turns: [user], stream: true }).catch((thrown: unknown) => thrown);
        expect(failure).toMatchObject({ status: 502 });
      }
    }
  });
});
