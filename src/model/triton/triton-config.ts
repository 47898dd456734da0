/**
 * Reads config.pbtxt, by which Triton knows a model. Comes in: its text. Goes out: the message, what of it schedules the model
 * here, and what of it has no effect. Promises: whatever would change an answer and is not known here is refused by name, with
 * its line and what to do.
 */
import { create, isFieldSet } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  type ModelConfig as AssayConfig,
  ModelConfigSchema as AssayConfigSchema,
  type InstanceGroup,
  InstanceGroup_Kind,
  InstanceGroupSchema,
} from "../../../gen/assay/config/v1/model_config_pb.ts";
import {
  type ModelConfig,
  ModelConfigSchema,
  type ModelInstanceGroup,
  ModelInstanceGroup_Kind,
} from "../../../gen/inference/model_config_pb.ts";
import {
  type ConfigMistakes,
  type ConfigPath,
  createConfigMistakes,
  pathText,
} from "../config/config-mistakes.ts";
import { quoted } from "../refusal.ts";
import { findUnreadFields } from "./field-effects.ts";
import { readTextFormat } from "./text-format.ts";

/** The name of the file, beside the version folders. */
export const TRITON_CONFIG = "config.pbtxt";

/** A model's config.pbtxt, read. */
export interface TritonConfig {
  readonly message: ModelConfig;
  /** What of it schedules the model here. */
  readonly scheduling: AssayConfig;
  /** Fields that are set and have no effect here, as the log names them. */
  readonly unused: readonly string[];
  /** The line of a field, or of the nearest that encloses it; undefined where none of them is set. */
  lineOf(path: ConfigPath): number | undefined;
}

const PLATFORM = "onnxruntime_onnx";
const BACKEND = "onnxruntime";

/** What to do with models of other backends; by what their names begin with. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^ensemble/, "export its steps as one ONNX graph (onnx.compose), or call them one after another"],
  [/^(tensorflow|savedmodel|graphdef)/, "export the model with tf2onnx"],
  [/^pytorch|^torch/, "export the model with torch.onnx.export"],
  [/^fil/, "export the trees with onnxmltools or skl2onnx"],
  [/^(tensorrt|openvino|armnn)/, "serve the ONNX file that it was made of"],
];

const MAX_GROUPS = 16;
const MAX_INSTANCES = 64;
const MAX_BATCH = 65_536;
const MAX_DELAY_MICROSECONDS = 10_000_000n;
const MAX_QUEUE_ROWS = 2 ** 24;

/** Reads config.pbtxt; throws CONFIG_INVALID for what is no such file, MODEL_INVALID for what is not served as it asks. */
export function readTritonConfig(text: string): TritonConfig {
  const { message, placeOf } = readTextFormat(ModelConfigSchema, text, TRITON_CONFIG);
  const lineOf = (path: ConfigPath): number | undefined => {
    for (let length = path.length; length > 0; length--) {
      const place = placeOf(pathText(path.slice(0, length)));
      if (place !== undefined) return place.line;
    }
    return undefined;
  };
  checkBackend(message, createConfigMistakes(lineOf, TRITON_CONFIG));
  const mistakes = createConfigMistakes(lineOf, TRITON_CONFIG);
  const unread = findUnreadFields(message);
  for (const { path, advice } of unread.refused) mistakes.add(path, advice);
  checkValues(message, mistakes);
  const groups = instanceGroups(message.instanceGroup, mistakes);
  mistakes.throwIfAny();
  const unused = unread.unused.map(({ path, inside }) => {
    const names =
      inside.length === 0 ? "" : ` (${inside.slice(0, 8).join(", ")}${inside.length > 8 ? ", …" : ""})`;
    return `${pathText(path)}${names} in line ${lineOf(path)}`;
  });
  return { message, scheduling: scheduling(message, groups), unused, lineOf };
}

/** The file in a version folder that holds the model. */
export function modelFileName({ message }: TritonConfig): string {
  return message.defaultModelFilename || "model.onnx";
}

/** What `ours` says, and what `triton` says of the rest. */
export function withScheduling(ours: AssayConfig, triton: AssayConfig): AssayConfig {
  const merged = reflect(AssayConfigSchema, create(AssayConfigSchema, ours));
  const theirs = reflect(AssayConfigSchema, triton);
  for (const field of merged.fields)
    if (!isFieldSet(ours, field) && theirs.isSet(field)) merged.set(field, theirs.get(field));
  return merged.message as AssayConfig;
}

