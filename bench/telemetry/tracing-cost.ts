/**
 * What recording a share of the traces costs a call: two servers that differ in OpenTelemetry's variables alone, tracing off and a share
 * recorded and sent by OTLP to a receiver that takes everything. The median of the pairs' ratios is judged. Ends with 1 where it is above
 * the limit.
 * Beside it stand two servers that are the same, without tracing: how far the method itself can tell.
 * Arguments: --starts 5, --pairs 3, --seconds 2, --ratio 0.01, --limit 1.05, --protocol grpc, --connections 8, --concurrency 128, --quick (one start, 2 pairs of 1 s).
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { costOfSecond, shown } from "./server-pair.ts";

const { values } = parseArgs({
  options: {
    starts: { type: "string", default: "5" },
    pairs: { type: "string", default: "3" },
    seconds: { type: "string", default: "2" },
    ratio: { type: "string", default: "0.01" },
    limit: { type: "string", default: "1.05" },
    protocol: { type: "string", default: "grpc" },
    connections: { type: "string", default: "8" },
    concurrency: { type: "string", default: "128" },
    quick: { type: "boolean", default: false },
  },
});
const { protocol, connections, concurrency } = values;
const rounds = values.quick
  ? { starts: 1, pairs: 2, seconds: "1", warmCalls: 20_000, sampledCalls: 500 }
  : {
      starts: Number(values.starts),
      pairs: Number(values.pairs),
      seconds: values.seconds,
      warmCalls: 400_000,
      sampledCalls: 6_000,
    };

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

const checkout = fileURLToPath(new URL("../../", import.meta.url));
const environment = {
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
  OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
  OTEL_TRACES_SAMPLER_ARG: values.ratio,
};
const flags = { protocol, connections, concurrency };
const same = await costOfSecond({ checkout }, { checkout }, flags, rounds);
const { firstUs, secondUs, ratio, ratios } = await costOfSecond(
  { checkout },
  { checkout, environment },
  flags,
  rounds,
);
const share = Number(values.ratio);
const recordedUs = ((ratio - 1) * firstUs) / share;
console.log(
  `${protocol} ${connections} × ${Number(concurrency) / Number(connections)}: off ${firstUs.toFixed(2)} µs, ${share * 100} % recorded ${secondUs.toFixed(2)} µs: median of ${rounds.starts} starts of ${rounds.pairs} pairs ${ratio.toFixed(3)} (limit ${values.limit}; starts ${shown(ratios)}), ${recordedUs.toFixed(0)} µs more for a recorded call; ${received} octets of OTLP; two without tracing ${same.ratio.toFixed(3)} (${shown(same.ratios)})`,
);
receiver.closeAllConnections();
receiver.close();
process.exitCode = ratio <= Number(values.limit) && received > 0 ? 0 : 1;
