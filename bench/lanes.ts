/**
 * What four bulk streams do to the latency of unary calls: the 99th percentile of one caller's calls alone and beside them, rounds
 * interleaved, on the 200-tree model. Fails where the median p99 beside them is above twice the one alone and one run of a full batch.
 * Arguments: --rounds 5, --seconds 2, --rows-per-message 256.
 */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { benchRepository } from "./models/bench-models.ts";
import { startPinned } from "./programs/pinned-process.ts";
import { median } from "./statistics.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
    "rows-per-message": { type: "string", default: "256" },
  },
});
const seconds = Number(values.seconds);
const batch = 256;
const streams = 4;
const model = "gbdt30";

const models = benchRepository();
const server = await startPinned("0-1", "stream-server.ts", [JSON.stringify({ models })]);
const port = String(server.greeting);
const bulk = await startPinned("0-1", "stream-client.ts", [port]);
const unary = await startPinned("0-1", "unary-client.ts", [port]);
const bare = await startPinned("0-1", "bare-loop.ts", [models]);

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

async function unaryCalls(): Promise<{ p50: number; p99: number }> {
  const milliseconds = (await unary.ask<number[]>({ model, seconds })).sort((a, b) => a - b);
  return { p50: percentile(milliseconds, 0.5), p99: percentile(milliseconds, 0.99) };
}

const alone: { p50: number; p99: number }[] = [];
const beside: { p50: number; p99: number }[] = [];
const batchRuns: number[] = [];
const bulkSpeeds: number[] = [];
for (let round = -1; round < Number(values.rounds); round++) {
  const loop = await bare.ask<{ rowsPerSecond: number }>({ model, batch, rows: 65_536 });
  const one = await unaryCalls();
  // More rows than the seconds take.
  const rows = (200_000 * (seconds + 1)) / streams;
  const rowsPerMessage = Number(values["rows-per-message"]);
  const load = bulk.ask<{ rowsPerSecond: number }>({ model, rowsPerMessage, rows, streams });
  const other = await unaryCalls();
  const { rowsPerSecond } = await load;
  if (round < 0) continue;
  batchRuns.push((batch / loop.rowsPerSecond) * 1000);
  alone.push(one);
  beside.push(other);
  bulkSpeeds.push(rowsPerSecond);
}
const p99 = (calls: readonly { p99: number }[]) => median(calls.map((one) => one.p99));
const p50 = (calls: readonly { p50: number }[]) => median(calls.map((one) => one.p50));
const limit = 2 * p99(alone) + median(batchRuns);
const ms = (value: number) => `${value.toFixed(2)} ms`;
console.log(`unary calls alone: p50 ${ms(p50(alone))}, p99 ${ms(p99(alone))}`);
console.log(
  `beside ${streams} bulk streams at ${Math.round(median(bulkSpeeds) / 1000)} thousand rows/s: p50 ${ms(p50(beside))}, p99 ${ms(p99(beside))}`,
);
console.log(`a batch of ${batch} runs ${ms(median(batchRuns))}; p99 beside at most ${ms(limit)}`);
for (const one of [bulk, unary, bare, server]) await one.stop();
rmSync(models, { recursive: true });
process.exitCode = p99(beside) <= limit ? 0 : 1;
