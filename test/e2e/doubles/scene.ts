/** The binary before doubles of both protocols, asked by both official packages: a model of its own for each scene. */
import { expect } from 'bun:test';
import { type Heard, type Question, type Sdk, sdksOf } from '../sdks.ts';
import { adminToken, type Ola, type Stage } from '../stage.ts';
import type { Received, Upstream } from '../upstream.ts';
import { anthropic } from './anthropic.ts';
import { openai } from './openai.ts';
import { type Fields, fieldsOf, type Reply, type Script } from './script.ts';

const doubles = { openai, anthropic };
export type Side = keyof typeof doubles;
export const sides: readonly Side[] = ['openai', 'anthropic'];
/** The client's side, and the upstream's. */
export const pairs = sides.flatMap((client) => sides.map((up) => [client, up] as const));
export const crossed = pairs.filter(([client, up]) => client !== up);

/** The provider that speaks each protocol. */
export const providerOf: Readonly<Record<Side, string>> = { openai: 'chat', anthropic: 'messages' };
const endpoints = { openai: ['openai-completions', '/v1'], anthropic: ['anthropic-messages', ''] } as const;

/** A model of a double, asked by one of the packages. */
export interface Scene {
  /** The upstream's name of the model. */
  readonly model: string;
  ask(question: Omit<Question, 'model' | 'stream'> & { readonly stream?: boolean }): Promise<Heard>;
  readonly received: () => readonly Received[];
  /** The body of the last request. */
  readonly last: () => Fields;
}

/** An id of provider or model, when it is not the common provider of the upstream's side, or a model of its own. */
export interface Place {
  readonly provider?: string;
  readonly model?: string;
}

export interface Scenes {
  readonly ola: Ola;
  readonly up: Upstream;
  readonly sdks: readonly Sdk[];
  addProvider(id: string, side: Side, more?: Fields): Promise<void>;
  scene(client: Side, up: Side, script: Script, at?: Place): Scene;
}

/** @param models that both common providers list, with what is known of them */
export async function scenesOn({ start, upstream }: Stage, models: readonly Fields[] = []): Promise<Scenes> {
  const [ola, server] = await Promise.all([start(), upstream()]);
  const addProvider: Scenes['addProvider'] = async (id, side, more = {}) => {
    const [api, path] = endpoints[side];
    const place = { api, baseUrl: `http://127.0.0.1:${server.port}${path}`, allowLocal: true };
    const body = { ...place, apiKey: `key-of-${id}-0123456789`, ...more };
    const { status, text } = await ola.ask('PUT', `/config/providers/${id}`, body);
    expect(`${status} ${text}`).toStartWith('200 ');
  };
  for (const side of sides) await addProvider(providerOf[side], side, { models });
  const sdks = sdksOf(ola.address, adminToken);
  let count = 0;
  return {
    ola,
    up: server,
    sdks,
    addProvider,
    scene(client, up, script, { model = `m${count++}`, provider = providerOf[up] } = {}) {
      server.modes.set(model, doubles[up](script));
      const sdk = sdks.find(({ name }) => name === client) as Sdk;
      return {
        model,
        ask: ({ stream = false, ...question }) => sdk.ask({ model: `${provider}/${model}`, stream, ...question }),
        received: () => server.for(model),
        last: () => fieldsOf(JSON.parse(server.for(model).at(-1)?.body ?? '{}')),
      };
    },
  };
}

export const user = { user: 'hello' };
export const says =
  (reply: Reply): Script =>
  () =>
    reply;
export const tools = [{ name: 'look', parameters: { type: 'object', properties: { at: { type: 'string' } } } }];
export const look = (at: string) => ({ name: 'look', input: { at } });
