/** The command line over the real gateway: what a command calls is answered by the app, as over the control socket. */
import type { Connection } from '../../src/core/server.ts';
import { createApp } from '../../src/http/app.ts';
import { type Scene as GatewayScene, open as openGateway, type SceneOptions } from '../gateway/scene.ts';
import { type Call, type Ended, ola, type Scene } from './ola.ts';

export interface GatewayOla extends AsyncDisposable {
  readonly gateway: GatewayScene;
  /** Files by path, for every command of this scene. */
  readonly files: Map<string, string>;
  run(argv: readonly string[], scene?: Moment): Promise<Ended>;
}

export interface Moment extends Omit<Scene, 'answer' | 'files'> {
  /** Happens before a call is answered. */
  readonly before?: (call: Call) => Promise<void>;
}

const control: Connection = {
  kind: 'control',
  peer: () => null,
  awaitBody: () => undefined,
  hold: () => undefined,
  release: () => undefined,
};

/** @param path an empty directory, for the database */
export async function open(path: string, options: SceneOptions = {}): Promise<GatewayOla> {
  const gateway = await openGateway(path, options);
  const hosts = { bound: 'localhost', localAddresses: () => [], publicHosts: () => [] };
  const { handle } = createApp({
    gateway: gateway.gateway,
    hosts,
    now: () => gateway.now,
    log: { log: () => undefined },
    requests: null,
  });
  const { file } = options;
  const files = new Map<string, string>(file === undefined ? [] : [[file.path, file.text]]);
  const answer: NonNullable<Scene['answer']> = async ({ method, path: target, body, options: { headers = {} } = {} }) => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const request = new Request(`http://localhost${target}`, { method, ...init, headers: { ...headers, ...type } });
    const response = await handle(request, control);
    return { status: response.status, body: await response.json(), etag: response.headers.get('etag') };
  };
  return {
    gateway,
    files,
    async run(argv, { before, ...scene } = {}) {
      const answerAfter: Scene['answer'] = async (call) => {
        await before?.(call);
        return answer(call);
      };
      const ended = await ola(argv, { ...scene, answer: answerAfter, files });
      // As the watch does it.
      if (file !== undefined) await gateway.gateway.config.reload(files.get(file.path) ?? null);
      return ended;
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}
