/** The entry of a thread that sessions share: `workerData` is a SharedStart. */
import { workerData } from "node:worker_threads";
import { plainGlobals } from "../plain-globals.ts";
import type { SharedStart } from "./channel.ts";
import { serveShared } from "./shared-worker.ts";

plainGlobals();

await serveShared(workerData as SharedStart);
