/** A whole server in a process of its own, whose worker obeys commands: the entry that `startChildServer` forks. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { getHeapSpaceStatistics } from "node:v8";
import { startAppServer } from "./app-server.ts";
import type { ChildQuestion } from "./child-process.ts";
import { COMMANDED_WORKER_URL, commandWorkers, type WorkerCommand } from "./worker-commands.ts";

const flags = JSON.parse(process.argv[2] ?? "{}") as Record<string, string>;
const server = await startAppServer("models", flags, { workerUrl: COMMANDED_WORKER_URL });
const loopDelay = monitorEventLoopDelay({ resolution: 5 });
loopDelay.enable();
process.on("message", (message: WorkerCommand | ChildQuestion) => {
  if (message === "resident-bytes") {
    globalThis.gc?.();
    process.send?.(process.memoryUsage.rss());
  } else if (message === "old-bytes") {
    globalThis.gc?.({ type: "minor" });
    const spaces = getHeapSpaceStatistics().filter(({ space_name: name }) => /^(old|large)/.test(name));
    process.send?.(spaces.reduce((bytes, space) => bytes + space.space_used_size, 0));
  } else if (message === "longest-stall-ms") {
    const stallMs = loopDelay.max / 1e6;
    loopDelay.reset();
    process.send?.(stallMs);
  } else commandWorkers(message);
});
process.send?.(server.address);
