/** Whether callers may load and unload models while the server runs, and which model they mean. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { type Caller, checkModel, shownCaller } from "../../registry/caller.ts";
import type { ModelControl } from "../../registry/models.ts";
import { shownName } from "../../wording/field-paths.ts";

/** Who may load models while the server runs: `--model-control`. */
export type ControlMode = "none" | "explicit" | "poll";

/** What loads and unloads, for callers who may. Throws UNIMPLEMENTED, naming the flag, where nobody may. */
export function controlled(
  { controlMode, control }: { readonly controlMode: ControlMode; readonly control?: ModelControl },
  what: "loaded" | "unloaded",
): ModelControl {
  if (controlMode === "explicit" && control !== undefined) return checkedControl(control);
  const why = `the server runs with --model-control ${controlMode}; start it with --model-control explicit`;
  throw new AssayError(Reason.UNIMPLEMENTED, `models are not ${what} at the word of callers: ${why}`);
}

/** Loading and unloading for callers who may: PERMISSION_DENIED for the others. */
function checkedControl(control: ModelControl): ModelControl {
  const checked = async (what: "load" | "unload", modelName: string, caller: Caller): Promise<void> => {
    if (!caller.isAdmin)
      throw new AssayError(
        Reason.PERMISSION_DENIED,
        `${shownCaller(caller)} may not ${what} models; that takes "admin": true in its line of the keys, or in the token's claim assay_admin`,
      );
    checkModel(caller, modelName, []);
    await control[what](modelName, caller);
  };
  return {
    load: (modelName, caller) => checked("load", modelName, caller),
    unload: (modelName, caller) => checked("unload", modelName, caller),
  };
}

/** A model is what its folder holds: a request brings neither its configuration nor its files. Throws UNIMPLEMENTED, INVALID_REQUEST. */
export function checkLoadParameters(names: readonly string[]): void {
  const own = names.find((one) => one === "config" || one.startsWith("file:"));
  if (own !== undefined) {
    const why =
      "models are loaded as they lie in the repository; put the file there and load the model without it";
    throw new AssayError(Reason.UNIMPLEMENTED, `${placeOf(own)}: ${why}`);
  }
  refuseUnknown(names, [], "loading takes none");
}

/** No model depends on another here, so that `unload_dependents` means the same either way. Throws INVALID_REQUEST. */
export function checkUnloadParameters(names: readonly string[]): void {
  refuseUnknown(names, ["unload_dependents"], "unloading takes unload_dependents");
}

function refuseUnknown(names: readonly string[], known: readonly string[], takes: string): void {
  const violations = names
    .filter((name) => !known.includes(name))
    .map((name) => ({
      field: placeOf(name),
      description: `no such parameter; ${takes}`,
      rule: "parameter.unknown",
    }));
  if (violations.length === 0) return;
  const { field, description } = violations[0]!;
  throw new AssayError(Reason.INVALID_REQUEST, `${field}: ${description}`, { violations });
}

function placeOf(parameter: string): string {
  return `parameters[${shownName(parameter)}]`;
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
