/** An unordered collection for items that enter and leave once per request. Unlike a Set it hashes nothing and makes no garbage. */

export interface InDenseList {
  /** Index of the item, written by the list; -1 when it is in no list. */
  slot: number;
}

export interface DenseList<T extends InDenseList> {
  add(item: T): void;
  /** Removes an item; does nothing when the list does not contain it. */
  remove(item: T): void;
  /** A copy of the list, so that items may leave while the copy is walked. */
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
