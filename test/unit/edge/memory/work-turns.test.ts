import { expect, test } from "vitest";
import { CallMemory } from "../../../../src/edge/memory/call-memory.ts";
import { createMemoryBudget } from "../../../../src/edge/memory/memory-budget.ts";
import { WorkTurns } from "../../../../src/edge/memory/work-turns.ts";

const budget = createMemoryBudget(100, () => ({ usedBytes: 0, limitBytes: 100 }));
const call = () => new CallMemory(budget);
const settled = (work: Promise<void>): Promise<string> =>
  Promise.race([
    work.then(
      () => "its turn",
      (error: unknown) => String(error),
    ),
    new Promise<string>((resolve) => setImmediate(() => resolve("waits"))),
  ]);

test("turns are given in the order in which calls came", async () => {
  const turns = new WorkTurns(1);
  const works = [turns.begin(call()), turns.begin(call()), turns.begin(call())];
  expect(await Promise.all(works.map(settled))).toEqual(["its turn", "waits", "waits"]);
  turns.end();
  expect(await Promise.all(works.map(settled))).toEqual(["its turn", "its turn", "waits"]);
});

test("a call that fails while it waits takes no turn", async () => {
  const turns = new WorkTurns(1);
  await turns.begin(call());
  const failing = call();
  const failed = turns.begin(failing);
  const next = turns.begin(call());
  failing.fail("gone");
  expect(await settled(failed)).toBe("gone");
  turns.end();
  expect(await settled(next)).toBe("its turn");
});

test("a call that fails in the moment in which its turn is given has it, and ends it", async () => {
  const turns = new WorkTurns(1);
  await turns.begin(call());
  const failing = call();
  const given = turns.begin(failing);
  const next = turns.begin(call());
  turns.end();
  failing.fail("gone");
  expect(await settled(given)).toBe("its turn");
  turns.end();
  expect(await settled(next)).toBe("its turn");
});

test("a call that has failed before takes no turn and holds up nobody", async () => {
  const turns = new WorkTurns(1);
  const failed = call();
  failed.fail("gone");
  expect(await settled(turns.begin(failed))).toBe("gone");
  expect(await settled(turns.begin(call()))).toBe("its turn");
});

test("thousands that fail while they wait leave the order of the others", async () => {
  const turns = new WorkTurns(1);
  await turns.begin(call());
  const calls = Array.from({ length: 3_000 }, call);
  const works = calls.map((one) => settled(turns.begin(one)));
  for (const [i, one] of calls.entries()) if (i !== 2_500) one.fail("gone");
  turns.end();
  const last = turns.begin(call());
  expect(await settled(last)).toBe("waits");
  turns.end();
  expect(await settled(last)).toBe("its turn");
  expect((await Promise.all(works)).filter((came) => came !== "gone")).toHaveLength(1);
});
