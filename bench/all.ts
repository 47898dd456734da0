/**
 * All benchmarks one after another: `npm run bench`. With --quick each runs a few short rounds, a minute in all, whose figures
 * only show that nothing is broken. Ends with 1 where one of them missed a limit.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });

/** Each benchmark and what makes it short; one that has nothing to shorten is left out of a quick run. */
const BENCHES: readonly (readonly [file: string, quick: readonly string[] | undefined])[] = [
  ["crossing.ts", undefined],
  ["batching.ts", undefined],
  ["stream.ts", ["--rounds", "1", "--seconds", "0.3", "--rows-per-message", "256"]],
  ["lanes.ts", ["--rounds", "1", "--seconds", "1"]],
  ["unary.ts", ["--quick"]],
  ["scaling.ts", ["--quick"]],
  ["edges.ts", undefined],
  ["inference.ts", ["--quick"]],
  ["telemetry/tracing-cost.ts", undefined],
  ["http2-echo.ts", ["--rounds", "1", "--only", "unary"]],
];

let missed = 0;
for (const [file, quick] of BENCHES) {
  if (values.quick && quick === undefined) continue;
  console.log(`\n${file}`);
  const path = fileURLToPath(new URL(file, import.meta.url));
  const { status } = spawnSync(process.execPath, [path, ...(values.quick ? quick! : [])], {
    stdio: "inherit",
  });
  if (status !== 0) missed++;
}
process.exitCode = missed === 0 ? 0 : 1;
