/** The entry of a worker thread: `workerData` is a WorkerStart. */
import { workerData } from "node:worker_threads";
import { plainGlobals } from "../plain-globals.ts";
import type { WorkerStart } from "./channel.ts";
import { serveRuns } from "./worker.ts";

plainGlobals();

await serveRuns(workerData as WorkerStart);
