/** The entry of a thread that relays the runs of several channels to one process: `workerData` is a SharedStart. */
import { workerData } from "node:worker_threads";
import type { SharedStart } from "../channel.ts";
import { serveShared } from "../shared-worker.ts";
import { openProcessRunner } from "./process-runner.ts";

await serveShared(workerData as SharedStart, () => {}, openProcessRunner);
