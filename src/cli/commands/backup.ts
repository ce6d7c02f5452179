/** `ola backup|restore`: copy the database into a file, and put it back. */
import { OlaError } from '../../core/errors.ts';
import { askWhether } from '../ask.ts';
import { command } from '../command.ts';
import { configOption } from '../config-session.ts';
import { demoOption } from '../demo-home.ts';
import { asFailure, Failure, usageFailure } from '../failure.ts';
import { passphraseOption, readPassphrase } from '../passphrase.ts';
import { exitCodes, type RestoreReport } from '../ports.ts';
import { bytes, jsonText, pairs, printable, shellWord } from '../text.ts';
import { flag, json, required } from '../values.ts';

export const backup = command({
  path: ['backup'],
  onDemo: 'asked',
  summary: 'Copy configuration, tokens and usage into one file',
  description:
    'A server may be running. The secrets in the backup are encrypted. The master key that opens them is not in the backup; --with-key adds it, encrypted with a passphrase. FILE must not exist.',
  options: {
    withKey: flag('add the master key, encrypted with a passphrase'),
    passphraseFile: passphraseOption,
    config: configOption,
    demo: demoOption,
    json,
  },
  arguments: { file: required('the file to create; only its owner can read it') },
  examples: [
    { command: 'ola backup ola.backup', note: 'without the key: keep that somewhere else' },
    { command: 'ola backup ola.backup --with-key --passphrase-file words.txt', note: 'with everything that a restore needs' },
  ],
  async run({ ports }, { withKey, passphraseFile, config: configFile, json: asJson }, { file }) {
    const session = { ports, failure: 'no backup was made' };
    const next = 'ola backup --help';
    if (passphraseFile !== null && !withKey) throw usageFailure(session.failure, '--passphrase-file is for --with-key.', next);
    const wanted = { file: passphraseFile, of: 'the key in the backup', isNew: true, next };
    const passphrase = withKey ? await readPassphrase(session, wanted) : null;
    const made = await ports.backUp({ file, passphrase, configFile }).catch(failed(session.failure, () => next));
    ports.terminal.out(
      asJson
        ? jsonText(made)
        : pairs([
            ['file', made.file],
            ['size', bytes(made.bytes)],
            ['secrets', String(made.secrets)],
            [
              'key',
              `${made.keyId}, in ${made.keySource}; ${made.withKey ? 'also in the backup, encrypted' : 'not in the backup'}`,
            ],
          ]),
    );
    if (!asJson && !made.withKey && made.secrets > 0) {
      const why = 'Without it the secrets in this backup cannot be opened, even after `ola keys rotate` has retired it.';
      ports.terminal.err(`Keep a copy of the master key in another place. ${why}\n`);
    }
    return exitCodes.ok;
  },
});

export const restore = command({
  path: ['restore'],
  onDemo: 'asked',
  summary: 'Replace the current data with a backup',
  description:
    'Stop the server first. The backup is checked completely before anything is changed. The former database is kept beside the new one.',
  options: { passphraseFile: passphraseOption, config: configOption, yes: flag('do not ask'), demo: demoOption, json },
  arguments: { file: required('a file that ola backup made') },
  examples: [
    { command: 'ola restore ola.backup --yes', note: 'without a question, for a script' },
    { command: 'ola restore ola.backup --yes --passphrase-file words.txt', note: 'with the key that the backup contains' },
  ],
  async run({ ports }, { passphraseFile, config: configFile, yes, json: asJson }, { file }) {
    const session = { ports, failure: 'nothing was restored' };
    const next = 'ola restore --help';
    const wanted = { file: passphraseFile, of: 'the key in the backup', isNew: false, next };
    const given = passphraseFile === null ? null : await readPassphrase(session, wanted);
    if (!yes) {
      const message = printable(
        `Replace the data in ${ports.home} with ${file}? The current database is kept beside the new one.`,
      );
      await askWhether(ports.terminal.dialogue, { message, failure: session.failure, instead: 'Use --yes.', next });
    }
    const restored = await ports
      .restore({ file, passphrase: given, configFile })
      .catch(async (thrown: unknown) => {
        // Whether the backup contains the key is known only once it has been read.
        if (given !== null || !isKeyMissing(thrown) || ports.terminal.dialogue === null) throw thrown;
        return ports.restore({ file, passphrase: await readPassphrase(session, wanted), configFile });
      })
      .catch(
        failed(session.failure, (code) => (code === 'conflict' ? `stop the server, then ola restore ${shellWord(file)}` : next)),
      );
    ports.terminal.out(asJson ? jsonText(restored) : people(restored));
    if (!asJson) ports.terminal.err('next: ola serve\n');
    return exitCodes.ok;
  },
});

function isKeyMissing(thrown: unknown): boolean {
  return thrown instanceof OlaError && thrown.code === 'secret_required';
}

/** @param next the command to run next, by error code */
function failed(what: string, next: (code: string) => string): (thrown: unknown) => never {
  return (thrown) => {
    if (!(thrown instanceof OlaError)) throw thrown;
    const { facts } = asFailure(thrown, what);
    throw new Failure({ ...facts, what, next: next(facts.code) });
  };
}

function people({ home, replaced, secrets, keyId, keyWritten }: RestoreReport): string {
  return pairs([
    ['home', home],
    ['former', replaced ?? 'there was none'],
    ['secrets', String(secrets)],
    ['key', keyWritten === null ? keyId : `${keyId}, written to ${keyWritten}`],
  ]);
}
