/** A whole server in a process of its own, whose worker obeys commands: the entry that `startChildServer` forks. */
import process from "node:process";
import { startAppServer } from "./app-server.ts";
import { COMMANDED_WORKER_URL, commandWorkers, type WorkerCommand } from "./worker-commands.ts";

const flags = JSON.parse(process.argv[2] ?? "{}") as Record<string, string>;
const server = await startAppServer("models", flags, { workerUrl: COMMANDED_WORKER_URL });
process.on("message", (message: WorkerCommand | "resident-bytes") => {
  if (message === "resident-bytes") {
    globalThis.gc?.();
    process.send?.(process.memoryUsage.rss());
  } else commandWorkers(message);
});
process.send?.(server.address);
