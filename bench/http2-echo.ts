/**
 * Echo through both HTTP/2 engines, interleaved in one run: CPU µs a call under h2load, CPU and rows a second of a bulk
 * stream, memory of idle connections. Prints one line a scenario with the ratio to `node:http2` and its limit; ends with
 * status 1 when a limit is missed. Needs h2load (scripts/setup-tools.sh h2load).
 * Arguments: --rounds 5, --only unary|bulk|idle, --peer PORT,PID (a gRPC echo server of another kind, unary only),
 * --fresh (bulk with a fresh buffer for every message, which has no limit: see README.md).
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { parseArgs } from "node:util";
import { CLIENT_PREFACE, FLAG_ACK, SETTINGS, writeFrameHeader } from "../src/http2/frame.ts";
import { median } from "./statistics.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string" },
    peer: { type: "string" },
    fresh: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);

interface Usage {
  readonly cpuUs: number;
  readonly rssBytes: number;
}

interface EchoServer {
  readonly name: string;
  readonly port: number;
  usage(): Promise<Usage>;
  stop(): void;
}

/** Starts bench/http2-echo-server.ts on the first core. */
async function startServer(engine: string, options: readonly string[] = [], env = {}): Promise<EchoServer> {
  const script = new URL("http2-echo-server.ts", import.meta.url).pathname;
  const args = ["-c", "0", process.execPath, script, "--engine", engine, ...options];
  const child: ChildProcess = spawn("taskset", args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const lines: Interface = createInterface(child.stdout!);
  const [port] = (await once(lines, "line")) as [string];
  return {
    name: engine,
    port: Number(port),
    async usage() {
      const line = once(lines, "line");
      child.kill("SIGUSR2");
      return JSON.parse((await line)[0] as string) as Usage;
    },
    stop: () => child.kill(),
  };
}

/** A server that somebody else started, whose CPU time the kernel tells in ticks of 10 ms. */
function peerServer(port: number, pid: number): EchoServer {
  return {
    name: "peer",
    port,
    async usage() {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
      return { cpuUs: (Number(stat[11]) + Number(stat[12])) * 10_000, rssBytes: 0 };
    },
    stop() {},
  };
}

const payload = join(tmpdir(), `http2-echo-${process.pid}`);
writeFileSync(payload, Buffer.concat([Buffer.of(0, 0, 0, 0, 125), Buffer.alloc(125, 7)]));

function load(server: EchoServer, connections: number, streams: number, calls: number): void {
  const headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"];
  const url = `http://127.0.0.1:${server.port}/echo.Echo/Unary`;
  const sizes = ["-n", String(calls), "-c", String(connections), "-m", String(streams)];
  const printed = execFileSync("taskset", ["-c", "1", "h2load", ...sizes, "-d", payload, ...headers, url], {
    encoding: "utf8",
  });
  if (!printed.includes(`${calls} succeeded`)) throw new Error(printed);
}

let missed = 0;

/** Prints the medians and the ratio of ours to `node:http2`'s, which `limit` bounds from above. */
function report(what: string, unit: string, figures: ReadonlyMap<string, number[]>, limit: number): void {
  const of = (name: string) => median(figures.get(name)!);
  const ratio = of("assay") / of("node");
  if (ratio > limit) missed++;
  const shown = [...figures.keys()].map((name) => `${name} ${of(name).toFixed(1)}`).join(", ");
  console.log(`${what}: ${shown} ${unit}; ratio ${ratio.toFixed(2)} (limit ${limit.toFixed(2)})`);
}

async function unary(connections: number, streams: number, calls: number, limit: number): Promise<void> {
  const servers = [await startServer("assay"), await startServer("node")];
  const [port, pid] = (values.peer ?? "").split(",").map(Number);
  if (port && pid) servers.push(peerServer(port, pid));
  const figures = new Map<string, number[]>(servers.map((server) => [server.name, []]));
  for (const server of servers) load(server, connections, streams, calls);
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      const before = await server.usage();
      load(server, connections, streams, calls);
      figures.get(server.name)!.push(((await server.usage()).cpuUs - before.cpuUs) / calls);
    }
  }
  for (const server of servers) server.stop();
  report(`unary, ${connections} connections × ${streams} streams`, "CPU µs a call", figures, limit);
}

