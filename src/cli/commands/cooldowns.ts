/** `ola auth cooldowns`: the credentials that are left alone for a while, and the end of it. */
import { isObject } from '../../core/json.ts';
import { callApi, listAll, unexpected } from '../api.ts';
import { command } from '../command.ts';
import { configOption } from '../config-session.ts';
import { usageFailure } from '../failure.ts';
import { exitCodes } from '../ports.ts';
import { fromNow, jsonText, printable, table } from '../text.ts';
import { json, optional } from '../values.ts';

const path = '/config/cooldowns';

export const cooldowns = command({
  path: ['auth', 'cooldowns'],
  onDemo: 'follows',
  summary: 'List the credentials that cool down, or end the cooldowns of one',
  description:
    'A credential cools down when its provider limits or refuses it: calls pass it over until then. It heals by itself. `clear` makes it usable at once, for example after you have paid.',
  options: { config: configOption, json },
  arguments: {
    action: optional('clear; left out: list'),
    credential: optional('id of the credential to clear, as the list shows it'),
  },
  examples: [
    { command: 'ola auth cooldowns', note: 'what cools down, why, and until when' },
    { command: 'ola auth cooldowns clear env:GROQ_API_KEY', note: 'use it again at once' },
    { command: 'ola auth cooldowns --json', note: 'for scripts' },
  ],
  async run({ ports }, { config: configFile, json: asJson }, { action, credential }) {
    if (action !== undefined) {
      const failure = 'nothing was cleared';
      if (action !== 'clear') throw usageFailure(failure, 'The only action is `clear`.', 'ola auth cooldowns --help');
      if (credential === undefined) throw usageFailure(failure, 'Name the credential.', 'ola auth cooldowns');
      const call = { method: 'DELETE', path: `${path}/${encodeURIComponent(credential)}`, failure, configFile } as const;
      const answer = await callApi(ports, call);
      const ended = isObject(answer) ? answer['ended'] : undefined;
      if (typeof ended !== 'number') throw unexpected(failure);
      const words = ended === 0 ? 'it did not cool down' : `${ended} cooldown${ended === 1 ? '' : 's'} ended`;
      ports.terminal.out(asJson ? jsonText(answer) : `${printable(credential)}: ${words}\n`);
      return exitCodes.ok;
    }
    const failure = 'the cooldowns could not be listed';
    const data = await listAll(ports, path, failure, { configFile });
    if (asJson) {
      ports.terminal.out(jsonText({ object: 'list', data, hasMore: false, nextCursor: null }));
      return exitCodes.ok;
    }
    if (data.length === 0) {
      ports.terminal.err('No credential cools down.\n');
      return exitCodes.ok;
    }
    const rows = data.map((item) => rowOf(item, ports.now(), failure));
    ports.terminal.out(table(['CREDENTIAL', 'PROVIDER', 'MODEL', 'WHY', 'ENDS'], rows, 'MODEL', ports.terminal.columns));
    return exitCodes.ok;
  },
});

/** The reasons of the API in words. */
const reasons: Readonly<Record<string, string>> = {
  rate_limit: 'too many calls',
  entitlement: 'may not use it',
  billing: 'no credit',
  auth: 'refused',
  forced: 'forced',
};

function rowOf(item: unknown, now: number, failure: string): string[] {
  const { credential, provider, model, reason, until } = isObject(item) ? item : {};
  const ends = Date.parse(String(until));
  if (typeof credential !== 'string' || typeof provider !== 'string' || Number.isNaN(ends)) throw unexpected(failure);
  return [
    credential,
    provider,
    typeof model === 'string' ? model : 'all',
    reasons[String(reason)] ?? String(reason),
    fromNow(ends, now),
  ];
}
