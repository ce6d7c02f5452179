import type { TokenCounts } from '../core/usage.ts';

/** The meaning of a stream's events, one after the other. */
export interface Reading {
  /** Takes an event that is a JSON object. @returns whether it goes on to the client */
  take(event: Readonly<Record<string, unknown>>): boolean;
  /** Something has come that a client can use. */
  readonly begun: boolean;
  /** The last event may come: there is an answer. */
  readonly answered: boolean;
  /** The stream may end here, in order, without its last event. */
  readonly ended: boolean;
  /** The event that was taken is the last one. */
  readonly last: boolean;
  readonly tokens: TokenCounts;
}
