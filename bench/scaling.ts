/**
 * What a call costs as rows grow wider and connections more, and how long V8's collector stops the server: one server on core 0, the
 * load (`assay bench`) on core 1, rounds interleaved, medians. CPU is that of all threads of the server. Ends with 1 where a limit is missed.
 * Arguments: --rounds 5, --seconds 3, --quick (2 rounds of 1 s).
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { logisticModel, repositoryOf } from "./models/bench-models.ts";
import { seeded } from "./models/tree-models.ts";
import { type LoadFlags, load } from "./programs/bench-load.ts";
import { startMeasured } from "./programs/measured-server.ts";
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

const WIDTHS = [10, 100, 1_000, 10_000];
const CONNECTIONS = [1, 8, 64, 250, 1_000];
/** Of linear: what a feature more, or a connection more, may cost of what the ones before it cost. */
const MOST_OF_LINEAR = 1.3;
/** The longest that a young collection may stop the server, in seconds. */
const MOST_PAUSE_SECONDS = 0.003;

const random = seeded(7);
const models = repositoryOf(WIDTHS.map((width) => [`lr${width}`, logisticModel(width)]));
const requestOf = (width: number): string => join(models, `request-${width}.json`);
for (const width of WIDTHS) {
  const features = Array.from({ length: width }, () => Math.fround(random()));
  writeFileSync(requestOf(width), JSON.stringify({ modelName: `lr${width}`, features }));
}
const server = await startMeasured("assay", {
  command: process.execPath,
  args: [
    ...[
      fileURLToPath(new URL("../bin/assay.cjs", import.meta.url)),
      "serve",
      "--models",
      models,
      "--port",
      "0",
    ],
    ...["--devices", "cpu", "--intra-op-threads", "1", "--max-connections", "2000"],
  ],
});

async function cpuUs(width: number, flags: LoadFlags, duration: string): Promise<number> {
  const target = { server: `http://127.0.0.1:${server.port}`, request: requestOf(width), warmup: "0" };
  const before = server.cpuUs();
  const { calls } = await load({ ...target, protocol: "grpc", ...flags, duration });
  return (server.cpuUs() - before) / calls;
}

/** Medians of CPU a call for each of several loads, rounds interleaved, after one that warms up. */
async function medians(
  loads: readonly { readonly width: number; readonly flags: LoadFlags }[],
): Promise<number[]> {
  const figures = loads.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, { width, flags }] of loads.entries()) {
      const figure = await cpuUs(width, flags, round < 0 && !values.quick ? "6" : seconds);
      if (round >= 0) figures[index]!.push(figure);
    }
  }
  return figures.map(median);
}

/** Young collections so far that took at most so many seconds, by bound. */
async function youngPauses(): Promise<Map<number, number>> {
  const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
  const buckets = text.matchAll(
    /^v8js_gc_duration_seconds_bucket\{v8js_gc_type="minor",le="([^"]+)"\} (\d+)$/gm,
  );
  return new Map(
    [...buckets].map(([, bound, count]) => [Number(bound!.replace("+Inf", "Infinity")), Number(count)]),
  );
}

/** Young collections while calls come at half of what the server does, and the lowest bound that holds the longest of them. */
async function longestYoungPause(protocol: string): Promise<{ count: number; seconds: number }> {
  const flags: LoadFlags = { protocol, connections: "64", request: requestOf(10) };
  const target = { ...flags, server: `http://127.0.0.1:${server.port}` };
  const full = await load({ ...target, concurrency: "64", warmup: "3", duration: seconds });
  const rate = String(Math.round(full.calls_per_second / 2));
  await load({ ...target, rate, warmup: "0", duration: "1" });
  const before = await youngPauses();
  await load({ ...target, rate, warmup: "0", duration: String(2 * Number(seconds)) });
  const after = await youngPauses();
  const counts = [...after].map(([bound, count]) => [bound, count - before.get(bound)!] as const);
  const count = counts.at(-1)![1];
  return { count, seconds: counts.find(([, within]) => within === count)![0] };
}

let missed = 0;
function judge(what: string, ratio: number, limit: number): void {
  const isMissed = ratio > limit;
  if (isMissed) missed++;
  console.log(`  ${what}: ${ratio.toFixed(2)} (limit ${limit}${isMissed ? ", missed" : ""})`);
}

try {
  const wide = await medians(
    WIDTHS.map((width) => ({ width, flags: { connections: "8", concurrency: "64" } })),
  );
  console.log(
    `CPU µs a call by features: ${WIDTHS.map((width, i) => `${width} ${wide[i]!.toFixed(1)}`).join(", ")}`,
  );
  const perFeature = (from: number): number =>
    (wide[from + 1]! - wide[from]!) / (WIDTHS[from + 1]! - WIDTHS[from]!);
  judge("a feature of 10,000 beside one of 1,000", perFeature(2) / perFeature(1), MOST_OF_LINEAR);
  const many = await medians(
    CONNECTIONS.map((count) => ({
      width: 10,
      flags: { connections: String(count), concurrency: String(count) },
    })),
  );
  console.log(
    `CPU µs a call by connections with one call each: ${CONNECTIONS.map((count, i) => `${count} ${many[i]!.toFixed(1)}`).join(", ")}`,
  );
  judge("a call on 1,000 connections beside one on one connection", many[4]! / many[0]!, MOST_OF_LINEAR);
  console.log(`  beside one on 64: ${(many[4]! / many[2]!).toFixed(2)}`);
  for (const protocol of ["grpc", "predict"]) {
    const pause = await longestYoungPause(protocol);
    console.log(
      `${protocol} at half capacity: ${pause.count} young collections within ${1000 * pause.seconds} ms`,
    );
    judge("the longest, of 3 ms", pause.seconds / MOST_PAUSE_SECONDS, 1);
  }
} finally {
  await server.stop();
  rmSync(models, { recursive: true });
}
process.exitCode = missed === 0 ? 0 : 1;
