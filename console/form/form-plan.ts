/** Which form a model's signature asks for. Pure: a model comes in, fields go out. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { Model, TensorSpec } from "../../gen/assay/v1/model_service_pb.ts";
import { numbersOf } from "../tensor-values.ts";

/** One value of a row. */
export interface Field {
  readonly name: string;
  /** As the server names it in violations. */
  readonly path: string;
  /** The element's type, for people: `number`, `whole number`, `text`, `true or false`. */
  readonly kind: "number" | "integer" | "text" | "boolean";
  readonly datatype: string;
  readonly choices: readonly string[];
  readonly optional: boolean;
  /** What the form begins with. */
  readonly example: string;
}

/** A row by its columns, by position, as a grid of grey values, or as JSON where nothing else fits. */
export type FormPlan =
  | { readonly form: "rows" | "features"; readonly fields: readonly Field[] }
  | {
      readonly form: "image";
      readonly input: TensorSpec;
      readonly width: number;
      readonly height: number;
      /** The value of a painted place. */
      readonly full: number;
      readonly example: readonly number[];
      /** Flat ones are sent as `features`. */
      readonly isFlat: boolean;
    }
  | { readonly form: "json" };

const MOST_FEATURES = 256;
const SMALLEST_SIDE = 5;
const LARGEST_SIDE = 64;

/** Chooses the form. */
export function planForm(model: Model): FormPlan {
  const { inputs, exampleRequest } = model;
  const image = imagePlan(model);
  if (image !== undefined) return image;
  const row = exampleRequest?.rows[0] ?? {};
  const [only] = inputs;
  if (inputs.length === 1 && only !== undefined && only.featureNames.length > 0) {
    const columns = only.featureNames.map((name) => column(name, only, row));
    return { form: "rows", fields: withSources(columns, model) };
  }
  if (inputs.length > 0 && inputs.every(isColumn))
    return {
      form: "rows",
      fields: withSources(
        inputs.map((input) => column(input.name, input, row)),
        model,
      ),
    };
  const width = Number(only?.shape.at(-1) ?? -1);
  if (
    inputs.length === 1 &&
    only?.datatype === "FP32" &&
    only.shape.length === 2 &&
    width > 0 &&
    width <= MOST_FEATURES
  ) {
    const example = exampleRequest?.features ?? [];
    const fields = Array.from({ length: width }, (_, index) => ({
      name: `${only.name}[${index}]`,
      path: `features[${index}]`,
      kind: "number" as const,
      datatype: only.datatype,
      choices: [],
      optional: false,
      example: example[index] === undefined ? "" : shown(example[index]),
    }));
    return { form: "features", fields };
  }
  return { form: "json" };
}

/** Columns that feature sources look up may be left out, where the row has their key: that is a field more. */
function withSources(fields: readonly Field[], { config, inputs }: Model): readonly Field[] {
  const sources = config?.featureSources ?? [];
  if (sources.length === 0) return fields;
  const spelling = new Map(
    inputs.flatMap(({ name, aliases }) => aliases.map((alias) => [alias, name] as const)),
  );
  const lookedUp = new Set(
    sources.flatMap(({ columns }) => columns.map(({ name }) => spelling.get(name) ?? name)),
  );
  const known = new Set(fields.map(({ name }) => name));
  const keys = new Set(sources.flatMap((source) => source.keys).filter((key) => !known.has(key)));
  const keyFields = Array.from(
    keys,
    (name): Field => ({
      name,
      path: `rows[0].fields[${JSON.stringify(name)}]`,
      kind: "text",
      datatype: "key",
      choices: [],
      optional: true,
      example: "",
    }),
  );
  return [
    ...keyFields,
    ...fields.map((field) => (lookedUp.has(field.name) ? { ...field, optional: true } : field)),
  ];
}

function isColumn({ shape }: TensorSpec): boolean {
  return shape.length === 1 || (shape.length === 2 && Number(shape[1]) === 1);
}

function column(name: string, spec: TensorSpec, row: JsonObject): Field {
  const { datatype, optional } = spec;
  const value = row[name];
  const kind = kindOf(datatype);
  const choices = kind === "boolean" ? ["true", "false"] : spec.categories;
  return {
    name,
    path: `rows[0].fields[${JSON.stringify(name)}]`,
    kind,
    datatype,
    choices,
    optional,
    example: value === undefined || value === null ? "" : String(value),
  };
}

function kindOf(datatype: string): Field["kind"] {
  if (datatype === "BOOL") return "boolean";
  if (datatype === "BYTES") return "text";
  return /^U?INT/.test(datatype) ? "integer" : "number";
}

/** A grid of one channel, or a flat square that is too large for fields of its own. */
function imagePlan({ inputs, exampleRequest }: Model): FormPlan | undefined {
  const [input] = inputs;
  if (inputs.length !== 1 || input === undefined || !/^(FP|UINT8)/.test(input.datatype)) return undefined;
  const sides = input.shape.slice(1).map(Number);
  const isFlat = sides.length === 1 && input.featureNames.length === 0 && input.datatype === "FP32";
  const grid = sides.filter((side, index) => side !== 1 || (index !== 0 && index !== sides.length - 1));
  const edge = isFlat ? Math.sqrt(sides[0]!) : 0;
  const [height = 0, width = 0] = isFlat ? [edge, edge] : grid.length === 2 ? grid : [];
  const fits = (side: number) => Number.isInteger(side) && side >= SMALLEST_SIDE && side <= LARGEST_SIDE;
  if (!fits(height) || !fits(width)) return undefined;
  const sent = exampleRequest?.features.length
    ? exampleRequest.features
    : numbersOf(exampleRequest?.inputs[0]);
  const example = sent.slice(0, width * height);
  return { form: "image", input, width, height, full: fullValue(example), example, isFlat };
}

/** What white is: exporters scale to 1, keep 255, or count to 16 as scikit-learn's digits do. */
function fullValue(example: readonly number[]): number {
  const highest = example.reduce((most, value) => Math.max(most, value), 0);
  if (highest <= 1) return 1;
  return highest <= 16 ? 16 : 255;
}

function shown(value: number): string {
  return String(Number(value.toPrecision(7)));
}
