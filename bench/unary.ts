/**
 * Calls of one row of 30 floats on a logistic regression beside peers: every server on core 0, one at a time, the load (`assay bench`)
 * on core 1, warmed up by each row's own calls, rounds interleaved, medians of each round's ratio. CPU is that of all threads of the server. Peers are
 * left out where their tools are missing (`scripts/setup-tools.sh peers`). Writes bench/results/unary.svg; ends with 1 where
 * a limit is missed.
 * Arguments: --rounds 5, --seconds 3, --quick (2 rounds of 1 s), --only REGEX of a row's name.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchRepository, benchRows, COLUMNS } from "./models/bench-models.ts";
import { barChart } from "./programs/bar-chart.ts";
import { type LoadFlags, type LoadReport, load } from "./programs/bench-load.ts";
import { type MeasuredServer, type ServerCommand, startMeasured } from "./programs/measured-server.ts";
import { median } from "./statistics.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
  },
});
const rounds = values.quick ? 2 : Number(values.rounds);
const seconds = values.quick ? "1" : values.seconds;
/** Before a row's first round: V8 goes on compiling for some 25,000 calls, and peers have no such time. */
const warmSeconds = values.quick ? "3" : "6";

type Figure = "cpuUs" | "p50Us" | "p99Us";

/** One row: what is measured of which servers. `limit` is the most that Assay's figure may be of the first peer's. */
interface Row {
  readonly name: string;
  readonly figure: Figure;
  readonly flags: LoadFlags;
  readonly servers: readonly string[];
  readonly limit?: number;
  /** The load is half of what the server did without a limit. */
  readonly isHalf?: boolean;
}

/** A key that rates allow everything: whose caller it is, is known and counted. */
const KEY = "a".repeat(64);

const GRPC = { protocol: "grpc" };
const PREDICT = { protocol: "predict", concurrency: "64", connections: "64" };
const PREDICT_ALONE: LoadFlags = { protocol: "predict" };
const JSON_CALLS = { ...PREDICT, protocol: "connect-json" };
const ROWS: readonly Row[] = [
  row(
    "gRPC, 8 connections × 16 calls",
    "cpuUs",
    { ...GRPC, connections: "8", concurrency: "128" },
    ["assay", "tonic", "connect-node"],
    0.6,
  ),
  row(
    "gRPC, 8 connections × 1 call",
    "cpuUs",
    { ...GRPC, connections: "8", concurrency: "8" },
    ["assay", "tonic"],
    1.4,
  ),
  row(
    "gRPC, 1,000 connections × 1 call",
    "cpuUs",
    { ...GRPC, connections: "1000", concurrency: "1000" },
    ["assay", "tonic"],
    1,
  ),
  row("gRPC, one call at a time, p50", "p50Us", { ...GRPC, concurrency: "1" }, ["assay", "tonic"], 1.7),
  row("/predict, 64 connections", "cpuUs", PREDICT, ["assay", "echo", "fastapi", "axum"], 0.9),
  row("Connect JSON, 64 connections", "cpuUs", JSON_CALLS, ["assay", "echo"], 0.9),
  row("/predict at half capacity, p99", "p99Us", PREDICT_ALONE, ["assay", "fastapi"], 1, true),
  row(
    "gRPC at half capacity, p99",
    "p99Us",
    { ...GRPC, connections: "8" },
    ["assay", "tonic"],
    undefined,
    true,
  ),
  row(
    "gRPC, 8 connections × 16 calls, everything on",
    "cpuUs",
    { ...GRPC, connections: "8", concurrency: "128" },
    ["assay-all", "assay"],
  ),
  row("/predict, 64 connections, everything on", "cpuUs", PREDICT, ["assay-all", "assay"]),
].filter(({ name }) => new RegExp(values.only).test(name));

function row(
  name: string,
  figure: Figure,
  flags: LoadFlags,
  servers: readonly string[],
  limit?: number,
  isHalf?: boolean,
): Row {
  return {
    name,
    figure,
    flags,
    servers,
    ...(limit === undefined ? {} : { limit }),
    ...(isHalf ? { isHalf } : {}),
  };
}

const models = benchRepository();
const model = join(models, "lr30", "1", "model.onnx");
const request = join(models, "request.json");
writeFileSync(
  request,
  JSON.stringify({ modelName: "lr30", features: [...benchRows(1).subarray(0, COLUMNS)] }),
);

