/** `ola keys rotate`: seal the stored secrets with a new key. */
import { isObject } from '../../core/json.ts';
import { callApi, unexpected } from '../api.ts';
import { command } from '../command.ts';
import { configOption } from '../config-session.ts';
import { demoOption } from '../demo-home.ts';
import { exitCodes } from '../ports.ts';
import { jsonText, pairs, printable } from '../text.ts';
import { json } from '../values.ts';

export const rotateKeys = command({
  path: ['keys', 'rotate'],
  onDemo: 'asked',
  summary: 'Encrypt all stored secrets with a new master key',
  description:
    'The server keeps running, and interrupting the rotation is safe. The old key is kept, because older backups need it. A key from the environment must be changed there first: put the new key in front of the old one, then restart the server.',
  options: { config: configOption, demo: demoOption, json },
  arguments: {},
  examples: [
    { command: 'ola keys rotate', note: 'after someone may have seen the key' },
    { command: 'ola keys rotate --json', note: 'for scripts' },
  ],
  async run({ ports }, { config: configFile, json: asJson }) {
    const failure = 'the key was not changed';
    const body = await callApi(ports, { method: 'POST', path: '/config/keys/rotate', body: {}, failure, configFile });
    const { keyId, resealed, source, dropped, retiredTo, notes } = isObject(body) ? body : {};
    if (typeof keyId !== 'string' || typeof resealed !== 'number') throw unexpected(failure);
    if (!Array.isArray(dropped) || !Array.isArray(notes)) throw unexpected(failure);
    if (asJson) {
      ports.terminal.out(jsonText(body));
      return exitCodes.ok;
    }
    ports.terminal.out(
      pairs([
        ['key', `${keyId}, in ${String(source)}`],
        ['resealed', `${resealed} secret${resealed === 1 ? '' : 's'}`],
        typeof retiredTo === 'string'
          ? ['retired', dropped.length === 0 ? 'none' : `${dropped.join(', ')}, kept in ${retiredTo}`]
          : ['no longer needed', dropped.length === 0 ? 'none' : dropped.join(', ')],
      ]),
    );
    for (const note of notes) ports.terminal.err(`${printable(String(note))}\n`);
    return exitCodes.ok;
  },
});
