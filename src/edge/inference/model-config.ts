/** The configuration of a model as Triton tells it: what config.pbtxt says, and what is in effect where it says nothing. */
import { create } from "@bufbuild/protobuf";
import { BatchingMode, type Model, type TensorSpec } from "../../../gen/assay/v1/model_service_pb.ts";
import {
  DataType,
  ModelInstanceGroup_Kind as Kind,
  type ModelConfig,
  ModelConfigSchema,
  ModelVersionPolicySchema,
} from "../../../gen/inference/model_config_pb.ts";
import { PLATFORM } from "./metadata.ts";

const BACKEND = "onnxruntime";
/** What a folder with config.pbtxt has where that says nothing of it; without config.pbtxt all versions are served. */
const LATEST = { policyChoice: { case: "latest" as const, value: { numVersions: 1 } } };

/** The configuration in effect; `written`: what config.pbtxt says, whose fields are kept. */
export function tritonModelConfig(model: Model, written: ModelConfig | undefined): ModelConfig {
  const hasRows = model.batching !== BatchingMode.NO_BATCH_DIMENSION;
  const maxBatchSize = hasRows ? (model.config?.maxBatchSize ?? 1) : 0;
  const inEffect = create(ModelConfigSchema, {
    name: model.modelName,
    platform: PLATFORM,
    backend: BACKEND,
    versionPolicy: { policyChoice: { case: "all", value: {} } },
    maxBatchSize,
    input: model.inputs.map((input) => ({ ...tensor(input, hasRows), optional: input.optional })),
    output: model.outputs.map((output) => tensor(output, hasRows)),
    instanceGroup: instanceGroups(model),
    defaultModelFilename: "model.onnx",
    ...(hasRows && {
      schedulingChoice: {
        case: "dynamicBatching" as const,
        value: {
          maxQueueDelayMicroseconds: BigInt(model.config?.dynamicBatching?.maxQueueDelayMicroseconds ?? 0),
          preserveOrdering: false,
        },
      },
    }),
  });
  if (written === undefined) return inEffect;
  const kept: ModelConfig = { ...written, name: inEffect.name, platform: PLATFORM, backend: BACKEND };
  if (kept.input.length === 0) kept.input = inEffect.input;
  if (kept.output.length === 0) kept.output = inEffect.output;
  if (kept.instanceGroup.length === 0) kept.instanceGroup = inEffect.instanceGroup;
  kept.versionPolicy ??= create(ModelVersionPolicySchema, LATEST);
  if (kept.schedulingChoice.case === undefined) kept.schedulingChoice = inEffect.schedulingChoice;
  if (kept.defaultModelFilename === "") kept.defaultModelFilename = inEffect.defaultModelFilename;
  return kept;
}

/** A configuration does not count the axis of rows. */
function tensor({ name, datatype, shape }: TensorSpec, hasRows: boolean) {
  return { name, dataType: dataType(datatype), dims: hasRows ? shape.slice(1) : shape };
}

function dataType(datatype: string): DataType {
  const name = `TYPE_${datatype === "BYTES" ? "STRING" : datatype}` as keyof typeof DataType;
  return DataType[name] ?? DataType.TYPE_INVALID;
}

/** One group for each kind of device; `cuda:1` is GPU 1. */
function instanceGroups({ modelName, devices }: Model) {
  const ids = (kind: string) =>
    devices.filter((device) => device.startsWith(kind)).map((device) => Number(device.split(":")[1] ?? 0));
  const gpus = [...ids("cuda:"), ...ids("webgpu:")];
  const cpus = devices.length - gpus.length;
  const groups = [];
  if (cpus > 0) groups.push({ name: `${modelName}_0`, kind: Kind.CPU, count: cpus });
  if (gpus.length > 0) groups.push({ name: `${modelName}_${groups.length}`, kind: Kind.GPU, count: 1, gpus });
  return groups;
}
