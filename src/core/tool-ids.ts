/** Ids of tool calls that fit into the form of another vendor. Pure: the same id gives the same one in every turn. */
import { Buffer } from 'node:buffer';
import type { Digest } from './ports.ts';

/** The form that a vendor asks of an id. Letters, digits, `-` and `_` fit into each. */
export interface ToolIdForm {
  readonly pattern: RegExp;
  /** Characters. */
  readonly longest: number;
}

/** Marks an id that was rewritten. */
const prefix = 'ola_';

/**
 * The id itself where it fits. Else the id in base64url, so that two ids stay apart; where that is too long, a digest of it.
 */
export function fitToolId(id: string, { pattern, longest }: ToolIdForm, digest: Digest): string {
  if (id.length <= longest && pattern.test(id)) return id;
  const encoded = prefix + Buffer.from(id, 'utf8').toString('base64url');
  return encoded.length <= longest ? encoded : (prefix + digest(id)).slice(0, longest);
}
