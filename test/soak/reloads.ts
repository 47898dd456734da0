/**
 * 100 callers in seven protocols beside 200 reloads. Fails where a call fails, where one answer is of two versions, or where the memory
 * after the last reload is more than 1.15 times that after reload 20.
 *
 *   npm run soak:reloads
 *   npm run soak:reloads -- --callers 20 --reloads 60
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ChangingRepository } from "../support/updates/changing-repository.ts";
import { memoryGrowth, runReloads } from "../support/updates/reload-run.ts";

const MOST_GROWTH = 1.15;

const { values } = parseArgs({
  options: { callers: { type: "string", default: "100" }, reloads: { type: "string", default: "200" } },
});
const folder = mkdtempSync(join(tmpdir(), "assay-reloads-"));
const beganAt = performance.now();
const { answered, failures, failureCount, residentMib } = await runReloads(new ChangingRepository(folder), {
  callers: Number(values.callers),
  reloads: Number(values.reloads),
});
rmSync(folder, { recursive: true });

for (const [way, count] of Object.entries(answered)) console.log(`${way}: ${count} calls answered`);
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(
  `${failureCount} calls failed or were of two versions, in ${Math.round((performance.now() - beganAt) / 1000)} s`,
);
const every = Math.ceil(residentMib.length / 20);
console.log(`resident MiB: ${residentMib.filter((_, at) => at % every === every - 1).join(" ")}`);
const growth = memoryGrowth(residentMib, 20);
console.log(`after the last reload over after reload 20: ${growth.toFixed(2)} (at most ${MOST_GROWTH})`);
const held = failureCount === 0 && growth <= MOST_GROWTH;
console.log(held ? "held" : "failed");
process.exit(held ? 0 : 1);
