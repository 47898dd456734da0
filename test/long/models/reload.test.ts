import { expect, test } from "vitest";
import { testFolder } from "../../support/folders.ts";
import { ChangingRepository } from "../../support/updates/changing-repository.ts";
import { memoryGrowth, runReloads } from "../../support/updates/reload-run.ts";

// `npm run soak:reloads` is the same with 100 callers, 200 reloads and a closer bound: what V8 keeps for later is not yet all there after
// these few.
test("beside 60 reloads no call of seven protocols fails, no answer is of two versions, and memory stays", async () => {
  const outcome = await runReloads(new ChangingRepository(testFolder()), { callers: 14, reloads: 60 });
  expect(outcome.failures).toEqual([]);
  expect(Object.keys(outcome.answered)).toHaveLength(7);
  expect(memoryGrowth(outcome.residentMib, 20)).toBeLessThan(1.5);
});
