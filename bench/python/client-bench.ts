/**
 * Rows a second of the Python client (`python/`) over one stream, at 4,096 rows a message of a logistic regression with 30 columns, beside a
 * loop of grpcio alone; judged by rows for a second of the client's own CPU, which the server's share and other load leave alone. Needs scripts/setup-tools.sh python-assay.
 * Arguments: --rows 2000000, --rounds 3, --least 1000000 (rows for a second of the client's CPU; ends with status 1 where the median is less).
 */
import { rmSync } from "node:fs";
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
const models = benchRepository();
const server = await startServerProcess(models);
try {
  const args = [
    "bench/python/client_rates.py",
    server.url,
    "lr30",
    "--rows",
    values.rows,
    "--rounds",
    values.rounds,
  ];
  const env = { ...process.env, PYTHONPATH: "python/src", PYTHONDONTWRITEBYTECODE: "1" };
  const { status, stdout, stderr } = await run(tool("python-assay"), args, { env, timeoutMs: 600_000 });
  if (status !== 0) throw new Error(stderr);
  process.stdout.write(stdout);
  const rounds = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { client: number; a_cpu_second: number; ratio: number });
  const ratio = median(rounds.map((round) => round.ratio));
  const ofCpu = median(rounds.map((round) => round.a_cpu_second));
  const rate = median(rounds.map((round) => round.client));
  process.stdout.write(
    `${JSON.stringify({ median_rows_a_second: rate, median_a_cpu_second: ofCpu, median_ratio: ratio, least: Number(values.least) })}\n`,
  );
  if (ofCpu < Number(values.least)) process.exitCode = 1;
} finally {
  await server.kill();
  rmSync(models, { recursive: true });
}
