/** The rows of one model as JSON Schema: by column, by position, and as tensors. */
import type { DescribedModel } from "./described-model.ts";
import { closed, list, object, oneOrMore, type Schema, TEXT, told, WHOLE } from "./schema-parts.ts";

type Spec = DescribedModel["signature"]["inputs"][number];

const LIMITS: Readonly<Record<string, readonly [number, number]>> = {
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
};
/** The most rows of one request (protovalidate's rule of `rows`). */
const MOST_ROWS = 65_536;
/** Columns that are told one by one. */
const MOST_COLUMNS = 20_000;

/** One value of a datatype; null is a missing number. */
function valueSchema({ datatype, rejectNan }: Pick<Spec, "datatype" | "rejectNan">): Schema {
  if (datatype === "BOOL") return { type: "boolean" };
  if (datatype === "BYTES") return TEXT;
  if (datatype.startsWith("FP") || datatype === "BF16")
    return rejectNan ? { type: "number" } : { type: ["number", "null"] };
  const [minimum, maximum] = LIMITS[datatype] ?? [datatype === "UINT64" ? 0 : undefined, undefined];
  return {
    type: "integer",
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
  };
}

/** Whether axis 0 of the model's inputs counts rows. */
export function countsRows({ signature }: DescribedModel): boolean {
  return signature.batching !== "no-batch-dimension";
}

/** One row by the names of its columns; undefined for a model whose columns have none. */
export function rowSchema({ rowColumns, signature, model }: DescribedModel): Schema | undefined {
  if (rowColumns.kind !== "mapped") return undefined;
  const { columns, byName } = rowColumns.mapping;
  if (columns.length > MOST_COLUMNS)
    return { type: "object", description: `${columns.length} columns; GetModel has their names.` };
  const properties: Schema = {};
  const required: string[] = [];
  const lookedUp = new Map<string, string>();
  for (const source of model.config?.featureSources ?? []) {
    const keys = source.keys.map((key) => `\`${key}\``).join(", ");
    const where = `feature source ${source.name}`;
    for (const one of source.columns)
      lookedUp.set(
        byName.get(one.name)?.name ?? one.name,
        `Looked up by ${keys} where it is left out (${where}).`,
      );
    for (const key of source.keys)
      if (!byName.has(key))
        properties[key] = told(
          { type: ["integer", "string"] },
          `The key of ${where}; needed where its columns are left out.`,
        );
  }
  for (const { name, spec } of columns) {
    const others = spec.featureNames.length > 0 ? [] : spec.aliases;
    const also = others.length === 0 ? "" : `Also ${others.map((alias) => `\`${alias}\``).join(", ")}.`;
    Object.defineProperty(properties, name, {
      value: told(
        valueSchema(spec),
        [also, lookedUp.get(name) ?? ""].filter((part) => part !== "").join(" "),
      ),
      enumerable: true,
    });
    if (!spec.optional && !lookedUp.has(name)) required.push(name);
  }
  const schema = object(properties, required);
  return signature.ignoreUnknownColumns ? schema : { ...schema, additionalProperties: false };
}

/** One row's values by position, for the model whose only required input is a vector of floats. */
function featuresSchema({ signature, ...model }: DescribedModel): Schema | undefined {
  const [spec, other] = signature.inputs.filter(({ optional }) => !optional);
  if (spec === undefined || other !== undefined || !["FP32", "FP64"].includes(spec.datatype))
    return undefined;
  const tail = tailOf(spec, { signature, ...model });
  if (spec.anyShape === true || (tail.includes(-1) && tail.length > 1)) return undefined;
  const width = tail.reduce((product, length) => product * length, 1);
  const names = spec.featureNames.slice(0, 200).map((name, index) => `${index} \`${name}\``);
  return told(
    list(valueSchema(spec), width < 0 ? { minItems: 1 } : { minItems: width, maxItems: width }),
    names.length === 0 ? "" : `By position: ${names.join(", ")}.`,
  );
}

