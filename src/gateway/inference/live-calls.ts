/** Calls under way: kept alive, cut or abandoned from one place, whichever kind of answer they have. */

import type { Principal } from '../../core/access.ts';
import { createDenseList, type InDenseList } from '../../core/dense-list.ts';
import type { OlaError } from '../../core/errors.ts';
import type { Relay } from './relay.ts';

export interface LiveCall extends InDenseList {
  readonly principal: Principal;
  /** Its open stream; null while there is none. */
  relay: Relay | null;
  /** Takes the server's idle timer off the client's connection, or puts it back. */
  readonly keepOpen: (on: boolean) => void;
  /** The idle timer is off. */
  held: boolean;
  /** Milliseconds of a clock that does not jump, at the first tick that saw the call. */
  seenAt: number | null;
  /** Settles the call as failed: its answer comes too late to be recorded. */
  abandon(error: OlaError): void;
}

export interface LiveCalls {
  add(call: LiveCall): void;
  remove(call: LiveCall): void;
  /**
   * Called every second or so: keeps quiet streams and slow calls alive.
   * @param at milliseconds of a clock that does not jump
   */
  tick(at: number): void;
  /** Ends open streams, each with an error event. */
  cut(error: OlaError, whose?: (principal: Principal) => boolean): void;
  /** Settles every call. */
  abandon(error: OlaError): void;
}

/** Milliseconds. Most calls are over before the server's idle timer could matter; the others are worth a call into the runtime. */
const holdAfterMs = 5000;

export function createLiveCalls(): LiveCalls {
  const calls = createDenseList<LiveCall>();
  return {
    add: calls.add,
    remove(call) {
      calls.remove(call);
      if (call.held) call.keepOpen(false);
    },
    tick(at) {
      for (const call of calls.items()) {
        call.relay?.beat(at);
        call.seenAt ??= at;
        if (call.held || at - call.seenAt < holdAfterMs) continue;
        call.held = true;
        call.keepOpen(true);
      }
    },
    cut(error, whose = everybody) {
      for (const call of calls.items()) if (whose(call.principal)) call.relay?.cut(error);
    },
    abandon(error) {
      for (const call of calls.items()) call.abandon(error);
    },
  };
}

const everybody = (): boolean => true;
