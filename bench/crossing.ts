/**
 * Crossing to a worker thread and back: shared memory and atomics, as the pool does it, against a `postMessage` round trip
 * with the same worker in the same run. Prints both in microseconds and their ratio; fails above 0.4.
 * Then a run of the smallest model through the pool, in a thread and in a process of its own: what isolation costs a run.
 */
import { Worker } from "node:worker_threads";
import { createPool } from "../src/pool/create-pool.ts";
import type { Isolation } from "../src/pool/instance.ts";
import { runTensors } from "../src/pool/pool.ts";
import { REQUEST, RESPONSE } from "../src/worker/channel.ts";
import { affineModel } from "../test/support/models/onnx-model.ts";
import { silentLog } from "../test/support/servers/silent-log.ts";
import { median } from "./statistics.ts";

const ROUNDS = 9;
const TRIPS = 2_000;
const LIMIT = 0.4;

const control = new SharedArrayBuffer(64);
const words = new Int32Array(control);
const [atomic, messages] = await Promise.all([
  startWorker(new URL("./workers/atomic-echo.ts", import.meta.url), control),
  startWorker(new URL("./workers/message-echo.ts", import.meta.url), undefined),
]);

function startWorker(url: URL, workerData: SharedArrayBuffer | undefined): Promise<Worker> {
  return new Promise((resolve) => {
    const worker = new Worker(url, { workerData });
    worker.once("online", () => resolve(worker));
  });
}

let request = 0;
async function crossShared(): Promise<void> {
  Atomics.store(words, REQUEST, ++request);
  Atomics.notify(words, REQUEST);
  const wait = Atomics.waitAsync(words, RESPONSE, request - 1);
  if (wait.async) await wait.value;
}

let onEcho = (): void => {};
messages.on("message", () => onEcho());
function crossMessages(): Promise<void> {
  return new Promise((resolve) => {
    onEcho = resolve;
    messages.postMessage(request);
  });
}

async function microsecondsEach(cross: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  for (let trip = 0; trip < TRIPS; trip++) await cross();
  return ((performance.now() - startedAt) * 1_000) / TRIPS;
}

await microsecondsEach(crossShared);
await microsecondsEach(crossMessages);
const shared: number[] = [];
const posted: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  shared.push(await microsecondsEach(crossShared));
  posted.push(await microsecondsEach(crossMessages));
}
const ratio = median(shared.map((microseconds, round) => microseconds / posted[round]!));
console.log(`shared memory ${median(shared).toFixed(1)} us, postMessage ${median(posted).toFixed(1)} us`);
console.log(`ratio ${ratio.toFixed(2)} (at most ${LIMIT})`);
await Promise.all([atomic.terminate(), messages.terminate()]);
process.exitCode = ratio <= LIMIT ? 0 : 1;

const COLUMNS = 30;
for (const rows of [1, 256, 8192]) {
  const [inThread, inProcess] = [await runsOf("thread", rows), await runsOf("process", rows)];
  console.log(
    `${rows} rows of ${COLUMNS} floats: a run in a thread ${inThread.toFixed(1)} us, in a process ${inProcess.toFixed(1)} us`,
  );
}

/** Microseconds of a run, one after another. */
async function runsOf(isolation: Isolation, rows: number): Promise<number> {
  const devices = [{ provider: "cpu", deviceId: 0 }] as const;
  const pool = await createPool({ model: affineModel(COLUMNS), devices, log: silentLog, isolation });
  const shape = [rows, COLUMNS];
  const inputs = [
    { name: "x", datatype: "FP32" as const, shape, data: new Float32Array(rows * COLUMNS).fill(1) },
  ];
  const runs = rows > 1000 ? 100 : TRIPS;
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const startedAt = performance.now();
    for (let run = 0; run < runs; run++) await runTensors(pool, inputs);
    times.push(((performance.now() - startedAt) * 1_000) / runs);
  }
  await pool.close();
  return median(times.slice(1));
}
