/** Serves the example models with commanded workers, as `assay serve` would; run by a test as a process of its own. */
import { startApp } from "../../src/app.ts";
import { endHungProcess } from "../../src/cli/hung-process.ts";
import { readServerSettings } from "../../src/config/server-settings.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { COMMANDED_WORKER_URL, commandWorkers } from "../worker-commands.ts";

const flags = new Map(
  Object.entries({ models: "models", port: "0", devices: "cpu", "run-timeout-ms": "500" }),
);
const app = await startApp({
  settings: readServerSettings({ flags, environment: {} }),
  environment: {},
  log: silentLog,
  workerUrl: COMMANDED_WORKER_URL,
  onHung: (device) => void endHungProcess(device, () => app.drain(), silentLog),
});
commandWorkers({ kind: "hang-in-native-code", ms: 15_000 });
process.stdout.write(`${app.address.port}\n`);
