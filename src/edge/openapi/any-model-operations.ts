/** Scoring at paths with a place for the model: what a program that serves any model writes, with one model's example. */
import type { JsonValue } from "@bufbuild/protobuf";
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Components, OperationParts } from "./components.ts";
import { type DescribedModel, modelExample } from "./described-model.ts";
import { jsonContent, list, object, reference, type Schema, TEXT, told } from "./schema-parts.ts";
import { inferAnswer, invocationAnswer, predictAnswer, v1Answer } from "./scoring-answers.ts";

/** The group of these operations. */
export const ANY_MODEL = "Any model";

const MODEL_PLACE = /\{(\w+)\}/g;

/** The parameters of a path's places, with names that are there. */
export function pathParameters(path: string, model: DescribedModel | undefined): Schema[] {
  return [...path.matchAll(MODEL_PLACE)].map(([, name]) => {
    const examples: Record<string, string | undefined> = {
      model: model?.modelName,
      version: path.includes("/labels/") ? undefined : model?.modelVersion,
      repository: "models",
    };
    const example = examples[name!];
    return {
      name: name!,
      in: "path",
      required: true,
      description: PLACES[name!] ?? "",
      schema: { type: "string", minLength: 1 },
      ...(example === undefined ? {} : { example }),
    };
  });
}

const PLACES: Readonly<Record<string, string>> = {
  model: "A model's name.",
  version: "A version's number or label.",
  repository: "Any name: the server has one repository.",
};

/** The paths; `model` is the one of the examples. */
export function anyModelOperations(model: DescribedModel | undefined, components: Components): Schema {
  const operation = (path: string, parts: Omit<OperationParts, "tag" | "parameters">) => ({
    [path]: {
      post: components.operation({ ...parts, tag: ANY_MODEL, parameters: pathParameters(path, model) }),
    },
  });
  const example = (form: Parameters<typeof modelExample>[1], hasName = true): Record<string, JsonValue> => {
    const body = model === undefined ? undefined : modelExample(model, form);
    if (body === undefined) return {};
    const named = hasName ? body : { model_name: model!.modelName, ...(body as object) };
    return { [model!.modelName]: named };
  };
  const predict = predictBody(components);
  const infer = inferBody(components);
  const v1 = v1Body(components);
  const table = tableBody(components);
  const paths: Schema = {};
  for (const [index, path] of ["/predict", "/predict/{model}", "/predict/{model}/{version}"].entries()) {
    const where = ["the model that the body names", "a model", "a version of a model"][index]!;
    Object.assign(
      paths,
      operation(path, {
        id: ["predict", "predictModel", "predictVersion"][index]!,
        summary: `Score rows with ${where}`,
        description:
          "`rows` by column, `features` by position, `inputs` as tensors, or one row as the body itself. Without a model it is the server's default model, or its only one.",
        body: jsonContent(predict, example("predict", index > 0)),
        answers: predictAnswer(components),
        errors: ["predict", "scoring"],
      }),
    );
  }
  for (const [index, place] of ["{model}", "{model}/versions/{version}"].entries()) {
    const suffix = index === 0 ? "Model" : "Version";
    Object.assign(
      paths,
      operation(`/v2/models/${place}/infer`, {
        id: `infer${suffix}`,
        summary: "Score tensors (Open Inference Protocol)",
        body: jsonContent(infer, example("inference")),
        answers: inferAnswer(components),
        errors: ["rest", "scoring"],
      }),
    );
  }
  for (const [index, place] of [
    "{model}",
    "{model}/versions/{version}",
    "{model}/labels/{version}",
  ].entries()) {
    const isLabel = index === 2;
    Object.assign(
      paths,
      operation(`/v1/models/${place}:predict`, {
        id: `v1${["Model", "Version", "Label"][index]}`,
        summary: "Score instances (KServe v1, TensorFlow Serving)",
        body: jsonContent(v1, isLabel ? {} : example("v1")),
        answers: v1Answer(components),
        errors: ["v1", "scoring"],
      }),
    );
  }
  for (const [index, path] of [
    "/invocations",
    "/invocations/{model}",
    "/invocations/{model}/{version}",
  ].entries()) {
    Object.assign(
      paths,
      operation(path, {
        id: ["invocations", "invocationsModel", "invocationsVersion"][index]!,
        summary: "Score a table (MLflow)",
        description:
          index === 0
            ? "The server's default model, or its only one."
            : "A DataFrame as MLflow's clients send it, or tensors.",
        body: {
          ...jsonContent(table, index === 0 ? {} : example("mlflow")),
          "text/csv": { schema: { type: "string" } },
        },
        answers: invocationAnswer(components),
        errors: ["mlflow", "scoring"],
      }),
    );
  }
  return paths;
}

function predictBody(components: Components): Schema {
  components.schemas.PredictBody ??= {
    anyOf: [
      components.predict.message(PredictRequestSchema, true),
      { title: "Many rows by position", ...object({ features: list({ type: "array" }) }, ["features"]) },
      { title: "One row by column", type: "object" },
    ],
  };
  return reference("schemas", "PredictBody");
}

function inferBody({ schemas }: Components): Schema {
  const tensor = object(
    {
      name: TEXT,
      datatype: TEXT,
      shape: list({ type: "integer", minimum: 0 }),
      data: { type: "array", description: "Row-major, flat or nested." },
      parameters: {
        type: "object",
        description: "`binary_data_size`, where the values stand behind the JSON.",
      },
    },
    ["name", "datatype", "shape"],
  );
  schemas.InferBody ??= object(
    {
      id: TEXT,
      inputs: list(tensor, { minItems: 1, maxItems: 1024 }),
      outputs: list(object({ name: TEXT, parameters: { type: "object" } }, ["name"])),
      parameters: { type: "object" },
    },
    ["inputs"],
  );
  return reference("schemas", "InferBody");
}

function v1Body({ schemas }: Components): Schema {
  schemas.V1Body ??= {
    anyOf: [
      object({ instances: told(list({}), "One a row."), signature_name: TEXT }, ["instances"]),
      object({ inputs: told({}, "Columns by name, or the only input's rows."), signature_name: TEXT }, [
        "inputs",
      ]),
    ],
  };
  return reference("schemas", "V1Body");
}

function tableBody({ schemas }: Components): Schema {
  schemas.TableBody ??= {
    anyOf: [
      object({ dataframe_split: object({ columns: list({}), data: list({}) }, ["data"]) }, [
        "dataframe_split",
      ]),
      object({ dataframe_records: list({ type: "object" }) }, ["dataframe_records"]),
      object({ inputs: {} }, ["inputs"]),
      object({ instances: list({}) }, ["instances"]),
    ],
  };
  return reference("schemas", "TableBody");
}
