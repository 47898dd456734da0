import { createRegistry } from "@bufbuild/protobuf";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../../gen/google/rpc/error_details_pb.ts";

/** Types of details that the status of a call or of a stream item may hold, so that it can be written as JSON. */
export const detailTypes = createRegistry(BadRequestSchema, ErrorInfoSchema, RetryInfoSchema);
