/** What a form says, as a request. Pure. */
import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import type { Model } from "../../gen/assay/v1/model_service_pb.ts";
import { type PredictRequest, PredictRequestSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import type { Field, FormPlan } from "./form-plan.ts";

/** Which version a request is for; the version is left out where the default is meant. */
export type Target = Pick<PredictRequest, "modelName" | "modelVersion" | "outputNames">;

/** The version of a model, and the outputs that the page shows: those with a number for each class. */
export function targetOf(model: Model): Target {
  const withClasses = model.outputs.filter(
    ({ labels, name }) => labels.length > 0 && name !== model.labelOutput,
  );
  return {
    modelName: model.modelName,
    modelVersion: model.isDefault ? "" : model.modelVersion,
    outputNames: withClasses.map(({ name }) => name).slice(0, 4),
  };
}

/** A request of the texts in the fields, by their order. What is no number is sent as the text it is: the server says what is wrong. */
export function fieldsRequest(
  form: "rows" | "features",
  fields: readonly Field[],
  texts: readonly string[],
  target: Target,
): PredictRequest {
  if (form === "features") {
    // There is no text in a list of floats; NaN, which means missing, is what comes nearest.
    const features = texts.map((text) => (text.trim() === "" ? Number.NaN : Number(text)));
    return create(PredictRequestSchema, { ...target, features });
  }
  const row: JsonObject = {};
  for (const [index, field] of fields.entries()) {
    const text = texts[index] ?? "";
    if (text === "" && field.optional) continue;
    row[field.name] = cell(field, text);
  }
  return create(PredictRequestSchema, { ...target, rows: [row] });
}

function cell({ kind }: Field, text: string): JsonValue {
  if (kind === "text") return text;
  const trimmed = text.trim();
  if (trimmed === "") return null;
  if (kind === "boolean") return trimmed === "true" ? true : trimmed === "false" ? false : trimmed;
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : trimmed;
}

/** A request of the places of a grid, row by row. */
export function imageRequest(
  plan: Extract<FormPlan, { form: "image" }>,
  values: readonly number[],
  target: Target,
): PredictRequest {
  if (plan.isFlat) return create(PredictRequestSchema, { ...target, features: [...values] });
  const { input } = plan;
  const shape = [1n, ...input.shape.slice(1)];
  const contents = contentsOf(input.datatype, values);
  return create(PredictRequestSchema, {
    ...target,
    inputs: [{ name: input.name, datatype: input.datatype, shape, contents }],
  });
}

function contentsOf(datatype: string, values: readonly number[]) {
  if (datatype === "FP64") return { fp64Contents: [...values] };
  if (datatype === "UINT8") return { uintContents: values.map(Math.round) };
  return { fp32Contents: [...values] };
}

/** What no request can say: texts among the numbers of a list. */
export function localFaults(
  form: "rows" | "features",
  fields: readonly Field[],
  texts: readonly string[],
): { readonly field: string; readonly description: string }[] {
  if (form === "rows") return [];
  return fields.flatMap(({ path }, index) => {
    const text = texts[index] ?? "";
    const isNumber = text.trim() === "" || /^nan$/i.test(text.trim()) || !Number.isNaN(Number(text));
    return isNumber
      ? []
      : [{ field: path, description: `${JSON.stringify(text)} came, a number was expected` }];
  });
}
