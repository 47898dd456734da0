/** What the Open Inference Protocol and Triton say of a server and of its models. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import {
  type GetModelResponse,
  type Model,
  ModelState,
  type ModelSummary,
  type TensorSpec,
} from "../../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Caller } from "../../registry/caller.ts";
import type { ModelsService } from "../../registry/models.ts";
import { shownName } from "../../wording/field-paths.ts";

/** A server, as it calls itself. */
export interface ServerFacts {
  readonly serverName: string;
  readonly version: string;
}

/** The extensions of Triton's that are served, by the names that it gives them. */
const EXTENSIONS: readonly string[] = [
  "classification",
  "model_repository",
  "schedule_policy",
  "model_configuration",
  "binary_tensor_data",
  "parameters",
  "statistics",
];

/** Name, version and extensions. */
export function serverMetadata({ serverName, version }: ServerFacts) {
  return { name: serverName, version, extensions: [...EXTENSIONS] };
}

/** What ONNX Runtime is called in Triton's configurations. */
export const PLATFORM = "onnxruntime_onnx";

/** Triton has no word of its own for what is there and failed to load. */
function stateName(state: ModelState): string {
  if (state === ModelState.LOADING) return "LOADING";
  return state === ModelState.READY ? "READY" : "UNAVAILABLE";
}

/** A model that was loaded; of others neither inputs nor outputs are known. Throws MODEL_NOT_READY, MODEL_INVALID. */
export function loadedModel({ model }: GetModelResponse): Model {
  const { modelName, modelVersion, state, stateReason } = model!;
  if (state === ModelState.READY || state === ModelState.UNAVAILABLE) return model!;
  const isToCome = state === ModelState.LOADING || state === ModelState.UNLOADED;
  const reason = isToCome ? Reason.MODEL_NOT_READY : Reason.MODEL_INVALID;
  const what = `model ${shownName(modelName)} version ${modelVersion} is not served: ${stateReason}`;
  throw new AssayError(reason, what);
}

/** Name, versions, inputs and outputs; the versions are those that serve. Throws as `loadedModel`. */
export function modelMetadata(found: GetModelResponse) {
  const { modelName, inputs, outputs } = loadedModel(found);
  const { versions } = found;
  return {
    name: modelName,
    versions: versions
      .filter(({ state }) => state === ModelState.READY || state === ModelState.UNAVAILABLE)
      .map(({ modelVersion }) => modelVersion),
    platform: PLATFORM,
    inputs: inputs.map(tensorMetadata),
    outputs: outputs.map(tensorMetadata),
  };
}

function tensorMetadata({ name, datatype, shape }: TensorSpec) {
  return { name, datatype, shape };
}

/** Whether a model takes requests; one that there is not takes none. */
export function isModelReady(models: ModelsService, name: string, version: string, caller: Caller): boolean {
  try {
    return models.get(name, version, caller).model!.state === ModelState.READY;
  } catch (error) {
    if (error instanceof AssayError) return false;
    throw error;
  }
}

/** A version in the index of the repository. */
export function indexEntry({ modelName, modelVersion, state, stateReason }: ModelSummary) {
  return { name: modelName, version: modelVersion, state: stateName(state), reason: stateReason };
}
