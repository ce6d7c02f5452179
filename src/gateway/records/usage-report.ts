/** Reports of usage: sums of hours, read in slices, so that no stream waits for a report over a year. */
import { noUsage, type UsageCounts, type UsageHour, type UsageStore } from '../../core/usage.ts';

/** Whole hours since 1970; `to` is the first one that does not count. */
export interface UsageWindow {
  readonly from: number;
  readonly to: number;
}

/** Fields by which requests are grouped. */
export type UsageField = 'endpoint' | 'provider' | 'model' | 'profile' | 'source' | 'project' | 'subject' | 'tokenId';

export type UsageGroup = Pick<UsageHour, UsageField> & UsageCounts;

export interface UsageReport {
  readonly window: UsageWindow;
  readonly total: UsageCounts;
  /** Hours without requests are not there. */
  readonly hours: ReadonlyMap<number, UsageCounts>;
  /** What the requests of the window have in common, with their sums. */
  readonly groups: readonly UsageGroup[];
}

/** Sums read at once: some milliseconds' work. */
const sliceLength = 1000;

/** @param counts whether a group counts; absent: all do */
export async function usageReport(
  store: Pick<UsageStore, 'hours'>,
  window: UsageWindow,
  counts: (group: UsageHour) => boolean = () => true,
): Promise<UsageReport> {
  const hours = new Map<number, UsageCounts>();
  const groups = new Map<number, UsageGroup>();
  let total = noUsage;
  let slice: UsageHour[] = [];
  let after = { hour: window.from - 1, kind: Number.MAX_SAFE_INTEGER };
  do {
    slice = await store.hours(after, sliceLength);
    for (const each of slice) {
      if (each.hour >= window.to) break;
      if (!counts(each)) continue;
      total = addUsage(total, each);
      hours.set(each.hour, addUsage(hours.get(each.hour) ?? noUsage, each));
      groups.set(each.kind, { ...each, ...addUsage(groups.get(each.kind) ?? noUsage, each) });
    }
    after = slice.at(-1) ?? after;
    // The streams that run get their turn.
    await new Promise((resolve) => setImmediate(resolve));
  } while (slice.length === sliceLength && after.hour < window.to);
  return { window, total, hours, groups: [...groups.values()] };
}

/** The groups with the same values of these fields as one, the ones with the most requests first. */
export function groupUsage(report: UsageReport, fields: readonly UsageField[]): UsageGroup[] {
  const found = new Map<string, UsageGroup>();
  for (const group of report.groups) {
    const key = JSON.stringify(fields.map((field) => group[field]));
    const known = found.get(key);
    found.set(key, known === undefined ? group : { ...known, ...addUsage(known, group) });
  }
  return [...found.values()].sort((one, other) => other.requests - one.requests);
}

export function addUsage(one: UsageCounts, other: UsageCounts): UsageCounts {
  return {
    requests: one.requests + other.requests,
    errors: one.errors + other.errors,
    promptTokens: one.promptTokens + other.promptTokens,
    completionTokens: one.completionTokens + other.completionTokens,
    priced: one.priced + other.priced,
    costMicros: one.costMicros + other.costMicros,
    latencyMs: one.latencyMs + other.latencyMs,
  };
}
