/**
 * What recording a share of the traces costs a call: two servers that differ in OpenTelemetry's variables alone, tracing off and a share
 * recorded and sent by OTLP to a receiver that takes everything, each in turn on core 0 with the load on core 1; calls of one row of 30
 * floats on a logistic regression. Each pair of rounds gives a ratio of CPU a call, of all threads; their median is judged. Ends with 1
 * where it is above the limit.
 * Arguments: --pairs 15, --seconds 2, --ratio 0.01, --limit 1.05, --protocol grpc, --connections 8, --concurrency 128, --quick (2 pairs of 1 s).
 */
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchRepository, benchRows, COLUMNS } from "../models/bench-models.ts";
import { load } from "../programs/bench-load.ts";
import { type MeasuredServer, startMeasured } from "../programs/measured-server.ts";
import { median } from "../statistics.ts";

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "15" },
    seconds: { type: "string", default: "2" },
    ratio: { type: "string", default: "0.01" },
    limit: { type: "string", default: "1.05" },
    protocol: { type: "string", default: "grpc" },
    connections: { type: "string", default: "8" },
    concurrency: { type: "string", default: "128" },
    quick: { type: "boolean", default: false },
  },
});
const { ratio, protocol, connections, concurrency } = values;
const pairs = values.quick ? 2 : Number(values.pairs);
const seconds = values.quick ? "1" : values.seconds;
/** V8 goes on compiling for some 25,000 calls. */
const warmSeconds = values.quick ? "2" : "6";

let received = 0;
const receiver = createServer((request, response) => {
  request.on("data", (chunk: Buffer) => {
    received += chunk.length;
  });
  request.on("end", () => response.writeHead(200, { "content-type": "application/x-protobuf" }).end());
});
receiver.listen(0, "127.0.0.1");
await once(receiver, "listening");
const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/v1/traces`;

const models = benchRepository();
const request = join(models, "request.json");
writeFileSync(
  request,
  JSON.stringify({ modelName: "lr30", features: [...benchRows(1).subarray(0, COLUMNS)] }),
);
const entry = fileURLToPath(new URL("../../bin/assay.cjs", import.meta.url));

function start(name: string, environment: Record<string, string>): Promise<MeasuredServer> {
  const flags = ["--port", "0", "--devices", "cpu", "--intra-op-threads", "1", "--max-connections", "2000"];
  const args = [entry, "serve", "--models", models, ...flags];
  return startMeasured(name, { command: process.execPath, args, environment });
}

async function cpuOfCall(server: MeasuredServer, duration: string): Promise<number> {
  const before = server.cpuUs();
  const url = `http://127.0.0.1:${server.port}`;
  const { calls } = await load({
    server: url,
    request,
    protocol,
    connections,
    concurrency,
    duration,
    warmup: "0",
  });
  return (server.cpuUs() - before) / calls;
}

const off = await start("off", {});
const on = await start("on", {
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
  OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
  OTEL_TRACES_SAMPLER_ARG: ratio,
});
for (const server of [off, on]) await cpuOfCall(server, warmSeconds);
const figures = { off: [] as number[], on: [] as number[] };
for (let pair = 0; pair < pairs; pair++) {
  // Whoever comes second is not always the same.
  const inTurn = pair % 2 === 0 ? (["off", "on"] as const) : (["on", "off"] as const);
  for (const name of inTurn) figures[name].push(await cpuOfCall(name === "on" ? on : off, seconds));
}
const ratios = figures.on.map((one, pair) => one / figures.off[pair]!);
const us = (name: "off" | "on") => `${median(figures[name]).toFixed(2)} µs`;
const share = `${Number(ratio) * 100} %`;
console.log(
  `${protocol} ${connections} × ${Number(concurrency) / Number(connections)}: off ${us("off")}, ${share} recorded ${us("on")}: median of ${pairs} pairs ${median(ratios).toFixed(3)} (limit ${values.limit}); ${received} octets of OTLP`,
);
for (const server of [off, on]) await server.stop();
receiver.closeAllConnections();
receiver.close();
rmSync(models, { recursive: true });
process.exitCode = median(ratios) <= Number(values.limit) && received > 0 ? 0 : 1;
