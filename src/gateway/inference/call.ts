/** A call and its answer, as they cross the gateway's door. */
import type { Principal } from '../../core/access.ts';
import type { ClientCall, Protocol } from '../../core/protocol.ts';
import type { UsageRow } from '../../core/usage.ts';

export interface InferenceCall {
  readonly principal: Principal;
  readonly requestId: string;
  /** The client's address; null over the control socket. */
  readonly client: string | null;
  /** The protocol that the client speaks. */
  readonly protocol: Protocol;
  /** A preferred auth profile, by header. */
  readonly profile: string | null;
  /** The id of the client's session, by header; null: it names none. */
  readonly session: () => string | null;
  /** Gateways that the request came through, for `via`. */
  readonly via: string | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Fires when the client leaves. */
  readonly signal: AbortSignal;
  /** Takes the idle timer off the client's connection, or puts it back. */
  readonly keepOpen: (on: boolean) => void;
  /** Called once, with the usage row, when the call has ended; null: nothing waits for that. */
  readonly ended: ((row: UsageRow) => void) | null;
}

/** Kept apart from the call: a stream outlives its request's body by far. */
export type InferenceRequest = ClientCall;

export interface Answer {
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** By lower-case name, the content type among them. */
  readonly headers: Readonly<Record<string, string>>;
}
