import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { createDenseList, type InDenseList } from '../../src/core/dense-list.ts';

test('a bag holds exactly what was added and not removed, whatever the order', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(20)), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (moves) => {
      const things: InDenseList[] = Array.from({ length: 21 }, () => ({ slot: -1 }));
      const bag = createDenseList<InDenseList>();
      const model = new Set<InDenseList>();
      for (const [adding, index] of moves) {
        const thing = things[index] as InDenseList;
        if (!adding) bag.remove(thing);
        else if (!model.has(thing)) bag.add(thing);
        if (adding) model.add(thing);
        else model.delete(thing);
        expect(bag.size()).toBe(model.size);
      }
      expect(new Set(bag.items())).toEqual(model);
      expect(bag.items().every((thing, slot) => thing.slot === slot)).toBe(true);
    }),
  );
});

test('walking a bag is not disturbed by what leaves meanwhile', () => {
  const bag = createDenseList<InDenseList>();
  const things = [0, 1, 2, 3].map(() => ({ slot: -1 }));
  for (const thing of things) bag.add(thing);
  const seen: InDenseList[] = [];
  for (const thing of bag.items()) {
    seen.push(thing);
    bag.remove(thing);
  }
  expect(seen).toEqual(things);
  expect(bag.size()).toBe(0);
});
