import { create } from "@bufbuild/protobuf";
import type { ModelConfig } from "../../gen/assay/config/v1/model_config_pb.ts";
import {
  BatchingMode,
  type Model,
  ModelSchema,
  type ModelState,
  type TensorSpec as TensorSpecMessage,
  TensorSpecSchema,
} from "../../gen/assay/v1/model_service_pb.ts";
import type { PredictRequest } from "../../gen/assay/v1/scoring_service_pb.ts";
import type { PreparedModel } from "../model/prepared-model.ts";
import type { Batching, TensorSpec } from "../model/signature.ts";

const BATCHING: Readonly<Record<Batching, BatchingMode>> = {
  "across-requests": BatchingMode.ACROSS_REQUESTS,
  "within-request": BatchingMode.WITHIN_REQUEST,
  "single-rows": BatchingMode.SINGLE_ROWS,
  "no-batch-dimension": BatchingMode.NO_BATCH_DIMENSION,
};

/** Facts that GetModel tells of a model besides those of its file. */
export interface ModelCircumstances {
  readonly state: ModelState;
  readonly stateReason: string;
  readonly devices: readonly string[];
  /** The configuration in effect. */
  readonly config: ModelConfig;
  readonly exampleRequest: PredictRequest | undefined;
  /** Files that are other ones on disk than those that were loaded. */
  readonly changedFiles: readonly string[];
}

/** Describes a model as GetModel and `assay inspect` do. */
export function describeModel(model: PreparedModel, circumstances: ModelCircumstances): Model {
  const { signature, treeKernel } = model;
  const { exampleRequest } = circumstances;
  return create(ModelSchema, {
    modelName: model.modelName,
    modelVersion: model.modelVersion,
    state: circumstances.state,
    stateReason: circumstances.stateReason,
    inputs: signature.inputs.map(specMessage),
    outputs: signature.outputs.map(specMessage),
    scoreOutput: signature.score?.output ?? "",
    labels: [...signature.labels],
    labelOutput: signature.labelOutput ?? "",
    repairs: model.repairs.map(({ kind, target, description }) => ({ kind, target, description })),
    notices: [...model.notices],
    goldenCases: model.goldenCases.length,
    devices: [...circumstances.devices],
    batching: BATCHING[signature.batching],
    config: circumstances.config,
    sha256: model.sha256,
    fileBytes: BigInt(model.fileBytes),
    irVersion: model.irVersion,
    opsetImports: model.opsetImports.map(({ domain, version }) => ({ domain, version })),
    producer: model.producer,
    changedFiles: [...circumstances.changedFiles],
    ...(exampleRequest === undefined ? {} : { exampleRequest }),
    ...(treeKernel === undefined
      ? {}
      : { treeKernel: { used: treeKernel.isUsed, reason: treeKernel.reason } }),
  });
}

function specMessage(spec: TensorSpec): TensorSpecMessage {
  return create(TensorSpecSchema, {
    name: spec.name,
    datatype: spec.datatype,
    shape: spec.shape.map(BigInt),
    optional: spec.optional,
    featureNames: [...spec.featureNames],
    labels: [...spec.labels],
    aliases: [...spec.aliases],
    categories: [...(spec.categories ?? [])],
  });
}
