/**
 * What a row costs where Spark has it scored: processor time of Spark (its JVM and its Python workers), and of the server, for the example
 * model census over local[2] and one server. A job of a fifth of the rows is taken off, and with it the start of the JVM and the workers.
 * Needs scripts/setup-tools.sh python-spark. Arguments: --rows 1000000, --partitions 16.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { tool } from "../../test/conformance/tool.ts";
import { run } from "../../test/support/clients/command.ts";
import { startServerProcess } from "../../test/support/servers/server-process.ts";

const { values } = parseArgs({
  options: { rows: { type: "string", default: "1000000" }, partitions: { type: "string", default: "16" } },
});
const TICKS_A_SECOND = 100;
const folder = mkdtempSync(join(tmpdir(), "assay-spark-"));
cpSync("models/census", join(folder, "models/census"), { recursive: true });
const server = await startServerProcess(join(folder, "models"));

/** Seconds of processor time that the server has used. */
function used(): number {
  const fields = readFileSync(`/proc/${server.processId}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** Scores some rows; what the program and the server used. */
async function scored(rows: number): Promise<{ seconds: number; spark: number; server: number }> {
  const before = used();
  const env = { ...process.env, PYTHONPATH: "python/src", PYTHONDONTWRITEBYTECODE: "1" };
  const program = "test/pipelines/spark/score_people.py";
  const args = [program, server.url, String(rows), values.partitions, join(folder, `${rows}`), server.url];
  const { stdout, stderr } = await run(tool("python-spark"), args, { env, timeoutMs: 600_000 });
  if (stdout === "") throw new Error(stderr);
  const told = JSON.parse(stdout) as { seconds: number; cpu_seconds: number };
  // The program scores all rows twice: by Spark, and to compare.
  return { seconds: told.seconds, spark: told.cpu_seconds, server: (used() - before) / 2 };
}

try {
  const rows = Number(values.rows);
  const [few, many] = [await scored(rows / 5), await scored(rows)];
  const micros = (all: number, part: number) => Number(((1e6 * (all - part)) / (0.8 * rows)).toFixed(2));
  const figures = {
    rows,
    rows_a_second: Math.round((0.8 * rows) / (many.seconds - few.seconds)),
    spark_us_a_row: micros(many.spark, few.spark),
    server_us_a_row: micros(many.server, few.server),
    start_cpu_seconds: Number((few.spark - (many.spark - few.spark) / 4).toFixed(1)),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await server.kill();
  rmSync(folder, { recursive: true });
}
