/** The entry of a shared thread that tests give to `SharedThreads`: the shipped one, which before each run obeys commands. */
import { workerData } from "node:worker_threads";
import type { SharedStart } from "../../src/worker/channel.ts";
import { deviceName } from "../../src/worker/device.ts";
import { serveShared } from "../../src/worker/shared-worker.ts";
import { obeyCommands } from "./obey-commands.ts";

await serveShared(workerData as SharedStart, ({ device }) => obeyCommands(deviceName(device)));
