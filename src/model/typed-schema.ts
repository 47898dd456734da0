/**
 * A model's columns as a `.proto` of its own. Comes in: a prepared model. Goes out: proto3 with a field a column, typed and commented.
 * Promises: it compiles; a column's number is its place in the model, so that a model trained anew on the same columns, or on more behind them, keeps them.
 */
import type { Datatype } from "../tensor/datatype.ts";
import type { PreparedModel } from "./prepared-model.ts";
import { rowShape, type TensorSpec } from "./signature.ts";

const TYPES: Readonly<Record<Datatype, string>> = {
  BOOL: "bool",
  UINT8: "uint32",
  UINT16: "uint32",
  UINT32: "uint32",
  UINT64: "uint64",
  INT8: "int32",
  INT16: "int32",
  INT32: "int32",
  INT64: "int64",
  FP16: "float",
  BF16: "float",
  FP32: "float",
  FP64: "double",
  BYTES: "string",
};
// Protobuf keeps these numbers to itself.
const FIRST_RESERVED = 19_000;
const RESERVED_COUNT = 1_000;
const MOST_LABELS = 50;

interface Field {
  readonly column: string;
  readonly type: string;
  readonly comments: readonly string[];
}

/** The text of the file. */
export function typedSchema(model: PreparedModel): string {
  const { modelName, modelVersion, signature, sha256 } = model;
  const fields = signature.inputs.flatMap((spec) => fieldsOf(spec, rowShape(spec, signature)));
  const word = snakeName(modelName, "model");
  const title = word.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const taken = new Set<string>();
  const lines = fields.flatMap(({ column, type, comments }, at) => {
    const name = freeName(snakeName(column, "column"), taken);
    const number = at + 1 < FIRST_RESERVED ? at + 1 : at + 1 + RESERVED_COUNT;
    const told = name === column ? comments : [`The column ${JSON.stringify(column)}.`, ...comments];
    return [...told.map((line) => `  // ${oneLine(line)}`), `  ${type} ${name} = ${number};`];
  });
  const { labels } = signature;
  const shown = labels.slice(0, MOST_LABELS).map((label) => JSON.stringify(label));
  const classes =
    labels.length === 0 ? "" : `: ${shown.join(", ")}${labels.length > shown.length ? ", …" : ""}`;
  const version = modelVersion === "" ? "" : ` version ${modelVersion}`;
  return `${[
    'syntax = "proto3";',
    "",
    `// ${oneLine(`The columns of ${modelName}${version}, SHA-256 ${sha256}; made by assay proto. Field numbers are the places of the columns.`)}`,
    `package models.${word};`,
    "",
    `// ${oneLine(`One row of ${modelName}. A column that is not set is missing.`)}`,
    `message ${title}Request {`,
    ...lines,
    "}",
    "",
    `// ${oneLine(`The score of one row of ${modelName}.`)}`,
    `message ${title}Response {`,
    `  // ${oneLine(signature.score === undefined ? "The model has no output that is a score." : `From the output ${JSON.stringify(signature.score.output)}.`)}`,
    "  optional double score = 1;",
    `  // ${oneLine(labels.length === 0 && signature.labelOutput === undefined ? "The model has no labels." : `The class${classes}.`)}`,
    "  optional string label = 2;",
    "  // The exact version that scored.",
    "  string model_version = 3;",
    "}",
  ].join("\n")}\n`;
}

function fieldsOf(spec: TensorSpec, tail: readonly number[]): Field[] {
  const { name, datatype, featureNames, aliases, optional } = spec;
  const width = tail.reduce((product, length) => product * length, 1);
  const notes = [
    `${datatype}${optional ? "; may be left out" : ""}${spec.rejectNan ? "; NaN is refused" : ""}.`,
    ...(aliases.length === 0 ? [] : [`Also called ${aliases.map((one) => JSON.stringify(one)).join(", ")}.`]),
  ];
  if (featureNames.length > 0) {
    return featureNames.map((feature, at) => ({
      column: feature,
      type: `optional ${TYPES[datatype]}`,
      comments: [`${datatype}, value ${at} of the input ${JSON.stringify(name)}.`],
    }));
  }
  if (width === 1 && spec.anyShape !== true) {
    return [{ column: name, type: `optional ${TYPES[datatype]}`, comments: notes }];
  }
  const shape =
    spec.anyShape === true ? "any" : tail.map((length) => (length < 0 ? "any" : length)).join(", ");
  return [
    {
      column: name,
      type: `repeated ${TYPES[datatype]}`,
      comments: [...notes, `The values of one row, row-major, of shape [${shape}].`],
    },
  ];
}

/** A name that protobuf takes: lower-case letters, digits and single underscores, a letter first. */
function snakeName(name: string, otherwise: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
  if (plain === "") return otherwise;
  return /^[a-z]/.test(plain) ? plain : `${otherwise}_${plain}`;
}

/** The name, or the first with a number behind it that no field has; JSON's names, which have no underscores, count too. */
function freeName(name: string, taken: Set<string>): string {
  const key = (one: string) => one.replaceAll("_", "");
  let free = name;
  for (let count = 2; taken.has(key(free)); count++) free = `${name}_${count}`;
  taken.add(key(free));
  return free;
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
}
