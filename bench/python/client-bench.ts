/**
 * Rows a second of the Python client (`python/`) over one stream, at 4,096 rows a message of a logistic regression with 30 columns, beside a
 * loop of grpcio alone, the server on core 0 and the client on core 1; judged by rows for a second of the client's own CPU, which the server's share and other load leave alone. Needs scripts/setup-tools.sh python-assay.
 * Arguments: --rows 2000000, --rounds 3, --least 1000000 (rows for a second of the client's CPU; ends with status 1 where the median is less).
 */
import { readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { tool } from "../../test/conformance/tool.ts";
import { run } from "../../test/support/clients/command.ts";
import { startServerProcess } from "../../test/support/servers/server-process.ts";
import { benchRepository } from "../models/bench-models.ts";
import { median } from "../statistics.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "2000000" },
    rounds: { type: "string", default: "3" },
    least: { type: "string", default: "1000000" },
  },
});
/** The kernel counts in hundredths of a second. */
const CLOCK_TICKS = 100;
const models = benchRepository();
const server = await startServerProcess(models);
const CORES = availableParallelism() > 1 ? { server: "0", client: "1" } : { server: "0", client: "0" };

/** Seconds of a process, of user and system. */
function cpuSeconds(processId: number): number {
  const fields = readFileSync(`/proc/${processId}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

try {
  const pinned = await run("taskset", ["-a", "-p", "-c", CORES.server, String(server.processId)]);
  if (pinned.status !== 0) throw new Error(pinned.stderr);
  const before = cpuSeconds(server.processId);
  const args = [
    "-c",
    CORES.client,
    tool("python-assay"),
    "bench/python/client_rates.py",
    server.url,
    "lr30",
    "--rows",
    values.rows,
    "--rounds",
    values.rounds,
  ];
  const env = { ...process.env, PYTHONPATH: "python/src", PYTHONDONTWRITEBYTECODE: "1" };
  const { status, stdout, stderr } = await run("taskset", args, { env, timeoutMs: 600_000 });
  if (status !== 0) throw new Error(stderr);
  process.stdout.write(stdout);
  const rounds = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { client: number; a_cpu_second: number; ratio: number });
  // Each round sends the rows twice: by the client, and by the bare loop.
  const serverSeconds = cpuSeconds(server.processId) - before;
  const served = Math.round((2 * Number(values.rows) * rounds.length) / serverSeconds);
  const ratio = median(rounds.map((round) => round.ratio));
  const ofCpu = median(rounds.map((round) => round.a_cpu_second));
  const rate = median(rounds.map((round) => round.client));
  process.stdout.write(
    `${JSON.stringify({ median_rows_a_second: rate, median_a_cpu_second: ofCpu, median_ratio: ratio, server_a_cpu_second: served, least: Number(values.least) })}\n`,
  );
  if (ofCpu < Number(values.least)) process.exitCode = 1;
} finally {
  await server.kill();
  rmSync(models, { recursive: true });
}
