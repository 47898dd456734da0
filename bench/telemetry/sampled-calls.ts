/** Calls over gRPC whose callers ask for a trace: what a server does for a recorded call is compiled by V8 once it has done it often. */
import { connect } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { PredictRequestSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { framed } from "../../src/wire/grpc-frame.ts";

const AT_ONCE = 64;
/** Calls of which one asks for it: V8 compiles the path of all calls by how often it saw each of its branches, and here as in use few are recorded. */
const ONE_IN = 10;
const SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Makes so many of them on one connection among others, some at once; resolves to how many calls it made. Rejects where one is refused. */
export async function callSampled(port: number, features: readonly number[], count: number): Promise<number> {
  const callCount = count * ONE_IN;
  const body = framed(
    0,
    toBinary(
      PredictRequestSchema,
      create(PredictRequestSchema, { modelName: "lr30", features: [...features] }),
    ),
  );
  const session = connect(`http://127.0.0.1:${port}`);
  // The streams are told too.
  session.on("error", () => {});
  let left = callCount;
  const callOn = async (): Promise<void> => {
    while (left > 0) await callOnce(--left % ONE_IN === 0);
  };
  const callOnce = (isSampled: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const stream = session.request({
        ":method": "POST",
        ":path": "/assay.v1.ScoringService/Predict",
        "content-type": "application/grpc",
        te: "trailers",
        ...(isSampled ? { traceparent: SAMPLED } : {}),
      });
      let status: unknown;
      stream.on("response", (fields) => {
        status = fields["grpc-status"];
      });
      stream.on("trailers", (fields) => {
        status = fields["grpc-status"];
      });
      stream.on("error", reject);
      stream.on("close", () =>
        status === "0" ? resolve() : reject(new Error(`a call was answered ${status}`)),
      );
      stream.resume();
      stream.end(body);
    });
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, callOn));
  } finally {
    session.close();
  }
  return callCount;
}
