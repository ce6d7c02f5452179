/** An unordered collection that is entered and left once a request: no hashing, no garbage, unlike a Set. */

export interface InDenseList {
  /** Its place, kept by the list; -1 outside. */
  slot: number;
}

export interface DenseList<T extends InDenseList> {
  add(item: T): void;
  /** Does nothing for an item that is not in it. */
  remove(item: T): void;
  /** A copy: items may leave while it is walked. */
  items(): readonly T[];
  size(): number;
}

export function createDenseList<T extends InDenseList>(): DenseList<T> {
  const items: T[] = [];
  return {
    add(item) {
      item.slot = items.length;
      items.push(item);
    },
    remove(item) {
      if (items[item.slot] !== item) return;
      const last = items.pop();
      if (last !== undefined && last !== item) {
        items[item.slot] = last;
        last.slot = item.slot;
      }
      item.slot = -1;
    },
    items: () => [...items],
    size: () => items.length,
  };
}
