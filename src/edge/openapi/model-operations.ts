/** The operations of one model, at paths that name it: its rows in the form of each protocol, with an example that it answers. */
import type { JsonValue } from "@bufbuild/protobuf";
import type { Components } from "./components.ts";
import { type DescribedModel, modelExample } from "./described-model.ts";
import {
  columnsSchema,
  countsRows,
  instanceSchema,
  predictForms,
  rowSchema,
  tensorsSchema,
} from "./model-inputs.ts";
import {
  closed,
  jsonContent,
  list,
  object,
  oneOrMore,
  reference,
  type Schema,
  TEXT,
} from "./schema-parts.ts";
import { inferAnswer, invocationAnswer, predictAnswer, v1Answer } from "./scoring-answers.ts";

/** The paths of a model, a protocol a step; with `hasVersion` they name the version too. */
export function* modelOperations(
  model: DescribedModel,
  hasVersion: boolean,
  components: Components,
): Generator<undefined, Schema> {
  const { modelName, modelVersion } = model;
  const key = hasVersion ? `${modelName}/${modelVersion}` : modelName;
  const name = components.modelName(key, hasVersion ? `${modelName}.${modelVersion}` : modelName);
  const bodies = new ModelBodies(model, name, components);
  const path = encodeURIComponent(modelName);
  const version = encodeURIComponent(modelVersion);
  const places = hasVersion
    ? {
        predict: `/predict/${path}/${version}`,
        infer: `/v2/models/${path}/versions/${version}/infer`,
        v1: `/v1/models/${path}/versions/${version}:predict`,
        invocations: `/invocations/${path}/${version}`,
      }
    : {
        predict: `/predict/${path}`,
        infer: `/v2/models/${path}/infer`,
        v1: `/v1/models/${path}:predict`,
        invocations: `/invocations/${path}`,
      };
  const what = hasVersion ? `${modelName}, version ${modelVersion}` : modelName;
  const tag = modelTag(model);
  yield;
  const predict = {
    [places.predict]: {
      post: components.operation({
        id: `predict.${name}`,
        tag,
        summary: `Score rows with ${what}`,
        description: describe(model),
        body: bodies.predict(),
        answers: predictAnswer(components),
        errors: ["predict", "scoring"],
      }),
    },
  };
  yield;
  const infer = {
    [places.infer]: {
      post: components.operation({
        id: `infer.${name}`,
        tag,
        summary: `Score tensors with ${what} (Open Inference Protocol)`,
        body: bodies.infer(),
        answers: inferAnswer(components),
        errors: ["rest", "scoring"],
      }),
    },
  };
  yield;
  const v1 = {
    [places.v1]: {
      post: components.operation({
        id: `v1.${name}`,
        tag,
        summary: `Score instances with ${what} (KServe v1, TensorFlow Serving)`,
        body: bodies.v1(),
        answers: v1Answer(components),
        errors: ["v1", "scoring"],
      }),
    },
  };
  yield;
  const invocations = {
    [places.invocations]: {
      post: components.operation({
        id: `invocations.${name}`,
        tag,
        summary: `Score a table with ${what} (MLflow)`,
        body: bodies.invocations(),
        answers: invocationAnswer(components),
        errors: ["mlflow", "scoring"],
      }),
    },
  };
  return { ...predict, ...infer, ...v1, ...invocations };
}

/** The group that a model's operations are in. */
export function modelTag({ modelName }: Pick<DescribedModel, "modelName">): string {
  return `model: ${modelName}`;
}

/** What a person who is about to call it wants to know. */
function describe({ model }: DescribedModel): string {
  const outputs = model.outputs.map(
    ({ name, datatype, shape }) => `\`${name}\` ${datatype} [${shape.map(String).join(", ")}]`,
  );
  const lines = [
    `Version ${model.modelVersion}.`,
    model.scoreOutput === ""
      ? "It has no output that is a score: all outputs come as tensors."
      : `\`scores\` are read from \`${model.scoreOutput}\`.`,
    model.labels.length === 0 ? "" : `Classes: ${shown(model.labels)}.`,
    `Outputs: ${outputs.slice(0, MOST_SHOWN).join(", ")}.`,
  ];
  return lines.filter((line) => line !== "").join(" ");
}

