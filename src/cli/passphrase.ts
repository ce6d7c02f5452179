/** Passphrases come from a file or from a question. They are never arguments: other users of the machine can see those. */
import { leastPassphrase } from '../core/vault.ts';
import { askSecret } from './ask.ts';
import { readText, type Session } from './config-session.ts';
import { usageFailure } from './failure.ts';
import { file } from './values.ts';

export const passphraseOption = file('a file whose first line is the passphrase');

interface PassphraseRequest {
  /** The path typed with --passphrase-file; null without it. */
  readonly file: string | null;
  /** The data that the passphrase protects, for the question: `the secrets in the export`. */
  readonly of: string;
  /** True when the passphrase seals: the question is then asked twice. False when it opens. */
  readonly isNew: boolean;
  /** The command to run next when there is no passphrase. */
  readonly next: string;
}

/** @throws Failure */
export async function readPassphrase(
  session: Pick<Session, 'ports' | 'failure'>,
  { file: path, of, isNew, next }: PassphraseRequest,
): Promise<string> {
  const { ports, failure } = session;
  if (path !== null) {
    const passphrase = (await readText(session, path)).split(/\r?\n/, 1)[0] ?? '';
    if (passphrase === '') throw usageFailure(failure, `The first line of ${path} is empty.`, next);
    return passphrase;
  }
  const question = { failure, next, instead: 'Use --passphrase-file FILE.' };
  const { dialogue } = ports.terminal;
  const first = { ...question, message: `Passphrase for ${of}` };
  if (!isNew) return askSecret(dialogue, first);
  const isShort = (text: string) =>
    [...text].length < leastPassphrase ? `Use at least ${leastPassphrase} characters.` : undefined;
  for (;;) {
    const passphrase = await askSecret(dialogue, { ...first, refuse: isShort });
    if ((await askSecret(dialogue, { ...question, message: 'The same passphrase again' })) === passphrase) return passphrase;
    ports.terminal.err('The two passphrases differ. Type them again.\n');
  }
}
