/** What `remote.ts` asks of `dialer.ts`, and what that answers. */
import type { DialDetail, DialFailure, DialRequest } from '../../src/core/ports.ts';

export type Step = { readonly id: number; readonly call: number } & (
  | { readonly do: 'dial'; readonly request: Omit<DialRequest, 'signal'>; readonly address: string }
  | { readonly do: 'read' | 'cancel' | 'abort' }
  | { readonly do: 'advance'; readonly ms: number }
);

export interface Outcome {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | null>>;
  /** Base64; null: the end. */
  readonly bytes?: string | null;
  /** Of a failure. */
  readonly name?: string;
  readonly failure?: DialFailure;
  readonly detail?: DialDetail | null;
}

/** Headers of an answer that the tests ask for: a reply does not list its own. */
export const toldHeaders = ['content-encoding'];
