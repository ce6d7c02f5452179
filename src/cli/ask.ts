/** Questions to a person. Without a terminal the command fails, and the error says which option to use instead. */
import { Failure, usageFailure } from './failure.ts';
import { type Dialogue, exitCodes } from './ports.ts';

interface Question {
  readonly message: string;
  /** The `what` line of the error when there is no answer: `the secret was not set`. */
  readonly failure: string;
  /** A sentence that names the option to use instead of answering. */
  readonly instead: string;
  /** The command to run next. */
  readonly next: string;
}

interface SecretQuestion extends Question {
  /** What is wrong with an answer, which is then asked for again; undefined when nothing is. */
  readonly refuse?: (answer: string) => string | undefined;
}

/** The prompts library. It is loaded at the first question, because most commands ask none. */
type Prompts = Pick<typeof import('@clack/prompts'), 'confirm' | 'password'>;

/** Asks for a secret; the typed characters are not shown. @throws Failure */
export function askSecret(dialogue: Dialogue | null, question: SecretQuestion): Promise<string> {
  return ask(
    dialogue,
    question,
    ({ password }, streams) =>
      password({
        ...streams,
        message: question.message,
        validate: (value) => (value === undefined || value === '' ? 'Nothing was typed.' : question.refuse?.(value)),
      }) as Promise<string | symbol>,
  );
}

/** @throws Failure also when the answer is no */
export async function askWhether(dialogue: Dialogue | null, question: Question): Promise<void> {
  const yes = await ask(dialogue, question, ({ confirm }, streams) =>
    confirm({ ...streams, message: question.message, initialValue: false }),
  );
  if (!yes) throw cancelled(question);
}

async function ask<T extends string | boolean>(
  dialogue: Dialogue | null,
  question: Question,
  prompt: (prompts: Prompts, streams: Dialogue) => Promise<T | symbol>,
): Promise<T> {
  if (dialogue === null)
    throw usageFailure(question.failure, `There is no terminal to ask at. ${question.instead}`, question.next);
  const { confirm, isCancel, password } = await import('@clack/prompts');
  const answer = await prompt({ confirm, password }, dialogue);
  if (isCancel(answer)) throw cancelled(question);
  return answer as T;
}

function cancelled({ failure, next }: Question): Failure {
  const why = 'You cancelled it; nothing was changed.';
  return new Failure({ code: 'cancelled', what: failure, why, next, exitCode: exitCodes.cancelled });
}
