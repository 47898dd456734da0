/** The entry of a worker thread: `workerData` is a WorkerStart. */
import { workerData } from "node:worker_threads";
import type { WorkerStart } from "./channel.ts";
import { serveRuns } from "./worker.ts";

await serveRuns(workerData as WorkerStart);
