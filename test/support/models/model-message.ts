import { create } from "@bufbuild/protobuf";
import {
  BatchingMode,
  type Model,
  ModelSchema,
  type TensorSpec,
  TensorSpecSchema,
} from "../../../gen/assay/v1/model_service_pb.ts";

/** An input or output as GetModel describes it. */
export function specMessage(
  name: string,
  datatype: string,
  shape: readonly number[],
  more: Partial<Pick<TensorSpec, "optional" | "featureNames" | "labels" | "aliases">> = {},
): TensorSpec {
  return create(TensorSpecSchema, { name, datatype, shape: shape.map(BigInt), ...more });
}

/** A model as GetModel describes it, with one score a row. */
export function modelMessage(
  inputs: TensorSpec[],
  more: Partial<Pick<Model, "outputs" | "scoreOutput" | "labelOutput" | "labels" | "batching">> = {},
): Model {
  return create(ModelSchema, {
    modelName: "census",
    modelVersion: "3",
    inputs,
    outputs: [specMessage("y", "FP32", [-1, 1])],
    scoreOutput: "y",
    batching: BatchingMode.ACROSS_REQUESTS,
    ...more,
  });
}
