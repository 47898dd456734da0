/**
 * Fuzzes the HTTP/2 engine with structure-aware frames: `npm run fuzz:http2 -- --minutes 10 --seed 1`.
 * Each case is made from one number; one that fails is printed, to be added to http2-seeds.json. Fails when the
 * heap has grown by more than 64 MiB after a collection at the end.
 */
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createFuzzTarget } from "./http2-run.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(Date.now() % 1e9) },
  },
});
setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");
const usedBytes = () => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

const target = await createFuzzTarget();
const first = Number(values.seed);
const untilMs = performance.now() + Number(values.minutes) * 60_000;
for (let seed = first; seed < first + 500; seed++) await target.run(seed);
const before = usedBytes();
let seed = first + 500;
for (; performance.now() < untilMs; seed++) await target.run(seed);
const grown = usedBytes() - before;
await target.stop();
const { counters } = target.engine;
console.log(
  `${seed - first} cases from seed ${first}: ${counters.streamsOpened} streams, ${counters.streamsCompleted} completed`,
);
for (const [reason, count] of [...counters.goaways].sort((a, b) => b[1] - a[1]))
  console.log(`  ${count} × ${reason}`);
console.log(`memory grew by ${Math.round(grown / 1024)} KiB`);
if (grown > 64 << 20) throw new Error("memory grew");
