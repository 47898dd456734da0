/**
 * A worker entry that tests give to `createPool`: the shipped worker, which before each run obeys the commands that were posted
 * to it. The shipped package has no such thing.
 */
import { workerData } from "node:worker_threads";
import type { WorkerStart } from "../../src/worker/channel.ts";
import { deviceName } from "../../src/worker/device.ts";
import { serveRuns } from "../../src/worker/worker.ts";
import { obeyCommands } from "./obey-commands.ts";

const start = workerData as WorkerStart;
await serveRuns(start, () => obeyCommands(deviceName(start.device)));