function tailOf({ shape }: Spec, model: DescribedModel): readonly number[] {
  return countsRows(model) ? shape.slice(1) : shape;
}

/** One row of an input as nested lists. */
function nestedSchema(spec: Spec, model: DescribedModel): Schema {
  if (spec.anyShape === true) return {};
  return tailOf(spec, model).reduceRight<Schema>(
    (items, length) => list(items, length === -1 ? {} : { minItems: length, maxItems: length }),
    valueSchema(spec),
  );
}

/** A row by the names of inputs, or the one input alone: an instance of KServe v1. */
export function instanceSchema(model: DescribedModel, row: Schema | undefined): Schema {
  const { inputs } = model.signature;
  const required = inputs.filter(({ optional }) => !optional);
  const forms: Schema[] = row === undefined ? [] : [row];
  if (required.length === 1) forms.push(nestedSchema(required[0]!, model));
  const isRow = row !== undefined && inputs.every(({ featureNames }) => featureNames.length === 0);
  if (!isRow) forms.push(byInput(inputs, (spec) => nestedSchema(spec, model)));
  return oneOrMore(forms);
}

/** All rows of each input, by its name. */
export function columnsSchema(model: DescribedModel): Schema {
  return byInput(model.signature.inputs, (spec) =>
    countsRows(model) ? list(nestedSchema(spec, model)) : nestedSchema(spec, model),
  );
}

function byInput(inputs: readonly Spec[], of: (spec: Spec) => Schema): Schema {
  return object(
    Object.fromEntries(inputs.map((spec) => [spec.name, of(spec)])),
    inputs.filter(({ optional }) => !optional).map(({ name }) => name),
  );
}

/** Tensors of the Open Inference Protocol's JSON, one an input. */
export function tensorsSchema({ signature }: DescribedModel): Schema {
  const required = signature.inputs.filter(({ optional }) => !optional);
  const tensors = signature.inputs.map(({ name, datatype, shape, anyShape, ...spec }) =>
    object(
      {
        name: { const: name },
        datatype: { const: datatype },
        shape: anyShape === true ? list({ ...WHOLE, minimum: 0 }) : shapeSchema(shape),
        data: {
          ...list({ anyOf: [valueSchema({ datatype, rejectNan: spec.rejectNan }), { type: "array" }] }),
          description: "Row-major, flat or nested.",
        },
      },
      ["name", "datatype", "shape"],
    ),
  );
  return list(oneOrMore(tensors), {
    minItems: Math.max(1, required.length),
    maxItems: signature.inputs.length,
  });
}

function shapeSchema(shape: readonly number[]): Schema {
  return {
    type: "array",
    prefixItems: shape.map((length) => (length === -1 ? { ...WHOLE, minimum: 0 } : { const: length })),
    minItems: shape.length,
    maxItems: shape.length,
  };
}

/** The bodies of `/predict`; `row` and `tensors` are what they are called in the document. */
export function predictForms(model: DescribedModel, row: Schema | undefined, tensors: Schema): Schema[] {
  const head = {
    request_id: { type: "string", maxLength: 256, description: "Comes back with the answer." },
    output_names: { ...list(TEXT), description: "Outputs to return as tensors; `*`: all." },
    model_name: { const: model.modelName },
    model_version: TEXT,
  };
  const forms: Schema[] = [];
  if (row !== undefined && countsRows(model)) {
    forms.push({
      title: "Rows by column",
      ...closed({ rows: list(row, { minItems: 1, maxItems: MOST_ROWS }), ...head }, ["rows"]),
    });
    forms.push({ title: "One row", ...row });
  }
  const features = featuresSchema(model);
  if (features !== undefined) {
    const either = countsRows(model) ? oneOrMore([features, list(features, { minItems: 1 })]) : features;
    forms.push({ title: "Features by position", ...closed({ features: either, ...head }, ["features"]) });
  }
  forms.push({ title: "Tensors", ...closed({ inputs: tensors, ...head }, ["inputs"]) });
  return forms;
}
