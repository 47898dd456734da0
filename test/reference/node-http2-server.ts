/**
 * `node test/reference/node-http2-server.ts --models DIR --port PORT …`: what `assay serve` serves, over `node:http2`. Takes the flags of
 * `assay serve` with their values; SIGTERM drains.
 */
import { startApp } from "../../src/app/serve.ts";
import { readServerSettings } from "../../src/config/server-settings.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { http2EngineOptions } from "./http2-engines.ts";

const flags = new Map<string, string>();
const given = process.argv.slice(2);
for (let i = 0; i < given.length; i += 2) flags.set(given[i]!.replace(/^--/, ""), given[i + 1] ?? "");
const settings = readServerSettings({ flags, environment: {} });
const app = await startApp({
  settings,
  environment: {},
  log: createLog("warn"),
  ...http2EngineOptions("node"),
});
process.once("SIGTERM", () => {
  app.drain().then(() => process.exit(0));
});
