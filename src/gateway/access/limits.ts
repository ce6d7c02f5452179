/**
 * The use that a caller is permitted: asked before a call, told after it. No limit is configured yet. Kept here are the
 * number of calls under way, which a shutdown tells, and how often a token was used.
 */
import type { Principal } from '../../core/access.ts';
import { OlaError } from '../../core/errors.ts';
import type { TokenCounts } from '../../core/usage.ts';
import type { Tokens } from './tokens.ts';

/** The use that a call may come to. */
export interface Estimate {
  readonly tokens: number;
  /** Micro-dollars; null: the price is unknown. */
  readonly costMicros: number | null;
}

/** The use that a call came to. */
export interface Used {
  readonly tokens: TokenCounts;
  readonly costMicros: number | null;
}

export interface Reservation {
  readonly estimate: Estimate;
  /** Called once. */
  settle(used: Used): void;
}

export interface Limits {
  /** Lets a call in and counts the use of its token. @throws OlaError `shutting_down` */
  admit(principal: Principal): void;
  /** Once a call has a plan: before that, its price is not known. */
  reserve(estimate: Estimate): Reservation;
  /** Lets nothing new in. */
  close(): void;
  inFlight(): number;
}

export function createLimits(tokens: Pick<Tokens, 'used'>): Limits {
  let inFlight = 0;
  let closed = false;
  const settle = () => void inFlight--;
  return {
    admit(principal) {
      if (closed) throw shuttingDown();
      if (principal.tokenId !== null) tokens.used(principal.tokenId);
    },
    reserve(estimate) {
      inFlight++;
      return { estimate, settle };
    },
    close() {
      closed = true;
    },
    inFlight: () => inFlight,
  };
}

export function shuttingDown(): OlaError {
  return new OlaError('shutting_down', 'This gateway is shutting down; try again in a moment.', {
    headers: { 'retry-after': '5', connection: 'close' },
  });
}