interface BulkLoad {
  /** Sends so many messages and waits for their echo. */
  send(messages: number): Promise<{ seconds: number; cpuUs: number }>;
  stop(): void;
}

/** Starts bench/http2-bulk-client.ts on the second core. */
function startBulkLoad(server: EchoServer, windowBytes: number): BulkLoad {
  const script = new URL("http2-bulk-client.ts", import.meta.url).pathname;
  const options = ["--port", String(server.port), "--window", String(windowBytes)];
  const child = spawn("taskset", ["-c", "1", process.execPath, script, ...options], {
    stdio: ["pipe", "pipe", "inherit"],
  });
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
const ROWS = 4_096;
const SLICES = 16;
const SLICE_MESSAGES = 150;
const WARM_SLICES = 10;
// Both servers keep freed memory: else glibc gives the heap's end back to the kernel and faults it in again, up to
// 100 pages a message, depending on what happens to lie there.
const KEEP_FREED_MEMORY = { MALLOC_TRIM_THRESHOLD_: "1073741824", MALLOC_MMAP_THRESHOLD_: "1073741824" };

/** Adds one round: fresh servers, whose turns are short, so that what else the machine does falls on both alike. */
async function bulkRound(windowBytes: number, figures: BulkFigures): Promise<void> {
  const options = ["--window", String(windowBytes), ...(values.fresh ? ["--fresh"] : [])];
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

interface BulkFigures {
  readonly cpuUs: Map<string, number[]>;
  readonly us: Map<string, number[]>;
  readonly loadUs: number[];
}

async function bulk(windowBytes: number, limit: number): Promise<void> {
  const perEngine = () => new Map<string, number[]>(BULK_ENGINES.map((name) => [name, []]));
  const figures: BulkFigures = { cpuUs: perEngine(), us: perEngine(), loadUs: [] };
  for (let round = 0; round < rounds; round++) await bulkRound(windowBytes, figures);
  const what = `bulk, ${ROWS} rows a message, windows of ${windowBytes >> 10} KiB`;
  report(what, "CPU µs a message", figures.cpuUs, limit);
  const rounded = (name: string) =>
    figures.cpuUs
      .get(name)!
      .map((value) => value.toFixed(0))
      .join(" ");
  for (const name of BULK_ENGINES) {
    const rowsPerUs = ROWS / median(figures.us.get(name)!);
    console.log(`  ${name}: ${rowsPerUs.toFixed(1)} M rows/s; CPU by round ${rounded(name)}`);
  }
  console.log(`  the load: ${median(figures.loadUs).toFixed(0)} CPU µs a message`);
}

/** Connections that have shaken hands and then say nothing. */
async function idle(count: number): Promise<void> {
  const figures = new Map<string, number[]>();
  const hello = Buffer.alloc(18);
  writeFrameHeader(hello, 0, 0, SETTINGS, 0, 0);
  writeFrameHeader(hello, 9, 0, SETTINGS, FLAG_ACK, 0);
  for (const engine of ["assay", "node"]) {
    const server = await startServer(engine);
    const { rssBytes } = await server.usage();
    const sockets: net.Socket[] = [];
    for (let i = 0; i < count; i++) {
      const socket = net.connect(server.port, "127.0.0.1");
      socket.write(Buffer.concat([CLIENT_PREFACE, hello]));
      await once(socket, "data");
      sockets.push(socket);
    }
    figures.set(engine, [((await server.usage()).rssBytes - rssBytes) / count / 1024]);
    for (const socket of sockets) socket.destroy();
    server.stop();
  }
  report(`idle, ${count} connections`, "KiB a connection", figures, 1);
}

if (values.only === undefined || values.only === "unary") {
  await unary(8, 16, 100_000, 0.2);
  await unary(8, 1, 40_000, 0.35);
}
if (values.only === undefined || values.only === "bulk") {
  await bulk(4_194_304, values.fresh ? Number.POSITIVE_INFINITY : 1 / 1.5);
}
if (values.only === undefined || values.only === "idle") await idle(10_000);
process.exitCode = missed === 0 ? 0 : 1;
