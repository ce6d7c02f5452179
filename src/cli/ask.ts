/** Questions to a person; without a terminal they are refused, with what to type instead. */
import { Failure, usageFailure } from './failure.ts';
import { type Dialogue, exitCodes } from './ports.ts';

interface Question {
  readonly message: string;
  /** What cannot be done without an answer: `the secret was not set`. */
  readonly failure: string;
  /** How to go without a question: a sentence. */
  readonly instead: string;
  /** The command to run next. */
  readonly next: string;
}

/** Loaded for a question: most commands ask none. */
type Prompts = Pick<typeof import('@clack/prompts'), 'confirm' | 'password'>;

/** What is typed is not shown. @throws Failure */
export function askSecret(dialogue: Dialogue | null, question: Question): Promise<string> {
  return ask(
    dialogue,
    question,
    ({ password }, streams) =>
      password({
        ...streams,
        message: question.message,
        validate: (value) => (value === undefined || value === '' ? 'Nothing was typed.' : undefined),
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
  const why = 'It was cancelled; nothing was changed.';
  return new Failure({ code: 'cancelled', what: failure, why, next, exitCode: exitCodes.cancelled });
}
