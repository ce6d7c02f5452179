/** Thought signatures and errors of Google's API, for clients of OpenAI and Anthropic: the double refuses a call without its signature, as Gemini 3 does. */
import { describe, expect, test } from 'bun:test';
import { bypass } from './doubles/google-rules.ts';
import { look, type Scene, type Scenes, says, scenesOn, sides, tools, user } from './doubles/scene.ts';
import { type Fields, fieldsOf, listOf, type Script, textOf } from './doubles/script.ts';
import type { Heard, Turn } from './sdks.ts';
import { request, stage } from './stage.ts';
import { answer, type Behaviour, type Received } from './upstream.ts';

const models = Array.from({ length: 16 }, (_, at) => ({ id: `thinker${at}`, reasoning: true, maxTokens: 8192 }));
const shared = scenesOn(stage(), models, ['google']);
const scene = async (...of: Parameters<Scenes['scene']>): Promise<Scene> => (await shared).scene(...of);
let thinkers = 0;
const aThinker = () => ({ model: `thinker${thinkers++}` });

/** Thinks and calls two tools at once in each answer but the last. */
const thinker: Script = ({ answers }) =>
  answers < 4 ? { reasoning: `thought ${answers}`, calls: [look(`a${answers}`), look(`b${answers}`)] } : { text: 'done' };

const resultsOf = ({ calls }: Heard): Turn => ({ results: calls.map(({ id }) => ({ id, text: `seen ${id}` })) });

/** Signatures of the calls of a request, in its order; null for a call without one. */
const signaturesIn = (body: Fields): readonly (string | null)[] =>
  listOf(body['contents'])
    .flatMap(({ parts }) => listOf(parts))
    .filter((part) => 'functionCall' in part)
    .map((part) => (typeof part['thoughtSignature'] === 'string' ? part['thoughtSignature'] : null));

/** Plays until the model ends. @returns each answer */
async function playOut(ask: Scene['ask'], stream: boolean): Promise<readonly Heard[]> {
  const turns: Turn[] = [user];
  const all: Heard[] = [];
  for (;;) {
    const heard = await ask({ turns, tools, thinks: true, stream });
    all.push(heard);
    if (heard.end !== 'tool_calls') return all;
    turns.push({ heard }, resultsOf(heard));
  }
}

describe('litellm#16893, litellm#25322: a conversation that thinks and calls tools, five turns', () => {
  for (const client of sides) {
    for (const stream of [false, true]) {
      test(`through ${client}'s package, ${stream ? 'streamed' : 'whole'}: each signature comes back byte for byte`, async () => {
        const { model, ask, received, last } = await scene(client, 'google', thinker, aThinker());
        const given = await recorded(model);
        const all = await playOut(ask, stream);
        expect([all.length, all.at(-1)?.text, all.at(-1)?.end]).toEqual([5, 'done', 'stop']);
        expect(all.map(({ headers }) => headers.get('x-ola-reasoning'))).toEqual([null, null, null, null, null]);
        expect(given).toHaveLength(4);
        // Of two parallel calls the first one alone is signed.
        expect(signaturesIn(last())).toEqual(given.flatMap((signature) => [signature, null]));
        expect(received().map(({ body }) => body.includes(bypass))).toEqual([false, false, false, false, false]);
      });
    }
  }
});

