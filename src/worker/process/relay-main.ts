/** The entry of a thread that relays runs to a process: `workerData` is a WorkerStart. */
import { workerData } from "node:worker_threads";
import type { WorkerStart } from "../channel.ts";
import { serveRuns } from "../worker.ts";
import { openProcessRunner } from "./process-runner.ts";

await serveRuns(workerData as WorkerStart, () => {}, openProcessRunner);
