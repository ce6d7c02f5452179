/** The app in this process, over the real gateway: a request in, a response out, no socket between. */
import type { EndedRequest } from '../../src/core/request-log.ts';
import type { Connection } from '../../src/core/server.ts';
import { type App, createApp } from '../../src/http/app.ts';
import { open as openGateway, own, type Scene, type SceneOptions } from '../gateway/scene.ts';

export interface AppScene extends Scene {
  readonly app: App;
  /** What the log of requests was told. */
  readonly requests: EndedRequest[];
  /** Tokens by what they may do. */
  readonly tokens: Readonly<Record<'read' | 'write' | 'admin', string>>;
  /** Sends a request as it stands, with a Host that is served unless it has its own. */
  ask(method: string, path: string, init?: RequestInit): Promise<Response>;
}

export interface AppOptions extends SceneOptions {
  readonly bound?: string;
  readonly localAddresses?: readonly string[];
  readonly publicHosts?: readonly string[];
  /** Whether requests are logged; default true. */
  readonly logRequests?: boolean;
}

export async function open(path: string, options: AppOptions = {}): Promise<AppScene> {
  const scene = await openGateway(path, options);
  const requests: EndedRequest[] = [];
  const { gateway } = scene;
  const app = createApp({
    gateway,
    hosts: {
      bound: options.bound ?? '127.0.0.1',
      localAddresses: () => options.localAddresses ?? [],
      publicHosts: () => options.publicHosts ?? noHosts,
    },
    now: () => scene.now,
    log: { log: (level, message, fields) => void scene.log.push({ level, message, fields }) },
    requests: { on: () => options.logRequests ?? true, add: (request) => void requests.push(request) },
  });
  const make = async (scope: 'read' | 'write' | 'admin') =>
    (await gateway.tokens.create({ name: scope, scopes: [scope], expiresAt: null }, own)).token;
  const tokens = { read: await make('read'), write: await make('write'), admin: await make('admin') };
  const network: Connection = {
    kind: 'network',
    peer: () => '127.0.0.1',
    awaitBody: () => undefined,
    hold: () => undefined,
    release: () => undefined,
  };
  return Object.assign(scene, {
    app,
    requests,
    tokens,
    async ask(method: string, target: string, init: RequestInit = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has('host')) headers.set('host', '127.0.0.1:9090');
      return app.handle(new Request(`http://127.0.0.1:9090${target}`, { ...init, method, headers }), network);
    },
  });
}

/** One object: a changed list is another one. */
const noHosts: readonly string[] = [];
