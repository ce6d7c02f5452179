/** Ids of calls and results that have none: older clients of Google's API pair them by name and place. */

export interface CallIds {
  /** @param id null: the call has none. @returns the id, or one that is the same in each turn */
  ofCall(id: string | null, name: string): string;
  /** @returns the id, or that of the first call of the name that has no result yet */
  ofResponse(id: string | null, name: string): string;
}

export function createCallIds(): CallIds {
  const open: { readonly id: string; readonly name: string }[] = [];
  let calls = 0;
  const close = (at: number) => open.splice(at, 1)[0]?.id;
  return {
    ofCall(id, name) {
      calls++;
      const own = id ?? `call_${calls}`;
      open.push({ id: own, name });
      return own;
    },
    ofResponse(id, name) {
      const at = open.findIndex((call) => (id === null ? call.name === name : call.id === id));
      const known = at < 0 ? undefined : close(at);
      return known ?? id ?? `result_of_${name}`;
    },
  };
}
