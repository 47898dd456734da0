import { toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { PredictStreamResponseSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import type { ItemResult } from "../service/scoring.ts";
import { framed } from "./grpc-frames.ts";
import { itemResponse } from "./item-response.ts";

/** The answer to one item as a gRPC message with its prefix, uncompressed. */
export function encodeItem(result: ItemResult): Uint8Array {
  try {
    return framed(0, toBinary(PredictStreamResponseSchema, itemResponse(result)));
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new ConnectError(`serialize binary: ${what}`, Code.Internal);
  }
}
