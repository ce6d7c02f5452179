/** `usageMetadata` of Google's API, both ways (https://ai.google.dev/api/generate-content#UsageMetadata). */
import { isObject } from '../../core/json.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import { type Fields, member } from './names.ts';

/**
 * The counts of a stream are totals, so that the last ones count. Cached tokens are part of the prompt, thoughts are not part of
 * the candidates, and the results of tools that run at Google are counted apart.
 */
export function readUsage(usage: unknown): TokenCounts {
  if (!isObject(usage)) return noTokenCounts;
  const told = count(usage, 'promptTokenCount');
  const ofTools = count(usage, 'toolUsePromptTokenCount');
  const prompt = told === null && ofTools === null ? null : (told ?? 0) + (ofTools ?? 0);
  const thoughts = count(usage, 'thoughtsTokenCount');
  const candidates = count(usage, 'candidatesTokenCount') ?? restOf(count(usage, 'totalTokenCount'), prompt, thoughts);
  return {
    prompt,
    completion: candidates === null && thoughts === null ? null : (candidates ?? 0) + (thoughts ?? 0),
    cacheRead: count(usage, 'cachedContentTokenCount'),
    cacheWrite: null,
    reasoning: thoughts,
  };
}

/** An answer without visible tokens has no count of them, but a total. */
function restOf(total: number | null, prompt: number | null, thoughts: number | null): number | null {
  return total === null || prompt === null ? null : Math.max(0, total - prompt - (thoughts ?? 0));
}

/** Clients compute with the counts: one that is not known is 0, but for those that an answer may lack. */
export function writeUsage({ prompt, completion, cacheRead, reasoning }: TokenCounts): Fields {
  return {
    promptTokenCount: prompt ?? 0,
    candidatesTokenCount: Math.max(0, (completion ?? 0) - (reasoning ?? 0)),
    totalTokenCount: (prompt ?? 0) + (completion ?? 0),
    ...(cacheRead === null ? {} : { cachedContentTokenCount: cacheRead }),
    ...(reasoning === null ? {} : { thoughtsTokenCount: reasoning }),
  };
}

function count(usage: Fields, name: string): number | null {
  const value = member(usage, name);
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
