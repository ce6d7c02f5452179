/** The gateway over a real database in a directory of its own, behind the real door out; only names resolve by a table. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCatalog } from '../../src/catalog/lookup.ts';
import { localPrincipal } from '../../src/core/access.ts';
import type { AwsPorts } from '../../src/core/aws.ts';
import { OlaError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Dial, LogLevel } from '../../src/core/ports.ts';
import type { Programs } from '../../src/core/programs.ts';
import type { Store } from '../../src/core/store.ts';
import { createVault, parseKeys } from '../../src/credentials/vault.ts';
import { createEgress } from '../../src/egress/dial.ts';
import { digestOf } from '../../src/gateway/access/tokens.ts';
import type { ConfigFile } from '../../src/gateway/config/config.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import type { InferenceCall, InferenceRequest } from '../../src/gateway/inference/call.ts';
import type { Requester } from '../../src/gateway/records/audit.ts';
import type { ProcessProvider } from '../../src/gateway/routing/registry.ts';
import type { GatewaySettings } from '../../src/gateway/view.ts';
import { protocols } from '../../src/protocols/all.ts';
import { openaiCompletions } from '../../src/protocols/openai-completions/protocol.ts';
import { createTranslator } from '../../src/protocols/translate.ts';
import { dial } from '../../src/runtime/dial.ts';
import { keySource, loadKeyRing } from '../../src/runtime/keys.ts';
import { createPrograms } from '../../src/runtime/programs.ts';
import { openSqlite } from '../../src/runtime/sqlite.ts';
import { openStore } from '../../src/store/open.ts';

export const start = 1_760_000_000_000;
export const own: Requester = { principal: localPrincipal, requestId: 'req_1', clientIp: null, userAgent: null };

export interface Scene extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly store: Store;
  /** The clock, to be set. */
  now: number;
  readonly log: { readonly level: LogLevel; readonly message: string; readonly fields: unknown }[];
  /** Every byte that is on the disk. */
  onDisk(): string;
}

export interface SceneOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly settings?: Partial<GatewaySettings>;
  readonly processProviders?: readonly ProcessProvider[];
  /** The file that governs. */
  readonly file?: ConfigFile;
  /** Absent: none is found. */
  readonly programs?: Programs;
  /** The files of the host; absent: it has none. */
  readonly aws?: AwsPorts;
  /** In place of the real last step. */
  readonly dial?: Dial;
  /** Files that it names, by path. */
  readonly secretFiles?: Readonly<Record<string, string>>;
}

const vendors: readonly string[] = [
  'api.openai.com',
  'api.x.ai',
  'api.groq.com',
  'oauth2.googleapis.com',
  'europe-west1-aiplatform.googleapis.com',
];

/** Names under `.inside.example` are private, others under `.example` and those of vendors public, and no other resolves. */
async function resolve(name: string): Promise<readonly string[]> {
  if (name.endsWith('.inside.example')) return ['10.0.0.1'];
  if (name.endsWith('.example') || vendors.includes(name)) return ['93.184.216.34'];
  throw new Error(`no such name: ${name}`);
}

/** @param path a directory, its database made when it is not there */
export async function open(path: string, options: SceneOptions = {}): Promise<Scene> {
  const log: Scene['log'] = [];
  const sink = { log: (level: LogLevel, message: string, fields?: unknown) => void log.push({ level, message, fields }) };
  const now = () => scene.now;
  const store = openStore({ database: openSqlite(join(path, 'state.sqlite3')), now: () => start, backUp: () => undefined });
  const scene = { now: start } as { now: number };
  const keys = { home: path, env: {}, parse: parseKeys };
  const gateway = await createGateway({
    store,
    vault: createVault(loadKeyRing({ ...keys, secretsExist: false })),
    keySource: keySource(keys),
    egress: (policy) =>
      createEgress({
        policy,
        resolve,
        dial: options.dial ?? dial,
        now,
        ownListeners: () => [],
        localAddresses: () => [],
        log: sink,
      }),
    programs: options.programs ?? createPrograms({}),
    catalog: createCatalog(protocols.map(({ id }) => id)),
    protocols,
    translator: createTranslator(protocols, digestOf),
    environment: options.environment ?? {},
    ...(options.aws === undefined ? {} : { aws: options.aws }),
    settings: {
      adminToken: null,
      proxyKey: null,
      everyProviderLocal: false,
      insecureHttp: false,
      envReferences: [],
      ...options.settings,
    },
    processProviders: options.processProviders ?? [],
    file: options.file ?? null,
    readSecretFile: (named) => options.secretFiles?.[named] ?? null,
    place: { home: path, database: join(path, 'state.sqlite3') },
    version: '0.1.0',
    now,
    log: sink,
  });
  return Object.assign(scene, {
    gateway,
    store,
    log,
    onDisk: () =>
      readdirSync(path)
        .map((name) => readFileSync(join(path, name), 'latin1'))
        .join('\n'),
    async [Symbol.asyncDispose]() {
      await gateway.flush();
      store.close();
    },
  });
}

/** A call over OpenAI's API, with nobody at the other end of it. */
export function callOver(rest: Partial<InferenceCall> = {}): InferenceCall {
  return {
    principal: localPrincipal,
    requestId: 'req_1',
    client: null,
    protocol: openaiCompletions,
    profile: null,
    session: () => null,
    via: null,
    startedAt: start,
    signal: new AbortController().signal,
    keepOpen: () => undefined,
    ended: null,
    ...rest,
  };
}

/** A body as the route takes it. */
export function requestOf(path: string, fields: JsonObject): InferenceRequest {
  const route = openaiCompletions.clientRoutes.find((each) => each.path === path);
  if (route === undefined) throw new Error(`there is no route ${path}`);
  const body = { text: JSON.stringify(fields), fields };
  return { route, body, params: {}, peek: route.peek(body, {}), query: '', headers: null };
}

/** What a call to a model is refused with, before anything is sent. */
export async function refusalOf({ gateway }: Scene, model: string): Promise<OlaError> {
  const request = requestOf('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hello' }] });
  const thrown: unknown = await gateway.inference.run(callOver(), request).catch((error: unknown) => error);
  if (thrown instanceof OlaError) return thrown;
  throw new Error('it was not refused');
}

/** A variable as a document names it. */
export const variable = (name: string) => `\${${name}}`;
