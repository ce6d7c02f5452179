/** Owns one round of the steps: an upstream double, the gateway before it or none, and the agent in a directory of its own. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { anthropic } from '../../test/e2e/doubles/anthropic.ts';
import { openai } from '../../test/e2e/doubles/openai.ts';
import type { Asked, Script } from '../../test/e2e/doubles/script.ts';
import { answer, type Behaviour, type Upstream, upstream } from '../../test/e2e/upstream.ts';
import { randomSecret, startGateway } from '../bench/gateway.ts';
import { type Address, type Prompt, prompt } from './claude-code.ts';
import { type Step, stepsFor, type World } from './steps.ts';

export interface Target {
  readonly id: string;
  /** For people: what the agent speaks to. */
  readonly name: string;
  readonly double: (script: Script) => Behaviour;
  /** The provider's protocol in ola's configuration; null: the agent speaks to the double itself. */
  readonly api: string | null;
  /** Path of the API below the address of the double. */
  readonly path: string;
  /** The upstream signs its reasoning, so that it must come back. */
  readonly signs: boolean;
}

export const targets: readonly Target[] = [
  { id: 'alone', name: 'the double itself, without ola', double: anthropic, api: null, path: '', signs: true },
  { id: 'anthropic', name: 'ola, Anthropic upstream', double: anthropic, api: 'anthropic-messages', path: '', signs: true },
  { id: 'openai', name: 'ola, OpenAI upstream', double: openai, api: 'openai-completions', path: '/v1', signs: false },
];

export interface Row {
  readonly step: Step;
  readonly target: Target;
  readonly faults: readonly string[];
  /** Requests of the agent: `POST /v1/messages 200`. From the double where there is no gateway. */
  readonly requests: readonly string[];
}

export interface Round {
  readonly binary: string;
  /** The agent's. */
  readonly program: string;
  /** Empty. */
  readonly directory: string;
  /** The beginning of the ids of the steps that are played. */
  readonly only: string;
  readonly say: (words: string) => void;
}

const provider = 'double';

export async function playAll(round: Round, target: Target): Promise<Row[]> {
  const up = await upstream();
  // What names no model: a look whether anybody is there.
  up.modes.set('', answer(404, { type: 'error', error: { type: 'not_found_error', message: 'Not found' } }));
  up.modes.set(
    'small',
    target.double(() => ({ text: 'A title' })),
  );
  const work = join(round.directory, 'work');
  const rows: Row[] = [];
  try {
    const steps = stepsFor(work).filter(({ anthropicAlone }) => anthropicAlone !== true || target.signs);
    for (const step of steps.filter(({ id }) => id.startsWith(round.only))) {
      round.say(`${target.name}: ${step.what}`);
      rows.push(await playOne(round, target, step, up, work));
    }
  } finally {
    await up.close();
  }
  return rows;
}

/** A gateway for each step: a limit that one step meets would cool the credential for the next. */
async function playOne(round: Round, target: Target, step: Step, up: Upstream, work: string): Promise<Row> {
  const asked: Asked[] = [];
  const bodies: string[] = [];
  const script: Script = (each) => {
    asked.push(each);
    return step.script(each);
  };
  const play = target.double(script);
  const { id, model = id, environment = {} } = step;
  up.modes.set(model, (received) => {
    bodies.push(received.body);
    return play(received);
  });
  up.received.length = 0;
  const places = { work, home: join(round.directory, `home-${id}`) };
  for (const path of Object.values(places)) mkdirSync(path, { recursive: true });
  const served = await serve(round, target, { id, model }, up);
  const world: World = {
    work,
    asked,
    bodies,
    signs: target.signs,
    prompt: (text, resume) =>
      prompt(round.program, served.address, places, {
        ...served.models,
        environment,
        text,
        ...(resume === undefined ? {} : { resume }),
      }),
  };
  const faults = await step.play(world);
  return { step, target, faults, requests: await served.end() };
}

interface Served {
  readonly address: Address;
  readonly models: Pick<Prompt, 'model' | 'smallModel'>;
  /** @returns the requests that were served */
  end(): Promise<readonly string[]>;
}

async function serve(
  { binary, directory }: Round,
  { api, path }: Target,
  step: { id: string; model: string },
  up: Upstream,
): Promise<Served> {
  const local = `http://127.0.0.1:${up.port}`;
  if (api === null) {
    return {
      address: { baseUrl: local, key: 'sk-ant-double-0123456789' },
      models: { model: step.model, smallModel: 'small' },
      end: async () => up.received.map(({ head }) => head.split(' HTTP', 1)[0] ?? ''),
    };
  }
  const home = join(directory, `ola-${step.id}`);
  const gateway = await startGateway({ binary, home, token: randomSecret(), cores: null });
  const configure = async (method: string, at: string, body: object): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${gateway.port}${at}`, {
      method,
      headers: { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`ola refused ${at}: ${response.status} ${await response.text()}`);
  };
  // First: it replaces the whole configuration.
  await configure('POST', '/config', { server: { logRequests: true } });
  const row = { api, baseUrl: local + path, apiKey: 'key-of-double-0123456789', allowLocal: true };
  await configure('PUT', `/config/providers/${provider}`, row);
  return {
    address: { baseUrl: `http://127.0.0.1:${gateway.port}`, key: gateway.token },
    models: { model: `${provider}/${step.model}`, smallModel: `${provider}/small` },
    async end() {
      await gateway.child.end();
      return requestsIn(readFileSync(`${home}.log`, 'utf8'));
    },
  };
}

/** The lines of the log of requests, but for those that configure. */
export function requestsIn(log: string): readonly string[] {
  return log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ message, route }) => message === 'request' && !/^\/(config|health)/.test(String(route)))
    .map(({ method, route, status, code }) =>
      [method, route, status, code].filter((word) => word !== undefined && word !== null).join(' '),
    );
}
