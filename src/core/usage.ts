/** The usage and cost of calls: one row for each request, in the order of time. */

/** Tokens as a protocol reports them; null where it said nothing. */
export interface TokenCounts {
  readonly prompt: number | null;
  readonly completion: number | null;
  readonly cacheRead: number | null;
  readonly cacheWrite: number | null;
  /** Those of `cacheWrite` that are kept for an hour. They decide the price and are not stored. */
  readonly cacheWriteHour?: number;
  readonly reasoning: number | null;
}

export const noTokenCounts: TokenCounts = { prompt: null, completion: null, cacheRead: null, cacheWrite: null, reasoning: null };

/** One try at one upstream with one credential. */
export interface AttemptRecord {
  readonly provider: string;
  readonly model: string;
  /** `profile:ID`, `env:NAME`, `provider-config`, `none`. */
  readonly source: string;
  /** The upstream's status, null when there was none. */
  readonly status: number | null;
  /** Why it failed, null when it did not. */
  readonly error: string | null;
  readonly milliseconds: number;
}

export interface UsageRow {
  /** When the request arrived, milliseconds since 1970; the row id is made from it, so rows are in the order of time. */
  readonly startedAt: number;
  readonly requestId: string;
  readonly subject: string;
  readonly tokenId: string | null;
  readonly project: string | null;
  /** The client's address, null over the control socket. */
  readonly client: string | null;
  readonly endpoint: string;
  /** The model as the client wrote it. */
  readonly requested: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly profile: string | null;
  readonly source: string | null;
  readonly stream: boolean;
  /** The status that the client got; 499 when it left first. */
  readonly status: number;
  readonly error: string | null;
  /** The upstream's own word for the end of its answer, where ola does not know it and told the client `stop`. */
  readonly stop?: string;
  readonly tokens: TokenCounts;
  /** Micro-dollars, null when the price is unknown. */
  readonly costMicros: number | null;
  readonly priceVersion: string | null;
  readonly firstByteMs: number | null;
  readonly latencyMs: number;
  /** All tries, null when the first one did it. */
  readonly attempts: readonly AttemptRecord[] | null;
}

/** Requests added up. */
export interface UsageCounts {
  readonly requests: number;
  /** Requests that ended with an error. */
  readonly errors: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Requests whose cost is known. */
  readonly priced: number;
  /** What those cost, in micro-dollars. */
  readonly costMicros: number;
  /** The sum of all latencies, in milliseconds. */
  readonly latencyMs: number;
}

export const noUsage: UsageCounts = {
  requests: 0,
  errors: 0,
  promptTokens: 0,
  completionTokens: 0,
  priced: 0,
  costMicros: 0,
  latencyMs: 0,
};

/** What the requests of one hour have in common with the others of their group. */
export interface UsageHour extends UsageCounts {
  /** Hours since 1970. */
  readonly hour: number;
  /** Number of the group within the hour: the next slice begins behind it. */
  readonly kind: number;
  readonly endpoint: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly profile: string | null;
  readonly source: string | null;
  readonly project: string | null;
  readonly subject: string;
  readonly tokenId: string | null;
}

/** A place in the hours: those behind it come next. */
export type UsagePlace = Pick<UsageHour, 'hour' | 'kind'>;

/** A row with its place in the order of time: a whole number, different for each row. */
export interface PlacedUsage {
  readonly place: number;
  readonly row: UsageRow;
}

export interface UsageStore {
  append(rows: readonly UsageRow[]): Promise<void>;
  /** Newest first. */
  recent(limit: number): Promise<UsageRow[]>;
  /** Newest first. @param before the place of a row; null: the newest of all */
  page(limit: number, before: number | null): Promise<PlacedUsage[]>;
  /** The newest row of a request id; null when none of the newest 100,000 rows has it: a client may use an id twice. */
  find(requestId: string): Promise<UsageRow | null>;
  /** A slice of the hours, the oldest first: at most `limit` that come behind `after`. */
  hours(after: UsagePlace, limit: number): Promise<UsageHour[]>;
}
