/**
 * `assay score` beside the Python scripts that an engineer would write, on one Parquet file, interleaved in one run: seconds,
 * rows a second, CPU, peak memory, and the ratio of rows a second to the pyarrow script's with its limit. Ends with status
 * 1 when a limit is missed. Needs scripts/setup-tools.sh python-training python-tables, and 2 GB of disk.
 * Arguments: --rows 10000000, --rounds 3, --only lr30|gbdt30, --pandas (adds the pandas script, which holds the whole file),
 * --folder (where table and models are kept; default: a folder of the system's temporary one).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { tool } from "../../test/conformance/tool.ts";
import { median } from "../statistics.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "10000000" },
    rounds: { type: "string", default: "3" },
    only: { type: "string" },
    pandas: { type: "boolean", default: false },
    folder: { type: "string", default: join(tmpdir(), "assay-bench-score") },
  },
});
const rows = Number(values.rows);
const folder = values.folder;
const threads = String(availableParallelism());

/** Rows a second of the pyarrow script's, at least: embedded (1.5 times its time; 1.8 times its rows), and through a server on the same machine. */
const LIMITS: Readonly<Record<string, { readonly embedded: number; readonly server: number }>> = {
  lr30: { embedded: 1 / 1.5, server: 0.4 },
  gbdt30: { embedded: 1.8, server: 1.5 },
};
const PEAK_MIB_LIMIT = 600;

interface Taken {
  readonly code: number;
  readonly seconds: number;
  readonly cpu_seconds: number;
  readonly peak_mib: number;
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
  return Buffer.concat(chunks).toString();
}

async function measure(command: readonly string[]): Promise<Taken> {
  const text = await output(tool("python-tables"), ["bench/score/measure.py", ...command]);
  const taken = JSON.parse(text) as Taken;
  if (taken.code !== 0) throw new Error(`${command.join(" ")} ended with ${taken.code}`);
  return taken;
}

/** The command as npm installs it, compiled; a checkout's own start would count the stripping of types. */
async function buildPackage(): Promise<string> {
  const place = `${folder}-package`;
  rmSync(place, { recursive: true, force: true });
  await output("npm", ["run", "--silent", "build"]);
  cpSync("dist", join(place, "dist"), { recursive: true });
  cpSync("bin", join(place, "bin"), { recursive: true });
  cpSync("package.json", join(place, "package.json"));
  symlinkSync(resolve("node_modules"), join(place, "node_modules"));
  return join(place, "bin", "assay.cjs");
}

async function startServer() {
  const args = [command, "serve", "--models", folder, "--port", "0", "--intra-op-threads", threads];
  const child = spawn(process.execPath, [...args, "--max-batch-size", "2048", "--log-level", "error"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface(child.stdout)) {
    const url = / on (http:[^\s"]+)/.exec(line)?.[1];
    if (url !== undefined) return { url, pid: child.pid!, stop: () => child.kill() };
  }
  throw new Error("the server ended before it served");
}

function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

mkdirSync(folder, { recursive: true });
const table = join(folder, `table-${rows}.parquet`);
if (!existsSync(join(folder, "gbdt30")))
  await output(tool("python-training"), ["bench/score/make_models.py", folder]);
if (!existsSync(table))
  await output(tool("python-tables"), ["bench/score/make_table.py", String(rows), table]);
const command = await buildPackage();
const server = await startServer();
let missed = false;
try {
  for (const model of Object.keys(LIMITS)) {
    if (values.only !== undefined && values.only !== model) continue;
    const file = join(folder, model, "1", "model.onnx");
    const out = join(folder, "scores.parquet");
    const script = (name: string) => [
      tool("python-tables"),
      `bench/score/${name}.py`,
      file,
      table,
      out,
      threads,
    ];
    const assay = [process.execPath, command, "score", "--model", model, "--input", table, "--output", out];
    const ways: Record<string, readonly string[]> = {
      "pyarrow script": script("score_pyarrow"),
      "assay score": [...assay, "--models", folder, "--overwrite"],
      "assay score --server": [...assay, "--server", server.url, "--overwrite"],
      ...(values.pandas ? { "pandas script": script("score_pandas") } : {}),
    };
    const taken = new Map<string, Taken[]>();
    const serverCpu: number[] = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [name, way] of Object.entries(ways)) {
        rmSync(out, { force: true });
        const before = cpuSecondsOf(server.pid);
        taken.set(name, [...(taken.get(name) ?? []), await measure(way)]);
        if (name.endsWith("--server")) serverCpu.push(cpuSecondsOf(server.pid) - before);
      }
    }
    const base = rows / median(taken.get("pyarrow script")!.map(({ seconds }) => seconds));
    for (const [name, runs] of taken) {
      const seconds = median(runs.map((run) => run.seconds));
      const peak = Math.max(...runs.map((run) => run.peak_mib));
      const ratio = rows / seconds / base;
      const limit =
        name === "assay score"
          ? LIMITS[model]!.embedded
          : name.endsWith("--server")
            ? LIMITS[model]!.server
            : 0;
      const isMissed = ratio < limit || (limit > 0 && peak > PEAK_MIB_LIMIT);
      missed ||= isMissed;
      const cpu = median(runs.map((run) => run.cpu_seconds));
      const beside = name.endsWith("--server") ? ` + ${median(serverCpu).toFixed(1)} in the server` : "";
      console.log(
        `${model}  ${name.padEnd(21)} ${seconds.toFixed(1).padStart(6)} s  ${Math.round(rows / seconds / 1000)} k rows/s  ` +
          `${cpu.toFixed(1)} s CPU${beside}  peak ${peak} MiB  ratio ${ratio.toFixed(2)}` +
          (limit === 0
            ? ""
            : ` (at least ${limit.toFixed(2)}, at most ${PEAK_MIB_LIMIT} MiB)${isMissed ? "  MISSED" : ""}`),
      );
    }
  }
} finally {
  server.stop();
  rmSync(join(folder, "scores.parquet"), { force: true });
}
process.exitCode = missed ? 1 : 0;
