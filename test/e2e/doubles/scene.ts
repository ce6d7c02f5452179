/** The binary before doubles of both protocols, asked by both official packages: a model of its own for each scene. */
import { expect } from 'bun:test';
import { type Heard, type Question, type Sdk, sdksOf } from '../sdks.ts';
import { adminToken, type Ola, type Stage } from '../stage.ts';
import type { Received, Upstream } from '../upstream.ts';
import { anthropic } from './anthropic.ts';
import { codex, codexLogin } from './codex.ts';
import { converse } from './converse.ts';
import { google } from './google.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import { responses } from './responses.ts';
import { type Fields, fieldsOf, type Reply, type Script } from './script.ts';

const doubles = { openai, anthropic, google, ollama, converse, responses, codex };
/** A protocol of an upstream. */
export type Up = keyof typeof doubles;
/** A protocol of clients and of upstreams. */
export type Side = 'openai' | 'anthropic';
export const sides: readonly Side[] = ['openai', 'anthropic'];
/** The client's side, and the upstream's. */
export const pairs = sides.flatMap((client) => sides.map((up) => [client, up] as const));
export const crossed = pairs.filter(([client, up]) => client !== up);

/** The provider that speaks each protocol. */
export const providerOf: Readonly<Record<Up, string>> = {
  openai: 'chat',
  anthropic: 'messages',
  google: 'gem',
  ollama: 'box',
  converse: 'bedrock',
  responses: 'answers',
  codex: 'openai-codex',
};
const endpoints = {
  openai: ['openai-completions', '/v1'],
  anthropic: ['anthropic-messages', ''],
  google: ['google-generative-ai', '/v1beta'],
  ollama: ['ollama', ''],
  converse: ['bedrock-converse-stream', ''],
  responses: ['openai-responses', '/v1'],
  codex: ['openai-codex-responses', '/backend-api'],
} as const;

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
  addProvider(id: string, up: Up, more?: Fields): Promise<void>;
  scene(client: Side, up: Up, script: Script, at?: Place): Scene;
}

/**
 * @param models that the common providers list, with what is known of them
 * @param ups that get a common provider
 */
export async function scenesOn(
  { start, upstream }: Stage,
  models: readonly Fields[] = [],
  ups: readonly Up[] = sides,
): Promise<Scenes> {
  const [ola, server] = await Promise.all([start(), upstream()]);
  const addProvider: Scenes['addProvider'] = async (id, up, more = {}) => {
    const [api, path] = endpoints[up];
    const place = { api, baseUrl: `http://127.0.0.1:${server.port}${path}`, allowLocal: true };
    const region = up === 'converse' ? { region: 'eu-west-1' } : {};
    const key = up === 'codex' ? {} : { apiKey: `key-of-${id}-0123456789` };
    const put = async (section: string, body: Fields) => {
      const { status, text } = await ola.ask('PUT', `/config/${section}`, body);
      expect(`${status} ${text}`).toStartWith('200 ');
    };
    await put(`providers/${id}`, { ...place, ...region, ...key, ...more });
    if (up === 'codex') await put(`auth-profiles/${id}:me`, codexLogin);
  };
  for (const up of ups) await addProvider(providerOf[up], up, { models });
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
