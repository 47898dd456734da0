/**
 * `node test/conformance/suites/interop-server.ts --port N --http2-engine assay|node`: grpc.testing.TestService behind
 * the product's own listener.
 */
import { parseArgs } from "node:util";
import { readServerSettings } from "../../../src/config/server-settings.ts";
import { createEdge } from "../../../src/edge/edge.ts";
import { createLog } from "../../../src/telemetry/log.ts";
import { http2EngineOptions } from "../../reference/http2-engines.ts";
import { createFakeModels, createFakeScoring } from "../../support/servers/fake-services.ts";
import { interopRoutes } from "./interop-routes.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "http2-engine": { type: "string", default: "assay" },
  },
});
const edge = createEdge({
  scoring: createFakeScoring(),
  models: createFakeModels(),
  limits: readServerSettings({ flags: new Map(), environment: {} }),
  corsOrigins: ["*"],
  log: createLog("warn"),
  ...http2EngineOptions(values["http2-engine"] === "node" ? "node" : "assay"),
  routes: interopRoutes,
});
const { port } = await edge.listen("127.0.0.1", Number(values.port));
console.log(`grpc.testing.TestService on 127.0.0.1:${port}`);
process.once("SIGTERM", () => {
  edge.close().then(() => process.exit(0));
});
