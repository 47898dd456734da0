/** A whole server in a process of its own, whose worker obeys commands: the entry that `startChildServer` forks. */
import process from "node:process";
import { getHeapSpaceStatistics } from "node:v8";
import type { ChildQuestion } from "../clients/child-process.ts";
import { startAppServer } from "./app-server.ts";
import { COMMANDED_WORKER_URL, commandWorkers, type WorkerCommand } from "./worker-commands.ts";

const flags = JSON.parse(process.argv[2] ?? "{}") as Record<string, string>;
const server = await startAppServer("models", flags, { workerUrl: COMMANDED_WORKER_URL });
/** What the loop's thread worked between two timers; what others on the machine take is not in it. */
let longestStallMs = 0;
let before = process.threadCpuUsage();
setInterval(() => {
  const { user, system } = process.threadCpuUsage(before);
  longestStallMs = Math.max(longestStallMs, (user + system) / 1000);
  before = process.threadCpuUsage();
}, 5);
process.on("message", (message: WorkerCommand | ChildQuestion) => {
  if (message === "resident-bytes") {
    globalThis.gc?.();
    process.send?.(process.memoryUsage.rss());
  } else if (message === "heap-bytes") {
    globalThis.gc?.();
    process.send?.(process.memoryUsage().heapUsed);
  } else if (message === "old-bytes") {
    globalThis.gc?.({ type: "minor" });
    const spaces = getHeapSpaceStatistics().filter(({ space_name: name }) => /^(old|large)/.test(name));
    process.send?.(spaces.reduce((bytes, space) => bytes + space.space_used_size, 0));
  } else if (message === "longest-stall-ms") {
    process.send?.(longestStallMs);
    longestStallMs = 0;
  } else commandWorkers(message);
});
process.send?.(server.address);
