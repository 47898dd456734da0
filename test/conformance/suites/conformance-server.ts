/**
 * The server that connectconformance tests: reads one size-delimited ServerCompatRequest from standard input, serves the
 * suite's service behind the product's own listener (--http2-engine=node: over node:http2), and answers with a
 * size-delimited ServerCompatResponse.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import pino from "pino";
import { createEdge } from "../../../src/edge/edge.ts";
import { http2EngineOptions } from "../../reference/http2-engines.ts";
import { createFakeModels, createFakeScoring, LIMITS } from "../../support/servers/fake-services.ts";
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "../gen/connectrpc/conformance/v1/server_compat_pb.ts";
import { conformanceRoutes } from "./conformance-routes.ts";

const PREFIX_BYTES = 4;
const HOST = "127.0.0.1";

const request = fromBinary(ServerCompatRequestSchema, await readDelimited(process.stdin));
const { serverCreds, clientTlsCert } = request;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const edge = createEdge({
  scoring: createFakeScoring(),
  models: createFakeModels(),
  limits: {
    ...LIMITS,
    maxMessageBytes: request.messageReceiveLimit || 16 * 1024 * 1024,
    headerTimeoutMs: 10_000,
    bodyTimeoutMs: 30_000,
    callTimeoutMs: 60_000,
    maxConnections: 10_000,
  },
  ...(request.useTls && serverCreds !== undefined
    ? {
        tls: {
          cert: text(serverCreds.cert),
          key: text(serverCreds.key),
          ...(clientTlsCert.length > 0 ? { clientCa: text(clientTlsCert) } : {}),
        },
      }
    : {}),
  corsOrigins: ["*"],
  ...http2EngineOptions(process.argv.includes("--http2-engine=node") ? "node" : "assay"),
  log: pino({ level: process.env.ASSAY_LOG_LEVEL ?? "warn" }, pino.destination(2)),
  routes: conformanceRoutes,
});
const { port } = await edge.listen(HOST, 0);
const response = toBinary(
  ServerCompatResponseSchema,
  create(ServerCompatResponseSchema, {
    host: HOST,
    port,
    pemCert: request.useTls && serverCreds !== undefined ? serverCreds.cert : new Uint8Array(0),
  }),
);
const prefix = Buffer.alloc(PREFIX_BYTES);
prefix.writeUInt32BE(response.length);
process.stdout.write(Buffer.concat([prefix, response]));
process.once("SIGTERM", () => {
  edge.close().then(() => process.exit(0));
});

async function readDelimited(input: AsyncIterable<Buffer>): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of input) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length < PREFIX_BYTES) continue;
    const end = PREFIX_BYTES + bytes.readUInt32BE(0);
    if (bytes.length >= end) return bytes.subarray(PREFIX_BYTES, end);
  }
  throw new Error("standard input ended before a whole ServerCompatRequest came");
}
