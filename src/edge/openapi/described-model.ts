/** A version of a model as the document describes it: what it takes, by its signature, and a request that it answers. */
import type { JsonValue } from "@bufbuild/protobuf";
import type { Model } from "../../../gen/assay/v1/model_service_pb.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import { type ExampleForm, exampleBody } from "../json/example-line.ts";

/** What is known of it. */
export interface DescribedModel
  extends Pick<ServedModel, "modelName" | "modelVersion" | "signature" | "rowColumns"> {
  /** As GetModel has it. */
  readonly model: Model;
}

/** Larger examples help nobody. */
const MOST_EXAMPLE_CHARACTERS = 65_536;
/** JSON has no form for their values but octets in base64. */
const NO_JSON = new Set(["FP16", "BF16"]);

/** A body that the model takes, in one form; undefined where there is none. */
export function modelExample({ model }: DescribedModel, form: ExampleForm): JsonValue | undefined {
  const { exampleRequest, inputs } = model;
  if (exampleRequest === undefined) return undefined;
  if (form === "inference" && inputs.some(({ datatype, optional }) => !optional && NO_JSON.has(datatype)))
    return undefined;
  // As JSON has it: NaN is null.
  const text = JSON.stringify(exampleBody(form, exampleRequest, inputs));
  return text.length > MOST_EXAMPLE_CHARACTERS ? undefined : (JSON.parse(text) as JsonValue);
}

/** The number of columns or values of a row that a description names one by one. */
export function describedColumns({ rowColumns, signature }: DescribedModel): number {
  const named = signature.inputs.reduce((sum, { featureNames }) => sum + featureNames.length + 1, 0);
  return rowColumns.kind === "mapped" ? Math.max(named, rowColumns.mapping.columns.length) : named;
}
