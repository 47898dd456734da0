/**
 * Half an hour of everything at once at a moderate rate: fifteen ways to call (gRPC, gRPC-Web, Connect, streams, grpc-js, /predict, Open
 * Inference over gRPC and REST, /v1, /invocations), plain and compressed, with cancels, deadlines of 1 to 6 ms, bad input and connections
 * that are cut, while two models are reloaded and the process of a third is killed again and again. Each answer is compared with
 * the truth. Fails where an item is lost, answered twice or wrong, where the server ends, or where its memory after a collection grows.
 *
 *   npm run soak:mixed
 *   npm run soak:mixed -- --minutes 3 --pause-ms 50
 */
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { httpWays } from "./mixed/http-ways.ts";
import { makeCall, type Way, withCause } from "./mixed/mixed-call.ts";
import { MixedModels } from "./mixed/mixed-models.ts";
import { rpcWays } from "./mixed/rpc-ways.ts";
import { Tally } from "./mixed/tally.ts";
import { startSoakServer } from "./soak-server-process.ts";

/** Resident memory at the end, over that after the warm-up. */
const MOST_GROWTH = 1.2;
const RELOAD_MS = 2000;
/** Beyond the life after which an instance counts as healthy, and its start on a crowded machine: it is replaced at once each time. */
const KILL_MS = 90_000;
const KILLS = ["SIGKILL", "SIGSEGV", "SIGABRT"] as const;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    "pause-ms": { type: "string", default: "200" },
    "warm-up-seconds": { type: "string", default: "60" },
  },
});
const [minutes, pauseMs, warmUpSeconds] = [values.minutes, values["pause-ms"], values["warm-up-seconds"]].map(
  Number,
) as [number, number, number];
if (!(minutes > 0 && pauseMs >= 0 && warmUpSeconds > 0))
  throw new Error("--minutes, --pause-ms and --warm-up-seconds take numbers above 0");

const folder = mkdtempSync(join(tmpdir(), "assay-mixed-"));
const models = new MixedModels(folder);
const server = await startSoakServer(folder, [
  ...["--model-control", "explicit", "--load-model", "*", "--default-model", "steady"],
  ...["--max-batch-size", "64"],
]);
const tally = new Tally();
let kills = 0;
let isOver = false;

/** Calls one way again and again until the end. */
async function caller(way: Way): Promise<void> {
  while (!isOver && server.alive()) {
    await makeCall(way, models, tally);
    await delay(Math.random() * 2 * pauseMs);
  }
}

/** Does something again and again, with pauses; what it throws counts as a lost call. */
async function again(what: string, everyMs: number, act: () => unknown): Promise<void> {
  while (!isOver && server.alive()) {
    await delay(everyMs);
    try {
      if (!isOver) await act();
    } catch (error) {
      tally.lost(what, { id: 0, rows: 0, columns: 0, values: [] }, withCause(error as Error));
    }
  }
}

const BROKEN = [
  "GET / HTTP/1.1\r\nhost",
  "POST /predict/steady HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{",
  "POST /predict/steady HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n{{{{{",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0001\u0009\u0009\u0009\u0009\u0009\u0009\u0009",
  "\u0000\u0001\u0002",
];

/** A connection that says something wrong, half of something, or nothing, and goes, often without a FIN. */
async function disturb(): Promise<void> {
  const socket = connectTcp(server.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(BROKEN[Math.floor(Math.random() * BROKEN.length)]!);
  await delay(Math.random() * 1000);
  if (Math.random() < 0.5) socket.resetAndDestroy();
  else socket.destroy();
}

async function kill(): Promise<void> {
  const signal = KILLS[kills++ % KILLS.length]!;
  for (const child of server.children()) process.kill(child, signal);
}

const ways = [...rpcWays(server.url), ...httpWays(server.url)];
const all = [
  ...ways.map(caller),
  again("connection", 100, disturb),
  again("reload", RELOAD_MS, () => models.reload(server)),
  again("kill", KILL_MS, kill),
];
// What V8 and ONNX Runtime set up for good is there after a minute.
await delay(warmUpSeconds * 1000);
const before = { residentMib: await server.residentMib(), heapMib: await server.heapMib() };
const endAt = performance.now() + minutes * 60_000;
while (performance.now() < endAt && server.alive()) {
  await Promise.race([delay(Math.min(30_000, Math.max(0, endAt - performance.now()))), server.ended]);
  const residentMib = await server.residentMib();
  const heapMib = await server.heapMib().catch((error: Error) => error.message);
  const memory = `${residentMib} MiB, heap ${heapMib} MiB`;
  console.log(
    `${new Date().toISOString()} ${tally.line()}; ${models.reloads} reloads, ${kills} kills; ${memory}`,
  );
  for (const example of tally.examples.splice(0)) console.log(example);
}
isOver = true;
await Promise.race([Promise.all(all), delay(30_000)]);
await delay(1000);
const after = { residentMib: await server.residentMib(), heapMib: await server.heapMib() };
const limitHits = server.alive() ? await server.limitHits() : "";
const cpuSeconds = server.cpuSeconds();
const code = await server.terminate();
for (const way of ways) way.close?.();
rmSync(folder, { recursive: true });

const growth = after.residentMib / before.residentMib;
for (const example of tally.examples) console.log(example);
console.log(`\n${tally.report()}\n`);
console.log(
  `${tally.line()}; ${tally.triedAgain} items sent again; ${models.reloads} reloads, ${kills} kills`,
);
console.log(
  `after a collection: resident ${before.residentMib} MiB after the warm-up, ${after.residentMib} at the end: ${growth.toFixed(2)} (at most ${MOST_GROWTH}); heap ${before.heapMib} and ${after.heapMib} MiB`,
);
for (const [what, count] of server.logged) console.log(`${count} lines of the log: ${what}`);
console.log(`limits hit: ${limitHits}`);
console.log(`the server took ${Math.round(cpuSeconds)} s of CPU; exit after SIGTERM: ${code}`);
const isBug = [...server.logged.keys()].some((what) => /\(INTERNAL\)|unexpected|uncaught/i.test(what));
const held = tally.held && !isBug && growth <= MOST_GROWTH && code === 0;
console.log(held ? "held" : "failed");
process.exit(held ? 0 : 1);
