import type { DescField } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type ModelConfig, ModelConfigSchema } from "../../../gen/inference/model_config_pb.ts";
import type { ConfigPath } from "../config/config-mistakes.ts";

/** The effect of a field of config.pbtxt: it is read; it has none here, since no answer depends on it; a model that needs it is refused. */
export type FieldEffect =
  | { readonly kind: "read" }
  | { readonly kind: "none" }
  | { readonly kind: "refused"; readonly advice: string };

const READ: FieldEffect = { kind: "read" };
const NONE: FieldEffect = { kind: "none" };
const TENSORRT = refused("only TensorRT has such tensors: take the line out");

/**
 * Fields by their path in the schema, without positions in lists. What is read is looked into; all that lies inside the others is
 * as they are. `docs/triton-repositories.md` shows the same.
 */
export const FIELD_EFFECTS: Readonly<Record<string, FieldEffect>> = {
  name: READ,
  platform: READ,
  backend: READ,
  runtime: NONE,
  version_policy: READ,
  max_batch_size: READ,
  input: READ,
  "input.format": NONE,
  "input.is_shape_tensor": TENSORRT,
  "input.allow_ragged_batch": refused(
    "requests of different lengths are not laid side by side here: pad them, or export the model with a mask as an input",
  ),
  "input.is_non_linear_format_io": TENSORRT,
  output: READ,
  "output.is_shape_tensor": TENSORRT,
  "output.is_non_linear_format_io": TENSORRT,
  batch_input: refused("the server makes no inputs here: export the model so that a request brings them"),
  batch_output: refused("outputs are not scattered here: export the model with one row a row"),
  optimization: NONE,
  dynamic_batching: READ,
  "dynamic_batching.preferred_batch_size": NONE,
  "dynamic_batching.preserve_ordering": NONE,
  "dynamic_batching.priority_levels": NONE,
  "dynamic_batching.default_priority_level": NONE,
  "dynamic_batching.default_queue_policy.timeout_action": NONE,
  "dynamic_batching.default_queue_policy.default_timeout_microseconds": NONE,
  "dynamic_batching.default_queue_policy.allow_timeout_override": NONE,
  "dynamic_batching.priority_queue_policy": NONE,
  sequence_batching: refused(
    "no state is kept between requests here: export the model so that it takes and gives its state, or leave it with Triton",
  ),
  ensemble_scheduling: refused(
    "models are not chained here: export the steps as one ONNX graph (onnx.compose), or call them one after another",
  ),
  instance_group: READ,
  "instance_group.name": NONE,
  "instance_group.rate_limiter": NONE,
  "instance_group.secondary_devices": NONE,
  "instance_group.profile": NONE,
  "instance_group.passive": NONE,
  "instance_group.host_policy": NONE,
  default_model_filename: READ,
  cc_model_filenames: refused(
    "one file serves on every device here: name it with default_model_filename and take this out",
  ),
  metric_tags: NONE,
  parameters: NONE,
  model_warmup: READ,
  model_operations: refused(
    "libraries of own operators are not loaded here: export the model with ONNX's operators, or leave it with Triton",
  ),
  "model_transaction_policy.decoupled": refused(
    "an ONNX model gives one answer a request: take the line out",
  ),
  model_transaction_policy: READ,
  model_repository_agents: refused(
    "agents, which may change the files, are not run here: store the files as they are to be served and take this out",
  ),
  response_cache: NONE,
  model_metrics: NONE,
};

function refused(advice: string): FieldEffect {
  return { kind: "refused", advice };
}

/** Fields that are set and not read. */
export interface UnreadFields {
  /** Each by its path, with the names of what it sets where it is a message or a map. */
  readonly unused: readonly { readonly path: ConfigPath; readonly inside: readonly string[] }[];
  readonly refused: readonly { readonly path: ConfigPath; readonly advice: string }[];
}

/** Looks for every field of a configuration that is set and not read. */
export function findUnreadFields(config: ModelConfig): UnreadFields {
  const unused: { path: ConfigPath; inside: string[] }[] = [];
  const refusals: { path: ConfigPath; advice: string }[] = [];
  const look = (message: ReflectMessage, schemaPath: string, path: ConfigPath): void => {
    for (const field of message.fields) {
      if (!message.isSet(field)) continue;
      const inSchema = schemaPath === "" ? field.name : `${schemaPath}.${field.name}`;
      const here = [...path, field.name];
      const effect = FIELD_EFFECTS[inSchema] ?? READ;
      if (effect.kind === "none") unused.push({ path: here, inside: setInside(message, field) });
      else if (effect.kind === "refused") refusals.push({ path: here, advice: effect.advice });
      else if (field.fieldKind === "message") look(message.get(field), inSchema, here);
      else if (field.fieldKind === "list" && field.listKind === "message") {
        for (const [index, item] of [...message.get(field)].entries())
          look(item as ReflectMessage, inSchema, [...here, index]);
      }
    }
  };
  look(reflect(ModelConfigSchema, config), "", []);
  return { unused, refused: refusals };
}

function setInside(message: ReflectMessage, field: DescField): string[] {
  if (field.fieldKind === "map") return [...message.get(field).keys()].map((key) => JSON.stringify(key));
  if (field.fieldKind !== "message") return [];
  const child = message.get(field);
  return child.fields.filter((one) => child.isSet(one)).map(({ name }) => name);
}
