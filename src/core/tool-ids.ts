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

/**
 * Gives each tool call of one answer an id of its own, since clients pair calls and results by id. Some hosts give two calls the
 * same id, or none.
 * @param answerId of the answer, for the id of a call without one
 */
export function createDistinctIds(): (id: string, answerId: string | null) => string {
  const times = new Map<string, number>();
  return (id, answerId) => {
    const wanted = id !== '' ? id : `call_${answerId === null ? '' : `${answerId}_`}${times.size}`;
    let count = times.get(wanted) ?? 0;
    let distinct = wanted;
    while (times.has(distinct)) distinct = `${wanted}_${++count}`;
    times.set(wanted, Math.max(count, 1));
    if (distinct !== wanted) times.set(distinct, 1);
    return distinct;
  };
}
