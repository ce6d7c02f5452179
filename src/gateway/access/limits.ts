/**
 * What a caller may use: asked before a call, told after it. No limit is configured yet; what is kept here is how many
 * calls are under way, which a shutdown tells, and how often a token was used.
 */
import type { Principal } from '../../core/access.ts';
import { OlaError } from '../../core/errors.ts';
import type { TokenCounts } from '../../core/usage.ts';
import type { Tokens } from './tokens.ts';

export interface Reservation {
  /** Called once: with what was used, or with nothing when the call did not come about. */
  settle(tokens: TokenCounts | null): void;
}

export interface Limits {
  /** @throws OlaError `shutting_down` */
  reserve(principal: Principal): Reservation;
  /** Lets nothing new in. */
  close(): void;
  inFlight(): number;
}

export function createLimits(tokens: Pick<Tokens, 'used'>): Limits {
  let inFlight = 0;
  let closed = false;
  const settle = () => void inFlight--;
  const reservation: Reservation = { settle };
  return {
    reserve(principal) {
      if (closed) throw shuttingDown();
      inFlight++;
      if (principal.tokenId !== null) tokens.used(principal.tokenId);
      return reservation;
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