const MOST_SHOWN = 50;

function shown(names: readonly string[]): string {
  const rest = names.length - MOST_SHOWN;
  const all = names
    .slice(0, MOST_SHOWN)
    .map((name) => `\`${name}\``)
    .join(", ");
  return rest > 0 ? `${all} and ${rest} more` : all;
}

/** The bodies that a model takes; its row stands in the document once. */
class ModelBodies {
  private readonly model: DescribedModel;
  private readonly name: string;
  private readonly components: Components;
  private readonly row: Schema | undefined;
  private readonly tensors: Schema;

  constructor(model: DescribedModel, name: string, components: Components) {
    this.model = model;
    this.name = name;
    this.components = components;
    const row = rowSchema(model);
    this.row = row === undefined ? undefined : this.component("Row", { title: `A row of ${name}`, ...row });
    this.tensors = this.component("Tensors", tensorsSchema(model));
  }

  predict(): Schema {
    return this.content("Predict", oneOrMore(predictForms(this.model, this.row, this.tensors)), "predict");
  }

  infer(): Schema {
    const schema = object(
      {
        id: { ...TEXT, description: "Comes back with the answer." },
        inputs: this.tensors,
        outputs: {
          ...list(object({ name: TEXT, parameters: { type: "object" } }, ["name"])),
          description: "The outputs to return; without it all.",
        },
        parameters: {
          type: "object",
          description:
            "`priority`, `timeout` in microseconds, `binary_data_output`; the caller's own are ignored.",
        },
      },
      ["inputs"],
    );
    return this.content("Infer", schema, "inference");
  }

  v1(): Schema {
    const signature = {
      type: "string",
      enum: ["serving_default", "scores", "labels", "outputs"],
      description: "What of each row is answered.",
    };
    const instances = list(instanceSchema(this.model, this.row), { minItems: 1 });
    const schema = {
      anyOf: [
        closed({ instances, signature_name: signature }, ["instances"]),
        closed({ inputs: this.columns(), signature_name: signature }, ["inputs"]),
      ],
    };
    return this.content("Instances", schema, "v1");
  }

  invocations(): Schema {
    const params = object({ predictions: { type: "string", enum: ["scores", "labels", "outputs"] } });
    const split = closed(
      {
        columns: list(TEXT),
        data: list({ type: "array" }, { minItems: 1 }),
        index: { type: "array" },
      },
      ["data"],
    );
    const forms: Schema[] = [closed({ dataframe_split: split, params }, ["dataframe_split"])];
    if (this.row !== undefined && countsRows(this.model)) {
      const records = list(this.row, { minItems: 1 });
      forms.push(closed({ dataframe_records: records, params }, ["dataframe_records"]));
    }
    const instances = list(instanceSchema(this.model, this.row), { minItems: 1 });
    forms.push(
      closed({ inputs: this.columns(), params }, ["inputs"]),
      closed({ instances, params }, ["instances"]),
    );
    const content = this.content("Table", { anyOf: forms }, "mlflow");
    return {
      ...content,
      "text/csv": { schema: { type: "string", description: "A header, then a row a line." } },
    };
  }

  /** All rows by input, or the only input's alone. */
  private columns(): Schema {
    return { anyOf: [columnsSchema(this.model), { type: "array" }] };
  }

  private content(what: string, schema: Schema, form: Parameters<typeof modelExample>[1]): Schema {
    const example = modelExample(this.model, form);
    const examples: Record<string, JsonValue> =
      example === undefined ? {} : { [this.model.modelName]: example };
    return jsonContent(this.component(what, schema), examples);
  }

  private component(what: string, schema: Schema): Schema {
    const name = `models.${this.name}.${what}`;
    this.components.schemas[name] = schema;
    return reference("schemas", name);
  }
}
