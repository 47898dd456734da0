/**
 * Unary calls of one row, one after another, over gRPC. For each message `{model, seconds}` from its parent it answers with the
 * milliseconds of each call. Argument: the server's port.
 */
import { once } from "node:events";
import http2 from "node:http2";
import process from "node:process";
import { create, toBinary } from "@bufbuild/protobuf";
import { PredictRequestSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { benchRows, COLUMNS } from "../models/bench-models.ts";

const session = http2.connect(`http://127.0.0.1:${process.argv[2]}`);
const features = benchRows(1000);
let next = 0;

function message(model: string): Buffer {
  const at = (next++ % 1000) * COLUMNS;
  const request = { modelName: model, features: [...features.subarray(at, at + COLUMNS)] };
  const bytes = toBinary(PredictRequestSchema, create(PredictRequestSchema, request));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

async function call(body: Buffer): Promise<number> {
  const startedAt = performance.now();
  const stream = session.request({
    ":method": "POST",
    ":path": "/assay.v1.ScoringService/Predict",
    "content-type": "application/grpc",
    te: "trailers",
  });
  let status: unknown;
  stream.on("trailers", (trailers) => {
    status = trailers["grpc-status"];
  });
  stream.resume();
  stream.end(body);
  await once(stream, "close");
  if (status !== "0") throw new Error(`a call ended with grpc-status ${status}`);
  return performance.now() - startedAt;
}

process.on("message", async ({ model, seconds }: { model: string; seconds: number }) => {
  const milliseconds: number[] = [];
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) milliseconds.push(await call(message(model)));
  process.send?.(milliseconds);
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
