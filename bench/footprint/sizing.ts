/**
 * What a server needs, on Linux: `node bench/footprint/sizing.ts [REPOSITORY]`. Resident memory of a server with no model, with each model of the
 * repository alone and with all; CPU of all the server's threads for a call of one row and for a row of a stream, by model and protocol,
 * and what that makes of calls a second on one core. docs/deploying.md has figures. `assay bench` loads; both share the machine.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../../test/support/clients/command.ts";
import { startMeasured } from "../programs/measured-server.ts";

const LAUNCHER = fileURLToPath(new URL("../../bin/assay.cjs", import.meta.url));
const REPOSITORY = process.argv[2] ?? fileURLToPath(new URL("../../models", import.meta.url));
const SECONDS = 3;
const MIB = 1024;
/** A protocol of `assay bench`, and how many rows a call has. */
const CALLS: readonly (readonly [protocol: string, rows: number])[] = [
  ["grpc", 1],
  ["predict", 1],
  ["grpc-stream", 256],
];

interface Report {
  readonly calls: number;
  readonly rows: number;
}

const start = (models: string) =>
  startMeasured("assay", {
    command: process.execPath,
    args: [
      LAUNCHER,
      "serve",
      "--models",
      models,
      "--port",
      "0",
      "--devices",
      "cpu",
      "--intra-op-threads",
      "1",
    ],
  });

function memoryMib(processId: number): number {
  const status = readFileSync(`/proc/${processId}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / MIB;
}

async function memory(models: string): Promise<number> {
  const server = await start(models);
  try {
    return memoryMib(server.processId);
  } finally {
    await server.stop();
  }
}

/** The share of a CPU second that a call takes, in µs. */
async function cpuUsPerCall(
  models: string,
  model: string,
  protocol: string,
  rows: number,
): Promise<[number, number]> {
  const server = await start(models);
  try {
    const load = (seconds: number) =>
      run(process.execPath, [
        ...[LAUNCHER, "bench", "--server", `http://127.0.0.1:${server.port}`, "--model", model, "--json"],
        ...["--protocol", protocol, "--rows", String(rows), "--warmup", "0", "--duration", String(seconds)],
      ]);
    await load(1);
    const before = server.cpuUs();
    const { stdout, stderr } = await load(SECONDS);
    const used = server.cpuUs() - before;
    const report = JSON.parse(stdout) as Report;
    if (report.calls === undefined) throw new Error(stderr + stdout);
    return [used / report.calls, memoryMib(server.processId)];
  } finally {
    await server.stop();
  }
}

const folder = mkdtempSync(join(tmpdir(), "assay-sizing-"));
try {
  mkdirSync(join(folder, "none"));
  const none = await memory(join(folder, "none"));
  console.log(`no model: ${none.toFixed(0)} MiB`);
  const names = readdirSync(REPOSITORY, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
  for (const model of names) {
    cpSync(join(REPOSITORY, model), join(folder, model, model), { recursive: true });
    const alone = await memory(join(folder, model));
    console.log(`${model}: ${alone.toFixed(0)} MiB, ${(alone - none).toFixed(0)} more`);
    for (const [protocol, rows] of CALLS) {
      const [us, after] = await cpuUsPerCall(join(folder, model), model, protocol, rows);
      const rate = Math.round(1e6 / us);
      const what = rows === 1 ? "a call" : `a message of ${rows} rows, ${(us / rows).toFixed(2)} µs a row`;
      console.log(
        `  ${protocol}: ${us.toFixed(1)} µs of CPU ${what}: ${rate} a second and core; ${after.toFixed(0)} MiB then`,
      );
    }
  }
  console.log(`all ${names.length}: ${(await memory(REPOSITORY)).toFixed(0)} MiB`);
} finally {
  rmSync(folder, { recursive: true });
}
