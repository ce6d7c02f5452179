/** Passphrases: from a file, or asked for; never an argument, which others on the machine can see. */
import { askSecret } from './ask.ts';
import { readText, type Session } from './config-session.ts';
import { usageFailure } from './failure.ts';
import { file } from './values.ts';

export const passphraseOption = file('a file whose first line is the passphrase');

interface PassphraseRequest {
  /** As typed with --passphrase-file. */
  readonly file: string | null;
  /** What it is for: `the secrets in the export`. */
  readonly of: string;
  /** Whether it is a new one: it is asked for twice then. */
  readonly isNew: boolean;
  /** The command to run next when it cannot be had. */
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
  const passphrase = await askSecret(dialogue, { ...question, message: `Passphrase for ${of}` });
  if (isNew && (await askSecret(dialogue, { ...question, message: 'The same passphrase again' })) !== passphrase) {
    throw usageFailure(failure, 'The two passphrases are not the same.', next);
  }
  return passphrase;
}
