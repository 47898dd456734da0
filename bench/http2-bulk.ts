/** A bulk stream through both HTTP/2 engines. Comes in: rounds, windows. Goes out: CPU and time of a message. */
import { createInterface } from "node:readline";
import { type EchoServer, startOnCore, startServer } from "./programs/http2-server-process.ts";
import { median } from "./statistics.ts";

interface BulkLoad {
  /** Sends so many messages and waits for their echo. */
  send(messages: number): Promise<{ seconds: number; cpuUs: number }>;
  stop(): void;
}

/** Starts bench/http2-bulk-client.ts on the second core. */
function startBulkLoad(server: EchoServer, windowBytes: number): BulkLoad {
  const options = ["--port", String(server.port), "--window", String(windowBytes)];
  const child = startOnCore(1, "http2-bulk-client.ts", options);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async send(messages) {
      child.stdin.write(`${messages}\n`);
      const line = await lines.next();
      if (line.done) throw new Error("the load ended before its messages came back");
      return JSON.parse(line.value);
    },
    stop: () => child.stdin.end(),
  };
}

const BULK_ENGINES = ["assay", "node"];
/** Rows of a message, 30 values of 4 octets each. */
export const ROWS = 4_096;
const SLICES = 16;
const SLICE_MESSAGES = 150;
const WARM_SLICES = 10;
// Both servers keep freed memory: else glibc gives the heap's end back to the kernel and faults it in again, up to
// 100 pages a message, depending on what happens to lie there.
const KEEP_FREED_MEMORY = { MALLOC_TRIM_THRESHOLD_: "1073741824", MALLOC_MMAP_THRESHOLD_: "1073741824" };

/** What the rounds gave, a median a round. */
export interface BulkFigures {
  /** The server's CPU µs a message, by engine. */
  readonly cpuUs: Map<string, number[]>;
  /** Time of a message in µs, by engine. */
  readonly us: Map<string, number[]>;
  /** The load's CPU µs a message. */
  readonly loadUs: number[];
}

/** How a run goes: with `fresh`, handlers make a buffer for every message. */
export interface BulkOptions {
  readonly rounds: number;
  readonly windowBytes: number;
  readonly fresh: boolean;
}

/** Adds one round: fresh servers, whose turns are short, so that what else the machine does falls on both alike. */
async function addRound({ windowBytes, fresh }: BulkOptions, figures: BulkFigures): Promise<void> {
  const options = ["--window", String(windowBytes), ...(fresh ? ["--fresh"] : [])];
  const servers = await Promise.all(
    BULK_ENGINES.map((name) => startServer(name, options, KEEP_FREED_MEMORY)),
  );
  const pairs = servers.map((server) => ({ server, load: startBulkLoad(server, windowBytes) }));
  const slices = servers.map(() => ({ cpuUs: [] as number[], us: [] as number[], loadUs: [] as number[] }));
  for (let slice = -WARM_SLICES; slice < SLICES; slice++) {
    for (const index of slice & 1 ? [0, 1] : [1, 0]) {
      const { server, load } = pairs[index]!;
      const before = await server.usage();
      const { seconds, cpuUs } = await load.send(SLICE_MESSAGES);
      const after = await server.usage();
      if (slice < 0) continue;
      slices[index]!.cpuUs.push((after.cpuUs - before.cpuUs) / SLICE_MESSAGES);
      slices[index]!.us.push((seconds * 1e6) / SLICE_MESSAGES);
      slices[index]!.loadUs.push(cpuUs / SLICE_MESSAGES);
    }
  }
  for (const [index, name] of BULK_ENGINES.entries()) {
    figures.cpuUs.get(name)!.push(median(slices[index]!.cpuUs));
    figures.us.get(name)!.push(median(slices[index]!.us));
    figures.loadUs.push(median(slices[index]!.loadUs));
  }
  for (const { server, load } of pairs) {
    load.stop();
    server.stop();
  }
}

/** Runs the bulk stream through both engines. */
export async function runBulk(options: BulkOptions): Promise<BulkFigures> {
  const perEngine = () => new Map<string, number[]>(BULK_ENGINES.map((name) => [name, []]));
  const figures: BulkFigures = { cpuUs: perEngine(), us: perEngine(), loadUs: [] };
  for (let round = 0; round < options.rounds; round++) await addRound(options, figures);
  return figures;
}