/** A model of another backend has fields of its own, which would only be noise. */
function checkBackend({ platform, backend }: ModelConfig, mistakes: ConfigMistakes): void {
  const tell = (field: string, name: string) => {
    const advice = ELSEWHERE.find(([pattern]) => pattern.test(name))?.[1] ?? "export the model to ONNX";
    const what = `${quoted(name)} came; Assay runs ONNX models, platform "${PLATFORM}" or backend "${BACKEND}"`;
    mistakes.add([field], `${what}: ${advice}, or leave it with Triton`);
  };
  if (backend !== "" && backend !== BACKEND) tell("backend", backend);
  else if (platform !== "" && platform !== PLATFORM) tell("platform", platform);
  mistakes.throwIfAny();
}

function checkValues(message: ModelConfig, mistakes: ConfigMistakes): void {
  if (message.maxBatchSize < 0) {
    const what = `${message.maxBatchSize} came; expected 0, for models without a batch dimension, or the most rows of a run`;
    mistakes.add(["max_batch_size"], what);
  }
  const policy = message.versionPolicy?.policyChoice;
  if (policy?.case === "specific" && policy.value.versions.length === 0)
    mistakes.add(["version_policy", "specific"], "no versions came: name each that is to be served");
  const { defaultModelFilename: file } = message;
  if (file.startsWith("/") || file.split("/").includes(".."))
    mistakes.add(
      ["default_model_filename"],
      `${quoted(file)} leads out of the version folder: put the file there`,
    );
}

const KINDS: Readonly<Record<number, InstanceGroup_Kind>> = {
  [ModelInstanceGroup_Kind.AUTO]: InstanceGroup_Kind.AUTO,
  [ModelInstanceGroup_Kind.GPU]: InstanceGroup_Kind.GPU,
  [ModelInstanceGroup_Kind.CPU]: InstanceGroup_Kind.CPU,
  [ModelInstanceGroup_Kind.MODEL]: InstanceGroup_Kind.AUTO,
};

function instanceGroups(groups: readonly ModelInstanceGroup[], mistakes: ConfigMistakes): InstanceGroup[] {
  if (groups.length > MAX_GROUPS)
    mistakes.add(["instance_group"], `${groups.length} groups came; expected at most ${MAX_GROUPS}`);
  return groups.map(({ kind, count, gpus }, index) => {
    const path = ["instance_group", index];
    if (count < 0 || count > MAX_INSTANCES)
      mistakes.add([...path, "count"], `${count} came; expected 1 to ${MAX_INSTANCES} instances`);
    const takesGpus = kind === ModelInstanceGroup_Kind.GPU || kind === ModelInstanceGroup_Kind.AUTO;
    if (gpus.length > 0 && !takesGpus)
      mistakes.add(
        [...path, "gpus"],
        "this kind runs on no GPUs of its own: take the line out, or write kind: KIND_GPU",
      );
    if (gpus.some((id) => id < 0))
      mistakes.add([...path, "gpus"], `${gpus} came; expected device ids from 0`);
    return create(InstanceGroupSchema, {
      kind: KINDS[kind] ?? InstanceGroup_Kind.AUTO,
      gpus: [...gpus],
      ...(count > 0 ? { count } : {}),
    });
  });
}

function scheduling(message: ModelConfig, instanceGroup: InstanceGroup[]): AssayConfig {
  const { maxBatchSize, schedulingChoice } = message;
  const batching = schedulingChoice.case === "dynamicBatching" ? schedulingChoice.value : undefined;
  const delay = batching?.maxQueueDelayMicroseconds ?? 0n;
  const queued = batching?.defaultQueuePolicy?.maxQueueSize ?? 0;
  return create(AssayConfigSchema, {
    instanceGroup,
    ...(maxBatchSize > 0 ? { maxBatchSize: Math.min(maxBatchSize, MAX_BATCH) } : {}),
    ...(delay > 0n
      ? {
          dynamicBatching: {
            maxQueueDelayMicroseconds: Number(
              delay < MAX_DELAY_MICROSECONDS ? delay : MAX_DELAY_MICROSECONDS,
            ),
          },
        }
      : {}),
    // Triton's queue counts requests, of at most max_batch_size rows each; this one counts rows.
    ...(queued > 0 ? { maxQueueRows: Math.min(queued * Math.max(1, maxBatchSize), MAX_QUEUE_ROWS) } : {}),
  });
}