const local = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const { ASSAY_TOOLS_DIR, XDG_CACHE_HOME, HOME } = process.env;
const tools = ASSAY_TOOLS_DIR ?? join(XDG_CACHE_HOME ?? `${HOME}/.cache`, "assay-tools");
const runtime = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
const library = join(runtime, "bin", "napi-v6", process.platform, process.arch, "libonnxruntime.so.1");
const keyFile = join(models, "bench.key");
writeFileSync(keyFile, KEY);
const keys = join(models, "keys.jsonl");
const sha256 = createHash("sha256").update(KEY).digest("hex");
const rates = { requests_per_second: 1_000_000, rows_per_second: 1_000_000 };
writeFileSync(keys, JSON.stringify({ id: "bench", sha256, models: ["*"], metrics: true, ...rates }));
/** Takes all that OTLP brings, on the load's core. */
const collector = createServer((request, response) => {
  request.resume().on("end", () => response.writeHead(200).end());
});
await once(collector.listen(0, "127.0.0.1"), "listening");
const serve = [
  ...[local("../bin/assay.cjs"), "serve", "--models", models, "--port", "0", "--devices", "cpu"],
  ...["--intra-op-threads", "1", "--max-connections", "2000"],
];
const SERVERS: Readonly<Record<string, ServerCommand>> = {
  assay: { command: process.execPath, args: serve },
  // Keys and their rates, a log line for each call, a tenth of the traces and all metrics by OTLP.
  "assay-all": {
    command: process.execPath,
    args: [...serve, "--keys", keys, "--access-log", "all"],
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      OTEL_METRICS_EXPORTER: "otlp",
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0.1",
    },
  },
  tonic: {
    command: join(tools, "bin", "tonic-ort"),
    args: [model],
    environment: { ORT_DYLIB_PATH: library },
  },
  fastapi: { command: join(tools, "bin", "fastapi"), args: [local("peers/fastapi/app.py"), model] },
  axum: { command: join(tools, "bin", "axum-echo"), args: [] },
  "connect-node": { command: process.execPath, args: [local("programs/connect-node-server.ts")] },
  echo: { command: process.execPath, args: [local("programs/http-echo-server.ts")] },
};

const isThere = ({ command }: ServerCommand): boolean => existsSync(command);
const started = new Map<string, MeasuredServer>();
for (const name of new Set(ROWS.flatMap(({ servers }) => servers))) {
  if (isThere(SERVERS[name]!)) started.set(name, await startMeasured(name, SERVERS[name]!));
  else
    console.log(`${name} is left out: no ${SERVERS[name]!.command}; scripts/setup-tools.sh peers makes it`);
}

const capacities = new Map<string, number>();

async function measure(one: Row, server: MeasuredServer, duration: string): Promise<number> {
  const flags: LoadFlags = {
    ...one.flags,
    server: `http://127.0.0.1:${server.port}`,
    request,
    duration,
    // A load that is cold falls behind its own rate; CPU is counted from the start.
    warmup: one.isHalf ? "2" : "0",
    ...(server.name === "assay-all" ? { "key-file": keyFile } : {}),
  };
  const key = `${one.name} ${server.name}`;
  // Over HTTP/1.1 each call in flight has a connection of its own.
  const sockets: LoadFlags = one.flags === PREDICT_ALONE ? { connections: "64" } : {};
  if (one.isHalf && !capacities.has(key)) {
    const { calls_per_second } = await load({ ...flags, concurrency: "64", ...sockets });
    capacities.set(key, calls_per_second);
  }
  const rate = one.isHalf ? { rate: String(Math.round(capacities.get(key)! / 2)) } : {};
  const before = server.cpuUs();
  const report: LoadReport = await load({ ...flags, ...rate });
  if (one.figure === "cpuUs") return (server.cpuUs() - before) / report.calls;
  return 1000 * (one.figure === "p50Us" ? report.latency_ms.p50 : report.latency_ms.p99);
}

let missed = 0;
const bars: { name: string; figures: { name: string; value: number }[] }[] = [];
for (const one of ROWS) {
  const servers = one.servers.flatMap((name) => started.get(name) ?? []);
  const figures = servers.map(() => [] as number[]);
  for (let round = -1; round < rounds; round++) {
    for (const [index, server] of servers.entries()) {
      const figure = await measure(one, server, round < 0 ? warmSeconds : seconds);
      if (round >= 0) figures[index]!.push(figure);
    }
  }
  const shown = servers.map(({ name }, index) => `${name} ${median(figures[index]!).toFixed(1)}`).join(", ");
  const ratios = servers.slice(1).map(({ name }, index) => {
    const ratio = median(figures[0]!.map((figure, round) => figure / figures[index + 1]![round]!));
    const isLimited = one.limit !== undefined && name === one.servers[1];
    if (isLimited && ratio > one.limit!) missed++;
    return `${ratio.toFixed(2)} of ${name}${isLimited ? ` (target ${one.limit})` : ""}`;
  });
  console.log(`${one.name}, µs: ${shown}; ${ratios.join(", ")}`);
  bars.push({
    name: one.name,
    figures: servers.map(({ name }, index) => ({ name, value: median(figures[index]!) })),
  });
}
for (const server of started.values()) await server.stop();
collector.closeAllConnections();
collector.close();
rmSync(models, { recursive: true });
const results = values.quick ? tmpdir() : local("results");
mkdirSync(results, { recursive: true });
writeFileSync(join(results, "unary.svg"), barChart("Server CPU µs a call, or latency µs", bars));
process.exitCode = missed === 0 ? 0 : 1;
