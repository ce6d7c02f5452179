/** Ids of calls and results that have none: older clients of Google's API pair them by name and place. */

export interface CallIds {
  /** @param id null: the call has none. @returns the id, or one that is the same in each turn */
  ofCall(id: string | null, name: string): string;
  /** @returns the id, or that of the first call of the name that has no result yet */
  ofResponse(id: string | null, name: string): string;
}

export function createCallIds(): CallIds {
  /** Ids of the calls of each name, and how many of them were looked at. */
  const byName = new Map<string, { readonly ids: string[]; next: number }>();
  const answered = new Set<string>();
  let calls = 0;
  return {
    ofCall(id, name) {
      calls++;
      const own = id ?? `call_${calls}`;
      const named = byName.get(name) ?? { ids: [], next: 0 };
      byName.set(name, named);
      named.ids.push(own);
      return own;
    },
    ofResponse(id, name) {
      if (id !== null) {
        answered.add(id);
        return id;
      }
      const named = byName.get(name);
      while (named !== undefined && named.next < named.ids.length) {
        const open = named.ids[named.next++];
        if (open !== undefined && !answered.has(open)) return open;
      }
      return `result_of_${name}`;
    },
  };
}
