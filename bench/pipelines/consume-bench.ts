/**
 * Rows a second of `assay consume` (exactly once, a logistic regression over JSON arrays) beside a bare loop that consumes and produces
 * with the same client in transactions, and its memory while it works off a backlog. `node bench/pipelines/consume-bench.ts [--rows N]
 * [--rounds N]`; needs `scripts/setup-tools.sh kafka`. Ends with 1 where the ratio is under the limit.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { KafkaBroker } from "../../test/pipelines/kafka/kafka-broker.ts";
import { median } from "../statistics.ts";

const { values } = parseArgs({
  options: { rows: { type: "string", default: "400000" }, rounds: { type: "string", default: "3" } },
});
const ROWS = Number(values.rows);
const PARTITIONS = 4;
const LIMIT = 0.8;
/** Rows before the clock starts: both begin cold. */
const WARM = Math.floor(ROWS / 4);

interface Measured {
  readonly rowsPerSecond: number;
  readonly cpuMicroseconds: number;
  readonly residentMb: readonly number[];
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function residentMb(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024);
}

/** Watches a process from its first quarter of the rows to the last; `count` tells how many it has committed. */
async function watch(child: ChildProcess, count: () => Promise<number>): Promise<Measured> {
  const resident: number[] = [];
  let from: { rows: number; ms: number; cpu: number } | undefined;
  for (;;) {
    await delay(50);
    const rows = await count();
    const ms = performance.now();
    if (rows >= WARM && from === undefined) from = { rows, ms, cpu: cpuSeconds(child.pid!) };
    if (from !== undefined) resident.push(residentMb(child.pid!));
    if (rows < ROWS || from === undefined) continue;
    const own = rows - from.rows;
    return {
      rowsPerSecond: (own * 1000) / (ms - from.ms),
      cpuMicroseconds: ((cpuSeconds(child.pid!) - from.cpu) * 1e6) / own,
      residentMb: resident,
    };
  }
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

async function measureBare(broker: KafkaBroker, round: number): Promise<Measured> {
  const args = ["bench/pipelines/bare-loop.ts", broker.address, "rows", "bare", `bare-${round}`];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let rows = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    rows = Number(text.trimEnd().split("\n").at(-1));
  });
  const measured = await watch(child, async () => rows);
  await end(child);
  return measured;
}

async function measureConsume(broker: KafkaBroker, round: number): Promise<Measured> {
  const names = ["-b", broker.address, "-i", "rows", "-o", "scores", "-g", `assay-${round}`, "-m", "iris"];
  const args = ["src/main.ts", "consume", ...names, "--metrics-host", "127.0.0.1", "--metrics-port", "0"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  const port = await new Promise<string>((resolve) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      const found = /"port":(\d+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  const measured = await watch(child, async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return Number(/^assay_consume_rows_total (\d+)$/m.exec(text)?.[1] ?? 0);
  });
  await end(child);
  return measured;
}

async function fill(broker: KafkaBroker): Promise<void> {
  const producer = broker.producer();
  for (let first = 0; first < ROWS; first += 4000) {
    const messages = Array.from({ length: Math.min(4000, ROWS - first) }, (_, at) => {
      const row = first + at;
      const value = JSON.stringify([
        4 + (row % 37) / 10,
        2 + (row % 23) / 10,
        1 + (row % 59) / 10,
        (row % 24) / 10,
      ]);
      return {
        topic: "rows",
        partition: row % PARTITIONS,
        key: Buffer.from(String(row)),
        value: Buffer.from(value),
      };
    });
    await producer.send({ messages });
  }
  await producer.close();
}

const folder = mkdtempSync(join(tmpdir(), "assay-bench-"));
const broker = await KafkaBroker.start(folder);
try {
  await broker.createTopics(["rows", "scores", "scores-dead-letter", "bare"], PARTITIONS);
  await fill(broker);
  const ratios: number[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    const bare = await measureBare(broker, round);
    const own = await measureConsume(broker, round);
    const ratio = own.rowsPerSecond / bare.rowsPerSecond;
    ratios.push(ratio);
    const [first, last] = [own.residentMb[0], own.residentMb.at(-1)];
    const most = Math.max(...own.residentMb);
    console.log(
      `round ${round}: bare ${Math.round(bare.rowsPerSecond)} rows/s, ${bare.cpuMicroseconds.toFixed(1)} µs of CPU a row; ` +
        `consume ${Math.round(own.rowsPerSecond)} rows/s, ${own.cpuMicroseconds.toFixed(1)} µs; ratio ${ratio.toFixed(2)}; ` +
        `consume's memory ${first} MB at a quarter, ${last} at the end, ${most} at most`,
    );
  }
  const middle = median(ratios);
  console.log(`ratio ${middle.toFixed(2)}, at least ${LIMIT} is wanted`);
  if (middle < LIMIT) process.exitCode = 1;
} finally {
  await broker.kill();
  rmSync(folder, { recursive: true, force: true });
}
