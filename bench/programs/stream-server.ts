/**
 * A whole server for the stream benchmarks. Argument: its flags as JSON, without dashes. Tells its parent its address; answers
 * "usage" with its CPU time (µs) and memory (bytes).
 */
import process from "node:process";
import { startAppServer } from "../../test/support/servers/app-server.ts";

const { models, ...flags } = JSON.parse(process.argv[2] ?? "{}") as Record<string, string>;
const server = await startAppServer(models ?? "models", flags);
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system, rssBytes: process.memoryUsage.rss() });
});
process.on("disconnect", () => process.exit());
process.send?.(server.app.address.port);
