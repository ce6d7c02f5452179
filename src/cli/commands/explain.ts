/** `ola models explain` and `ola explain`: how a model would be called now, and how a request was answered. */
import { isObject } from '../../core/json.ts';
import { callApi, unexpected } from '../api.ts';
import { command } from '../command.ts';
import { configOption } from '../config-session.ts';
import { exitCodes } from '../ports.ts';
import { fromNow, jsonText, pairs, printable, table } from '../text.ts';
import { choice, json, optional, required } from '../values.ts';

type Fields = Readonly<Record<string, unknown>>;
const objects = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : []);
const shown = (value: unknown): string => printable(typeof value === 'string' || typeof value === 'number' ? String(value) : '-');

export const explainModel = command({
  path: ['models', 'explain'],
  onDemo: 'follows',
  summary: 'Show how a model would be called now, and why',
  description:
    'Nothing is sent to a provider. The list has every credential in the order in which a call tries them, then those that are not used, with the reason.',
  options: {
    operation: choice('OPERATION', 'kind of call', { of: ['chat', 'embeddings'], initial: 'chat' }),
    config: configOption,
    json,
  },
  arguments: { model: optional('name of the model as in a request; left out: the default model') },
  examples: [
    { command: 'ola models explain groq/llama-3.3-70b-versatile', note: 'which key, which fallback' },
    { command: 'ola models explain openai/gpt-4o --json', note: 'for scripts' },
  ],
  async run({ ports }, { operation, config: configFile, json: asJson }, { model }) {
    const failure = 'the model could not be explained';
    const query = new URLSearchParams({ ...(model === undefined ? {} : { model }), operation });
    const found = await callApi(ports, { method: 'GET', path: `/config/explain?${query}`, failure, configFile });
    if (!isObject(found)) throw unexpected(failure);
    ports.terminal.out(asJson ? jsonText(found) : words(found, ports.now(), ports.terminal.columns));
    return exitCodes.ok;
  },
});

function words(found: Fields, now: number, columns: number | null): string {
  const { error } = found;
  const attempts = objects(found['attempts']);
  const head = isObject(error)
    ? `${shown(found['model'])} cannot be called: ${shown(error['message'])}\n`
    : pairs([
        ['provider', shown(found['provider'])],
        ['model', shown(found['upstreamModel'])],
        ['attempts', `${shown(found['mostAttempts'])} at most`],
      ]);
  const rows = attempts.map((attempt, index) => [
    attempt['standing'] === 'cooling' ? '-' : String(index + 1),
    shown(attempt['provider']),
    shown(attempt['model']),
    shown(attempt['credential']),
    standingWords(attempt, now),
  ]);
  const passed = objects(found['passed']).map((each) => [shown(each['provider']), shown(each['credential']), shown(each['why'])]);
  const unusable = objects(found['fallbacks'])
    .filter(({ why }) => typeof why === 'string')
    .map((each) => [shown(each['model']), shown(each['why'])]);
  return [
    head,
    rows.length === 0 ? '' : `\n${table(['TRY', 'PROVIDER', 'MODEL', 'CREDENTIAL', 'NOW'], rows, 'MODEL', columns)}`,
    passed.length === 0 ? '' : `\nNot used:\n${table(['PROVIDER', 'CREDENTIAL', 'WHY'], passed, 'WHY', columns)}`,
    unusable.length === 0 ? '' : `\nFallbacks that cannot be used:\n${table(['MODEL', 'WHY'], unusable, 'WHY', columns)}`,
  ].join('');
}

function standingWords({ standing, readyAt }: Fields, now: number): string {
  const at = Date.parse(String(readyAt));
  if (standing === 'cooling') return Number.isNaN(at) ? 'cools down' : `cools down, again ${fromNow(at, now)}`;
  if (standing === 'probe') return 'one call tries it again';
  return standing === 'last' ? 'failed a moment ago: last' : 'ready';
}

export const explainRequest = command({
  path: ['explain'],
  onDemo: 'follows',
  summary: 'Show how a request was answered, with every attempt',
  description: 'The id is in the header X-Request-Id of the answer, and in the log of requests.',
  options: { config: configOption, json },
  arguments: { request: required('id of a request') },
  examples: [
    { command: 'ola explain req_7f0c1b52-4f0e-4c1f-9f4e-0d3a5a2b7c61', note: 'who was tried, what came' },
    { command: 'ola explain req_7f0c1b52-4f0e-4c1f-9f4e-0d3a5a2b7c61 --json', note: 'for scripts' },
  ],
  async run({ ports }, { config: configFile, json: asJson }, { request }) {
    const failure = 'the request could not be explained';
    const path = `/config/requests/${encodeURIComponent(request)}`;
    const found = await callApi(ports, { method: 'GET', path, failure, configFile });
    const row = isObject(found) ? found['request'] : undefined;
    if (!isObject(found) || !isObject(row)) throw unexpected(failure);
    if (asJson) {
      ports.terminal.out(jsonText(found));
      return exitCodes.ok;
    }
    const code = typeof row['error'] === 'string' ? ` ${printable(row['error'])}` : '';
    const head = pairs([
      ['time', shown(row['started_at'])],
      ['by', shown(row['token'])],
      ['asked for', shown(row['requested'])],
      ['status', `${shown(row['status'])}${code}`],
      ['tokens', `${shown(row['prompt_tokens'])} + ${shown(row['completion_tokens'])}`],
      ['cost', typeof row['total_cost'] === 'number' ? `$${row['total_cost']}` : 'not known'],
      ['took', `${shown(row['latency_ms'])} ms`],
    ]);
    const rows = objects(found['attempts']).map((attempt, index) => [
      String(index + 1),
      shown(attempt['provider']),
      shown(attempt['model']),
      shown(attempt['credential']),
      shown(attempt['status']),
      typeof attempt['error'] === 'string' ? printable(attempt['error']) : 'answered',
      typeof attempt['milliseconds'] === 'number' ? `${attempt['milliseconds']} ms` : '',
    ]);
    const columns = ['TRY', 'PROVIDER', 'MODEL', 'CREDENTIAL', 'STATUS', 'OUTCOME', 'AFTER'];
    const tried = table(columns, rows, 'MODEL', ports.terminal.columns);
    const { now } = found;
    const present = isObject(now) ? `\nThe same call now:\n${words(now, ports.now(), ports.terminal.columns)}` : '';
    ports.terminal.out(`${head}\n${tried}${present}`);
    return exitCodes.ok;
  },
});
