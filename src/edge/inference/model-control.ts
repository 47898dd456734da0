/** Whether callers may load and unload models while the server runs, and which model they mean. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { ModelControl } from "../../registry/models.ts";

/** Who may load models while the server runs: `--model-control`. */
export type ControlMode = "none" | "explicit" | "poll";

/** What loads and unloads. Throws UNIMPLEMENTED, naming the flag, where callers may not. */
export function controlled(
  { controlMode, control }: { readonly controlMode: ControlMode; readonly control?: ModelControl },
  what: "loaded" | "unloaded",
): ModelControl {
  if (controlMode === "explicit" && control !== undefined) return control;
  const why =
    controlMode === "explicit"
      ? "--model-control explicit allows it, and this version of Assay has nothing that does it: change the repository and restart the server"
      : `the server runs with --model-control ${controlMode}; start it with --model-control explicit`;
  throw new AssayError(Reason.UNIMPLEMENTED, `models are not ${what} at the word of callers: ${why}`);
}

/** The model that a request to load or unload means. KServe's own message has the name where Triton's has the repository's. */
export function modelNamed({
  repositoryName,
  modelName,
}: {
  readonly repositoryName: string;
  readonly modelName: string;
}): string {
  const name = modelName === "" ? repositoryName : modelName;
  if (name !== "") return name;
  const violation = {
    field: "model_name",
    description: "empty; the name of a model is expected",
    rule: "required",
  };
  throw new AssayError(Reason.INVALID_REQUEST, `model_name: ${violation.description}`, {
    violations: [violation],
  });
}
