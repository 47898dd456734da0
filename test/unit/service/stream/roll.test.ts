import fc from "fast-check";
import { expect, test } from "vitest";
import { Roll } from "../../../../src/service/stream/roll.ts";

test("holds whoever was added and not removed, whatever the order", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 9 }), { maxLength: 60 }), (steps) => {
      const roll = new Roll<{ rollIndex: number; id: number }>();
      const all = Array.from({ length: 10 }, (_, id) => ({ rollIndex: -1, id }));
      const there = new Set<number>();
      for (const id of steps) {
        // Each step adds who is not there and removes who is.
        if (there.has(id)) expect(roll.remove(all[id]!)).toBe(there.delete(id));
        else {
          expect(roll.remove(all[id]!)).toBe(false);
          roll.add(all[id]!);
          there.add(id);
        }
        expect(roll.size).toBe(there.size);
        expect(new Set(roll.snapshot().map((member) => member.id))).toEqual(there);
      }
    }),
  );
});

test("a snapshot stays as it is while members leave", () => {
  const roll = new Roll<{ rollIndex: number }>();
  for (let i = 0; i < 3; i++) roll.add({ rollIndex: -1 });
  const members = roll.snapshot();
  for (const member of members) roll.remove(member);
  expect([members.length, roll.size]).toEqual([3, 0]);
});
