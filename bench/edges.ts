/**
 * Two edges on two cores beside one edge on one, each edge with as many callers: calls of one row of 30 floats on a logistic
 * regression, by `assay bench`. With four cores and more the calls of a second are counted, with the load on cores of its own. With
 * fewer, the load shares the second core, and the ratio is a bound that is computed from CPU times: two cores answer at most two
 * cores' worth of what a call takes of all threads, and no more than the busiest thread does alone. Where the load takes as much as
 * the server, as with one call a connection, it leaves the second edge less to do at a time, and the bound is too low: such a row has
 * no limit. Rounds interleaved, the median of their ratios. Ends with 1 where one is under its limit.
 * Arguments: --rounds 5, --seconds 3, --quick (2 rounds of 1 s).
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchRepository, benchRows, COLUMNS } from "./models/bench-models.ts";
import { type LoadFlags, load } from "./programs/bench-load.ts";
import { type MeasuredServer, startMeasured } from "./programs/measured-server.ts";
import { median } from "./statistics.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    quick: { type: "boolean", default: false },
  },
});
const rounds = values.quick ? 2 : Number(values.rounds);
const seconds = values.quick ? "1" : values.seconds;
const hasCores = availableParallelism() >= 4;
const loadCores = hasCores ? "2,3" : "1";

const models = benchRepository();
const request = join(models, "request.json");
writeFileSync(
  request,
  JSON.stringify({ modelName: "lr30", features: [...benchRows(1).subarray(0, COLUMNS)] }),
);
const ENTRY = fileURLToPath(new URL("../bin/assay.cjs", import.meta.url));

function start(edges: number, cores: string): Promise<MeasuredServer> {
  const args = [ENTRY, "serve", "--models", models, "--port", "0", "--devices", "cpu"];
  const flags = ["--intra-op-threads", "1", "--max-connections", "2000", "--edges", String(edges)];
  return startMeasured(`${edges} edges`, { command: process.execPath, args: [...args, ...flags] }, cores);
}

/** CPU µs of a server's threads so far, by their names; those of a name together. */
function threadTimes({ processId }: MeasuredServer): Map<string, number> {
  const times = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${processId}/task`)) {
    const task = `/proc/${processId}/task/${thread}`;
    const name = readFileSync(`${task}/comm`, "utf8").trim();
    const us = Number(readFileSync(`${task}/schedstat`, "utf8").split(" ")[0]) / 1000;
    times.set(name, (times.get(name) ?? 0) + us);
  }
  return times;
}

/** What one run shows: calls a second, CPU µs a call of all threads, of each event loop and of what runs the model. */
interface Figures {
  readonly rate: number;
  readonly all: number;
  readonly loops: readonly number[];
  readonly sessions: number;
}

async function measure(server: MeasuredServer, flags: LoadFlags, duration: string): Promise<Figures> {
  const before = threadTimes(server);
  const address = `http://127.0.0.1:${server.port}`;
  const report = await load({ ...flags, server: address, request, duration, warmup: "0" }, loadCores);
  const used = [...threadTimes(server)].map(
    ([name, us]) => [name, (us - (before.get(name) ?? 0)) / report.calls] as const,
  );
  const sum = (which: RegExp) => used.reduce((total, [name, us]) => total + (which.test(name) ? us : 0), 0);
  return {
    rate: report.calls_per_second,
    all: sum(/./),
    loops: [sum(/^MainThread/), sum(/^assay edge/)],
    sessions: sum(/^assay (cpu|shared)/),
  };
}

/** The most calls a µs that so many cores allow, where no thread takes more than one of them. */
function bound({ all, loops, sessions }: Figures, cores: number): number {
  return Math.min(cores / all, 1 / Math.max(...loops, sessions));
}

/** Connections of each edge, calls at a time on each, and the least ratio. */
interface Row {
  readonly name: string;
  readonly protocol: string;
  readonly connections: number;
  readonly calls: number;
  readonly least: number;
}
const ROWS: readonly Row[] = [
  { name: "gRPC, 16 connections × 8 calls an edge", protocol: "grpc", connections: 16, calls: 8, least: 1.6 },
  { name: "/predict, 64 connections an edge", protocol: "predict", connections: 64, calls: 1, least: 1.6 },
  { name: "gRPC, 64 connections × 1 call an edge", protocol: "grpc", connections: 64, calls: 1, least: 0 },
];

function flagsOf({ protocol, calls }: Row, connections: number): LoadFlags {
  return { protocol, connections: String(connections), concurrency: String(connections * calls) };
}

const one = await start(1, "0");
const two = await start(2, "0,1");
let missed = 0;
const how = hasCores
  ? "calls of a second"
  : "a bound computed from CPU times: there are fewer than four cores";
console.log(`two edges on two cores beside one on one, ${how}`);
for (const row of ROWS) {
  const { name, least, connections } = row;
  const ofOne = flagsOf(row, connections);
  const ofTwo = flagsOf(row, 2 * connections);
  await measure(one, ofOne, values.quick ? "2" : "6");
  await measure(two, ofTwo, values.quick ? "2" : "6");
  const singles: Figures[] = [];
  const doubles: Figures[] = [];
  for (let round = 0; round < rounds; round++) {
    singles.push(await measure(one, ofOne, seconds));
    doubles.push(await measure(two, ofTwo, seconds));
  }
  const ratios = singles.map((single, round) => {
    const double = doubles[round]!;
    return hasCores ? double.rate / single.rate : bound(double, 2) / bound(single, 1);
  });
  const ratio = median(ratios);
  if (ratio < least) missed++;
  const us = (figures: readonly Figures[], of: (one: Figures) => number): string =>
    median(figures.map(of)).toFixed(1);
  console.log(
    [
      `${name}: ${ratio.toFixed(2)}${least > 0 ? ` (target ${least})` : ""}`,
      `CPU µs a call: one edge ${us(singles, ({ all }) => all)} (its loop ${us(singles, ({ loops }) => loops[0]!)}, the session ${us(singles, ({ sessions }) => sessions)})`,
      `two edges ${us(doubles, ({ all }) => all)} (their loops ${us(doubles, ({ loops }) => loops[0]!)} and ${us(doubles, ({ loops }) => loops[1]!)}, the session ${us(doubles, ({ sessions }) => sessions)})`,
    ].join("; "),
  );
}
await Promise.all([one.stop(), two.stop()]);
rmSync(models, { recursive: true });
process.exitCode = missed === 0 ? 0 : 1;
