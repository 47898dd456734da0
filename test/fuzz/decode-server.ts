/**
 * A server in a process of its own that tells how long its event loop was held: by the processor time of its main thread between two
 * ticks of a timer, which does not grow where the machine has other work.
 */
import { getHeapStatistics } from "node:v8";
import { startAppServer } from "../support/servers/app-server.ts";

const TICK_MS = 4;

/** What the server tells of itself since it was asked last. */
export interface ServerReport {
  readonly heldMs: number;
  readonly heapBytes: number;
  readonly heapLimitBytes: number;
  readonly rssBytes: number;
}

if (process.send !== undefined) {
  const [, , flags = "{}", models = "models"] = process.argv;
  const server = await startAppServer(models, JSON.parse(flags) as Record<string, string>);
  let heldMs = 0;
  let used = process.threadCpuUsage();
  setInterval(() => {
    const { user, system } = process.threadCpuUsage(used);
    used = process.threadCpuUsage();
    heldMs = Math.max(heldMs, (user + system) / 1000);
  }, TICK_MS);
  process.on("message", () => {
    const { used_heap_size, heap_size_limit } = getHeapStatistics();
    const report: ServerReport = {
      heldMs,
      heapBytes: used_heap_size,
      heapLimitBytes: heap_size_limit,
      rssBytes: process.memoryUsage.rss(),
    };
    heldMs = 0;
    process.send!(report);
  });
  process.send({ port: Number(new URL(server.url).port) });
}
