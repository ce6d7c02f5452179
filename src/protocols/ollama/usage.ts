/** The token counts of Ollama's answers, both ways (https://docs.ollama.com/api/usage). */
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Ollama leaves out a count that is 0, and in older versions that of a prompt which it had in its cache: it is not known. */
export function readUsage({ prompt_eval_count: prompt, eval_count: completion }: Fields): TokenCounts {
  return { ...noTokenCounts, prompt: count(prompt), completion: count(completion) };
}

/** Ollama's clients take an absent count for 0. */
export function writeUsage({ prompt, completion }: TokenCounts): Fields {
  return {
    ...(prompt === null ? {} : { prompt_eval_count: prompt }),
    ...(completion === null ? {} : { eval_count: completion }),
  };
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
