/**
 * One gRPC stream against a bare `session.run()` loop over the same model, batch and one ONNX Runtime thread: server and loop on core
 * 0, client on core 1, interleaved rounds, medians of each round's ratio. The ratio of CPU time a row says the same where
 * neighbours take a part of core 0, which favours the server with its two threads. Fails where either is below its limit.
 * Arguments: --rounds 7, --seconds 1, --max-batch-size 256, --only gbdt30|lr30, --rows-per-message N, --profile
 * DIR (the server's CPU profile).
 */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { benchRepository } from "./models/bench-models.ts";
import { startPinned } from "./programs/pinned-process.ts";
import { median } from "./statistics.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "1" },
    "max-batch-size": { type: "string", default: "256" },
    only: { type: "string" },
    "rows-per-message": { type: "string" },
    profile: { type: "string" },
  },
});
const rounds = Number(values.rounds);
const batch = Number(values["max-batch-size"]);

/** `limit` is the least share of the bare loop's speed; 0 for information. */
const CASES = [
  { model: "gbdt30", rowsPerMessage: 4096, limit: 2 },
  { model: "gbdt30", rowsPerMessage: 256, limit: 2 },
  { model: "gbdt30", rowsPerMessage: 16, limit: 2 },
  { model: "lr30", rowsPerMessage: 4096, limit: 0 },
  { model: "lr30", rowsPerMessage: 256, limit: 0 },
  { model: "lr30", rowsPerMessage: 16, limit: 0 },
].filter(
  ({ model, rowsPerMessage }) =>
    (values.only ?? model) === model &&
    (values["rows-per-message"] ?? String(rowsPerMessage)) === String(rowsPerMessage),
);

interface Speed {
  readonly rowsPerSecond: number;
  readonly cpuUs: number;
}

const models = benchRepository();
const flags = { models, "max-batch-size": String(batch), "intra-op-threads": "1" };
const profile = values.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${values.profile}`];
const server = await startPinned("0", "stream-server.ts", [JSON.stringify(flags)], profile);
const client = await startPinned("1", "stream-client.ts", [String(server.greeting)]);
const bare = await startPinned("0", "bare-loop.ts", [models]);

const speeds = CASES.map(() => ({ stream: [] as Speed[], bare: [] as Speed[] }));
const usage = async () => (await server.ask<{ cpuUs: number }>("usage")).cpuUs;
for (let round = -1; round < rounds; round++) {
  for (const [index, { model, rowsPerMessage }] of CASES.entries()) {
    const rows = (model === "gbdt30" ? 150_000 : 1_500_000) * Number(values.seconds);
    const bareSpeed = await bare.ask<Speed>({ model, batch, rows });
    const before = await usage();
    const load = await client.ask<{ rowsPerSecond: number; rows: number }>({ model, rowsPerMessage, rows });
    if (round < 0) continue;
    speeds[index]!.bare.push(bareSpeed);
    const cpuUs = ((await usage()) - before) / load.rows;
    speeds[index]!.stream.push({ rowsPerSecond: load.rowsPerSecond, cpuUs });
  }
}
let missed = 0;
for (const [index, { model, rowsPerMessage, limit }] of CASES.entries()) {
  const { stream, bare: loop } = speeds[index]!;
  const ratio = median(stream.map((one, round) => one.rowsPerSecond / loop[round]!.rowsPerSecond));
  const cpuRatio = median(stream.map((one, round) => loop[round]!.cpuUs / one.cpuUs));
  if (ratio < limit || cpuRatio < limit) missed++;
  const shown = (speeds: readonly Speed[]) => {
    const thousand = Math.round(median(speeds.map((one) => one.rowsPerSecond)) / 1000);
    return `${thousand} thousand rows/s, ${median(speeds.map((one) => one.cpuUs)).toFixed(2)} CPU µs a row`;
  };
  console.log(`${model}, ${rowsPerMessage} rows a message: ${shown(stream)}`);
  console.log(`  bare loop, batches of ${batch}: ${shown(loop)}`);
  const bound = limit === 0 ? "" : ` (both at least ${limit})`;
  console.log(`  ratio of rows/s ${ratio.toFixed(2)}, of rows a CPU second ${cpuRatio.toFixed(2)}${bound}`);
}
for (const one of [client, bare, server]) await one.stop();
rmSync(models, { recursive: true });
process.exitCode = missed === 0 ? 0 : 1;
