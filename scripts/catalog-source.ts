/** The data of pi-ai, from which the table of models is made: the fields that are read. */

/** Dollars per million tokens; 0 also where the source has no figure. */
export interface SourcePrices {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** A model as the source describes it, with the fields that are read. */
export interface SourceModel {
  readonly type: string;
  readonly id: string;
  readonly contextWindow: number;
  readonly maxTokens: number;
  readonly cost: SourcePrices & { readonly tiers?: readonly (SourcePrices & { readonly inputTokensAbove: number })[] };
  readonly input: readonly string[];
  readonly reasoning: boolean;
  /** Words for levels of effort; null: no such level. `xhigh` and `max` exist only where they are named. */
  readonly thinkingLevelMap?: Readonly<Record<string, string | null>>;
  readonly compat?: {
    readonly forceAdaptiveThinking?: boolean;
    readonly supportsTemperature?: boolean;
    readonly supportsMidConvoSystemMessages?: boolean;
    readonly supportsStrictTools?: boolean;
    /** The same on Bedrock. */
    readonly supportsStrictMode?: boolean;
  };
}

/** A file of the source: models by protocol and key. */
export type SourceFile = Readonly<Record<string, Readonly<Record<string, SourceModel>>>>;
