import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { TensorContentsSchema, TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { emptyMessage } from "../../../src/wire/empty-messages.ts";

test.each([PredictRequestSchema, TensorSchema, TensorContentsSchema])(
  "an empty message written down is the one that protobuf-es makes: $typeName",
  (desc) => {
    const made = create(desc);
    const written = emptyMessage(desc);
    expect(written).toEqual(made);
    expect(new Set(Object.keys(written))).toEqual(new Set(Object.keys(made)));
  },
);