/** @returns a list to which each signature is added that the double writes for this model */
async function recorded(model: string): Promise<readonly string[]> {
  const { up } = await shared;
  const given: string[] = [];
  const behaviour = up.modes.get(model) as Behaviour;
  up.modes.set(model, (received) => {
    const write = (text: string | Buffer) => {
      given.push(...Array.from(text.toString().matchAll(/"thoughtSignature":"([^"]+)"/g), ([, signature]) => signature ?? ''));
      return received.socket.write(text);
    };
    const socket = { write } as unknown as Received['socket'];
    return behaviour({ ...received, socket });
  });
  return given;
}

describe('a signature that is gone', () => {
  test('of a call that another model made is replaced by the vendor’s value, and that is said', async () => {
    const first = await scene('openai', 'google', thinker, aThinker());
    const heard = await first.ask({ turns: [user], tools, thinks: true });
    const second = await scene('openai', 'google', thinker, aThinker());
    const next = await second.ask({ turns: [user, { heard }, resultsOf(heard)], tools, thinks: true });
    expect([next.end, next.headers.get('x-ola-reasoning')]).toEqual(['tool_calls', 'lost']);
    expect(signaturesIn(second.last())).toEqual([bypass, null]);
  });

  test('the double refuses the call without it, as Google does', async () => {
    const { up } = await shared;
    const { model } = await scene('openai', 'google', says({ text: 'taken' }));
    const call = { functionCall: { name: 'look', args: {} } };
    const response = { functionResponse: { name: 'look', response: { output: 'x' } } };
    const send = (part: Fields, result: Fields = response) => {
      const contents = [
        { role: 'user', parts: [{ text: 'hello' }] },
        { role: 'model', parts: [part] },
        { role: 'user', parts: [result] },
      ];
      const url = `http://127.0.0.1:${up.port}/v1beta/models/${model}:generateContent`;
      return request(url, 'POST', { 'x-goog-api-key': 'k' }, { contents });
    };
    expect((await send(call)).text).toContain('missing a thought_signature');
    expect((await send({ ...call, thoughtSignature: 'AAAA' })).text).toContain('not valid');
    const signed = { ...call, thoughtSignature: bypass };
    expect((await send(signed, { functionResponse: { response: {} } })).text).toContain('Name cannot be empty');
    expect((await send(signed)).status).toBe(200);
  });
});

describe('errors of Google’s API, to each package', () => {
  const failing = async (client: (typeof sides)[number], id: string, behaviour: Behaviour) => {
    const { addProvider, up } = await shared;
    const provider = `${id}-${client}`;
    // Its own provider: a refused key must not cool the one of the others.
    await addProvider(provider, 'google');
    const { ask, model } = await scene(client, 'google', says({ text: '' }), { provider, model: `${provider}-m` });
    up.modes.set(model, behaviour);
    const failure: unknown = await ask({ turns: [user] }).catch((thrown: unknown) => thrown);
    return failure as {
      readonly status: number;
      readonly message: string;
      readonly headers: Headers;
      readonly constructor: { name: string };
    };
  };
  const refusal = (code: number, status: string, message: string, detail: Fields) =>
    answer(code, { error: { code, message, status, details: [detail] } });

  for (const client of sides) {
    test(`RESOURCE_EXHAUSTED is a rate limit with the delay of its body, to ${client}'s`, async () => {
      const info = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '37s' };
      const failure = await failing(client, 'full', refusal(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for this minute.', info));
      expect([failure.constructor.name, failure.status]).toEqual(['RateLimitError', 429]);
      expect(failure.message).toContain('Quota exceeded for this minute.');
      expect(Number(failure.headers.get('retry-after'))).toBeGreaterThanOrEqual(30);
    });

    test(`API_KEY_INVALID under 400 is the provider's key, and none of its words reach ${client}'s`, async () => {
      const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' };
      const failure = await failing(client, 'key', refusal(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass one.', info));
      expect([failure.status, failure.message.includes('API key not valid')]).toEqual([502, false]);
      expect(textOf(failure.headers.get('x-ola-code'))).toBe('upstream_auth_error');
    });

    test(`INVALID_ARGUMENT is the request's, in the vendor's words, to ${client}'s`, async () => {
      const failure = await failing(
        client,
        'odd',
        refusal(400, 'INVALID_ARGUMENT', 'Unable to process input image.', fieldsOf({})),
      );
      expect([failure.constructor.name, failure.status]).toEqual(['BadRequestError', 400]);
      expect(failure.message).toContain('Unable to process input image.');
    });
  }
});
