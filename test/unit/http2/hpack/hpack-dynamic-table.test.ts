import fc from "fast-check";
import { expect, test } from "vitest";
import { DynamicTable } from "../../../../src/http2/hpack/hpack-dynamic-table.ts";

const entry = fc.record({ name: fc.string({ maxLength: 40 }), value: fc.string({ maxLength: 120 }) });
const step = fc.oneof(entry, fc.integer({ min: 0, max: 600 }));

test("it holds what a plain list of the newest entries within the bound holds", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const table = new DynamicTable(400);
      let maxBytes = 400;
      const model: { name: string; value: string }[] = [];
      const size = (e: { name: string; value: string }) => e.name.length + e.value.length + 32;
      for (const action of steps) {
        if (typeof action === "number") {
          maxBytes = action;
          table.resize(action);
        } else {
          table.add(action.name, action.value);
          model.unshift(action);
        }
        while (model.reduce((sum, e) => sum + size(e), 0) > maxBytes) model.pop();
        expect(table.count).toBe(model.length);
        expect(table.bytes).toBe(model.reduce((sum, e) => sum + size(e), 0));
        for (const [index, e] of model.entries()) {
          expect([table.nameAt(index), table.valueAt(index)]).toEqual([e.name, e.value]);
        }
      }
    }),
  );
});

test("an entry larger than the table empties it", () => {
  const table = new DynamicTable(64);
  table.add("a", "b");
  table.add("name", "v".repeat(64));
  expect([table.count, table.bytes]).toEqual([0, 0]);
});
