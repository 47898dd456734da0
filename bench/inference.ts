/**
 * Calls of the Open Inference Protocol, one row of 30 floats on a logistic regression, beside the same server's own calls and beside
 * Triton with its Python backend: every server on core 0, the load (`assay bench`) on core 1, rounds interleaved, medians of each round's
 * ratio. CPU is that of the server's process and of those that it started. Triton is left out where it is not installed
 * (`scripts/setup-tools.sh peers`). Ends with 1 where a limit is missed.
 * Arguments: --rounds 5, --seconds 3, --quick (2 rounds of 1 s), --only REGEX of a row's name.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchRepository, benchRows, COLUMNS } from "./models/bench-models.ts";
import { type LoadFlags, load } from "./programs/bench-load.ts";
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

/** Calls of one kind to one server. `limit` is the most that the row's first figure may be of this one's. */
interface Calls {
  readonly server: string;
  readonly protocol: string;
  readonly limit?: number;
}

/** One row: the first calls are what is measured, the others what it is held against. */
interface Row {
  readonly name: string;
  readonly flags: LoadFlags;
  readonly calls: readonly Calls[];
}

const OVER_HTTP2 = { connections: "8", concurrency: "128" };
const OVER_HTTP1 = { connections: "64", concurrency: "64" };
const ROWS: readonly Row[] = [
  {
    name: "ModelInfer, raw contents, 8 connections × 16 calls",
    flags: OVER_HTTP2,
    calls: [
      { server: "assay", protocol: "inference" },
      { server: "assay", protocol: "grpc", limit: 1.3 },
      { server: "triton-grpc", protocol: "inference", limit: 0.15 },
    ],
  },
  {
    name: "REST infer, JSON, 64 connections",
    flags: OVER_HTTP1,
    calls: [
      { server: "assay", protocol: "inference-rest" },
      { server: "assay", protocol: "predict", limit: 1.5 },
      { server: "triton-http", protocol: "inference-rest", limit: 0.3 },
    ],
  },
].filter(({ name }) => new RegExp(values.only).test(name));

const models = benchRepository();
const model = join(models, "lr30", "1", "model.onnx");
const features = [...benchRows(1).subarray(0, COLUMNS)];
const requests = { row: join(models, "row.json"), tensor: join(models, "tensor.json") };
const input = {
  name: "features",
  datatype: "FP32",
  shape: [1, COLUMNS],
  contents: { fp32Contents: features },
};
writeFileSync(requests.row, JSON.stringify({ modelName: "lr30", features }));
writeFileSync(requests.tensor, JSON.stringify({ modelName: "lr30", inputs: [input] }));

const local = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const { ASSAY_TOOLS_DIR, XDG_CACHE_HOME, HOME } = process.env;
const tools = ASSAY_TOOLS_DIR ?? join(XDG_CACHE_HOME ?? `${HOME}/.cache`, "assay-tools");
const triton = (protocol: string): ServerCommand => ({
  command: join(tools, "bin", "triton"),
  args: [local("peers/triton/server.py"), model, protocol],
});
const SERVERS: Readonly<Record<string, ServerCommand>> = {
  assay: {
    command: process.execPath,
    args: [
      ...[local("../bin/assay.cjs"), "serve", "--models", models, "--port", "0", "--devices", "cpu"],
      ...["--intra-op-threads", "1"],
    ],
  },
  "triton-grpc": triton("grpc"),
  "triton-http": triton("http"),
};

const started = new Map<string, MeasuredServer>();
for (const name of new Set(ROWS.flatMap(({ calls }) => calls.map(({ server }) => server)))) {
  const command = SERVERS[name]!;
  if (existsSync(command.command)) started.set(name, await startMeasured(name, command));
  else console.log(`${name} is left out: no ${command.command}; scripts/setup-tools.sh peers makes it`);
}

/** CPU µs a call. */
async function measure({ flags }: Row, { server: name, protocol }: Calls): Promise<number> {
  const server = started.get(name)!;
  const isTensor = protocol.startsWith("inference");
  const before = server.cpuUs();
  const { calls } = await load({
    ...flags,
    protocol,
    server: `http://127.0.0.1:${server.port}`,
    request: isTensor ? requests.tensor : requests.row,
    duration: seconds,
    warmup: "0",
  });
  return (server.cpuUs() - before) / calls;
}

let missed = 0;
for (const row of ROWS) {
  const calls = row.calls.filter(({ server }) => started.has(server));
  const figures = calls.map(() => [] as number[]);
  for (let round = -1; round < rounds; round++) {
    for (const [index, one] of calls.entries()) {
      const figure = await measure(row, one);
      if (round >= 0) figures[index]!.push(figure);
    }
  }
  const shown = calls.map(
    ({ server, protocol }, index) => `${server} ${protocol} ${median(figures[index]!).toFixed(1)}`,
  );
  const ratios = calls.slice(1).map(({ server, protocol, limit }, index) => {
    const ratio = median(figures[0]!.map((figure, round) => figure / figures[index + 1]![round]!));
    if (limit !== undefined && ratio > limit) missed++;
    return `${ratio.toFixed(3)} of ${server} ${protocol} (target ${limit})`;
  });
  console.log(`${row.name}, CPU µs a call: ${shown.join(", ")}; ${ratios.join(", ")}`);
}
for (const server of started.values()) await server.stop();
rmSync(models, { recursive: true });
process.exitCode = missed === 0 ? 0 : 1;
