/** A command's calls to the API of a home, whether a server runs there or not. */
import type { ApiAnswer, RunningServer } from '../cli/ports.ts';
import { OlaError } from '../core/errors.ts';
import type { Clock, Log } from '../core/ports.ts';
import type { Connection } from '../core/server.ts';
import type { Settings } from '../core/settings.ts';
import { runningDatabase } from '../home/config-file.ts';
import { lastConfigFile } from '../home/database-note.ts';
import { type ControlCall, callControl } from '../runtime/control.ts';
import { exists, refuseClosedHome } from '../runtime/files.ts';
import { takeHomeLock } from '../runtime/lock.ts';
import { processId } from '../runtime/process.ts';
import { version } from '../runtime/version.ts';

/** The home that a command works on. */
export interface CalledHome {
  /** Absolute. */
  readonly home: string;
  readonly settings: Settings;
  /** The file that is to govern, absolute; null: as it is. */
  readonly configFile: string | null;
}

/** A command answers by what it prints, not by a log. */
const noLog: Log = { log: () => undefined };

/** Who holds a home now; null when no process does. @throws OlaError for another user's home */
export function whoHolds(home: string, now: Clock): RunningServer | null {
  refuseClosedHome(home);
  if (!exists(`${home}/ola.lock`)) return null;
  const lock = takeHomeLock(home, { pid: processId, version, address: null, configFile: null, startedAt: now() });
  if (!('heldBy' in lock)) {
    lock.release();
    return null;
  }
  const { heldBy } = lock;
  return {
    pid: heldBy?.pid ?? 0,
    version: heldBy?.version ?? 'unknown',
    address: heldBy?.address ?? 'unknown',
    configFile: heldBy?.configFile ?? null,
    startedAt: heldBy?.startedAt ?? 0,
  };
}

interface CallPorts {
  readonly now: Clock;
  /** Is given each sentence about what was imported on the way, with a line break. */
  readonly tell: (text: string) => void;
}

/** Through the server that runs, else in this process over the same routes. */
export async function callApi(call: ControlCall, place: CalledHome, ports: CallPorts): Promise<ApiAnswer> {
  refuseClosedHome(place.home);
  const socket = `${place.home}/control.sock`;
  if (place.configFile !== null) await runningDatabase(socket, place.configFile);
  const running = await callControl(socket, call);
  return running === null ? callHere(call, place, ports) : answerOf(running);
}

/** In this process, holding the home for that moment. The gateway is imported for it: a running server has its own. */
async function callHere(
  { method, path, body, headers }: ControlCall,
  { home, settings, configFile }: CalledHome,
  { now, tell }: CallPorts,
): Promise<ApiAnswer> {
  const lastFile = configFile === null && aboutConfiguration.test(path) ? lastConfigFile(home) : null;
  if (lastFile !== null) tellOnce(lastFile, tell);
  const [{ openHome }, { createApp }] = await Promise.all([import('../home/home.ts'), import('../http/app.ts')]);
  const nowhere = { by: 'command', processProviders: [], ownListeners: () => [] } as const;
  const open = await openHome({ path: home, settings, configFile, ...nowhere, now, log: noLog });
  try {
    for (const sentence of open.predecessor.imported) tell(`${sentence}\n`);
    const hosts = { bound: 'localhost', localAddresses: () => [], publicHosts: () => [] };
    const { handle } = createApp({ gateway: open.gateway, hosts, now, log: noLog, requests: null });
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return await answerOf(await handle(request, inProcess));
  } finally {
    await open.close();
  }
}

/** Routes about the document, which is in the file in file mode. Tokens and keys are in the database in both modes. */
const aboutConfiguration = /^\/config(?:\?|$|\/(?:validate|import|export|providers|revisions)\b)/;
let isTold = false;

function tellOnce(file: string, tell: (text: string) => void): void {
  if (isTold) return;
  isTold = true;
  const advice = `Give --config ${file} to work on that file; a server uses the database when it starts without --config.`;
  tell(`The last server took its configuration from ${file}, and this command works on the database. ${advice}\n`);
}

/** Whoever runs the command line over the home's files owns them. */
const inProcess: Connection = {
  kind: 'control',
  peer: () => null,
  awaitBody: () => undefined,
  hold: () => undefined,
  release: () => undefined,
};

async function answerOf(response: Response): Promise<ApiAnswer> {
  try {
    return { status: response.status, body: await response.json(), etag: response.headers.get('etag') };
  } catch (cause) {
    throw new OlaError('internal_error', 'ola gave an answer that is not JSON.', { cause });
  }
}
