import type { InputConfig, ModelConfig } from "../../gen/assay/config/v1/model_config_pb.ts";
import { InputConfig_NanPolicy } from "../../gen/assay/config/v1/model_config_pb.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import { didYouMean } from "../wording/nearest-name.ts";
import { tableSpellings } from "./column-names.ts";
import type { ConfigMistakes } from "./config/config-mistakes.ts";
import { withChoice } from "./gate/output-shapes.ts";
import type { DeclaredTensor } from "./onnx/declared-tensor.ts";
import { quoted } from "./refusal.ts";
import { signatureShape } from "./repair/batch-dimension.ts";
import type { GraphInputs } from "./repair/overridable-inputs.ts";
import { nameClasses } from "./scores/class-names.ts";
import type { OutputOrigins } from "./scores/output-origins.ts";
import { canHoldScores, isVector } from "./scores/read-output.ts";
import { chooseScore } from "./scores/score-rule.ts";
import type { Batching, ModelSignature, TensorSpec } from "./signature.ts";

/** The parts that a signature is built from. */
export interface SignatureParts {
  readonly inputs: GraphInputs;
  readonly outputs: readonly DeclaredTensor[];
  readonly origins: OutputOrigins;
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  readonly config: ModelConfig;
  /** Class labels by output, of files beside the model. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
  /** Where config.json contradicts the graph goes here. */
  readonly mistakes: ConfigMistakes;
}

/** Builds the signature; throws MODEL_INVALID where config.json contradicts the graph. */
export function buildSignature(parts: SignatureParts): { signature: ModelSignature; notices: string[] } {
  const { config, mistakes } = parts;
  const notices: string[] = [];
  const { batchDimension } = parts.inputs;
  const rowsOpen = batchDimension === "open" || batchDimension === "fixed-at-one";
  const inputs = inputSpecs(parts, rowsOpen, notices);
  const outputs = outputSpecs(parts, rowsOpen);
  checkAskedOutputs(config, outputs, mistakes);
  // Without rows there is nothing to give one score for, unless the owner says so.
  const isAsked = config.scoreOutput !== "" || config.labelOutput !== "";
  const choice =
    rowsOpen || isAsked
      ? chooseScore(outputs, parts.origins, config)
      : { score: undefined, labelOutput: undefined, notices: [] };
  const scored = outputs.find(({ name }) => name === choice.score?.output);
  if (config.labels.length > 0 && scored?.labels.length !== config.labels.length) {
    const what =
      scored === undefined
        ? "the model has no score"
        : `output ${quoted(scored.name)}, which scores are read from, is [${scored.shape.join(",")}]`;
    mistakes.add(
      ["labels"],
      `${config.labels.length} labels came, and ${what}: give one label a column, or name another score_output`,
    );
  }
  mistakes.throwIfAny();
  const batching = initialBatching(parts.inputs);
  const { ignoreUnknownColumns } = config;
  const signature = withChoice({ inputs, outputs, batching, ignoreUnknownColumns }, choice, parts.origins);
  return { signature, notices };
}

function initialBatching({ batchDimension: dimension, oneRequestARun }: GraphInputs): Batching {
  if (dimension === "open") return oneRequestARun === true ? "within-request" : "across-requests";
  return dimension === "fixed-at-one" ? "single-rows" : "no-batch-dimension";
}

function inputSpecs(parts: SignatureParts, rowsOpen: boolean, notices: string[]): TensorSpec[] {
  const { required, overridable } = parts.inputs;
  const declared: { tensor: DeclaredTensor; defaultValue?: TensorData }[] = [
    ...required.map((tensor) => ({ tensor })),
    ...overridable.map(({ declared: tensor, defaultValue }) => ({ tensor, defaultValue })),
  ];
  const { mistakes } = parts;
  const configs = inputConfigs(
    parts.config,
    declared.map(({ tensor }) => tensor.name),
    mistakes,
  );
  const named = featureNamesOfFile(parts.metadata, required, notices);
  const names = new Set(declared.map(({ tensor }) => tensor.name));
  return declared.map(({ tensor, defaultValue }) => {
    const spec = toSpec(tensor, rowsOpen);
    const config = configs.get(tensor.name);
    const featureNames = config?.featureNames.length
      ? config.featureNames
      : named?.input === tensor.name
        ? named.names
        : [];
    const width = spec.shape.at(-1);
    if (featureNames.length > 0 && width !== -1 && width !== featureNames.length) {
      mistakes.add(
        ["inputs", parts.config.inputs.indexOf(config!), "feature_names"],
        `${featureNames.length} names came for input ${quoted(tensor.name)}, which takes ${width} values a row: name each of them, in their order`,
      );
    }
    if (config?.nan === InputConfig_NanPolicy.REJECT && !spec.datatype.startsWith("FP")) {
      const what = `input ${quoted(tensor.name)} is ${spec.datatype}, which has no NaN: take the line out`;
      mistakes.add(["inputs", parts.config.inputs.indexOf(config), "nan"], what);
    }
    for (const [index, alias] of (config?.aliases ?? []).entries()) {
      if (alias === tensor.name || !names.has(alias)) continue;
      const what = `${quoted(alias)} is the name of another input: choose another spelling`;
      mistakes.add(["inputs", parts.config.inputs.indexOf(config!), "aliases", index], what);
    }
    const column = spec.shape.length === 1 || (spec.shape.length === 2 && width === 1);
    const aliases = [...(config?.aliases ?? []), ...(column ? tableSpellings(tensor.name) : [])];
    return {
      ...spec,
      optional: defaultValue !== undefined,
      featureNames,
      aliases: [...new Set(aliases)].filter((alias) => !names.has(alias)),
      rejectNan: config?.nan === InputConfig_NanPolicy.REJECT,
      ...(defaultValue === undefined ? {} : { defaultValue }),
    };
  });
}

function inputConfigs(
  config: ModelConfig,
  names: readonly string[],
  mistakes: ConfigMistakes,
): Map<string, InputConfig> {
  const configs = new Map<string, InputConfig>();
  for (const [index, input] of config.inputs.entries()) {
    if (!names.includes(input.name)) {
      mistakes.add(
        ["inputs", index, "name"],
        `the model has no input ${quoted(input.name)}${didYouMean(input.name, names) || `; it has ${names.map(quoted).join(", ")}`}`,
      );
    }
    if (configs.has(input.name)) {
      mistakes.add(["inputs", index, "name"], `${quoted(input.name)} came a second time`);
    }
    configs.set(input.name, input);
  }
  return configs;
}

/** The metadata property `feature_names`, a JSON array, names the columns of the only vector input. */
function featureNamesOfFile(
  metadata: SignatureParts["metadata"],
  required: readonly DeclaredTensor[],
  notices: string[],
): { input: string; names: string[] } | undefined {
  const text = metadata.find(({ key }) => key === "feature_names")?.value;
  if (text === undefined) return undefined;
  const vectors = required.filter(({ dimensions }) => dimensions?.length === 2 && dimensions[1] !== 1);
  const names = parseNames(text);
  const input = vectors.length === 1 ? vectors[0] : undefined;
  const width = input?.dimensions?.[1];
  if (names === undefined || input === undefined || (typeof width === "number" && width !== names.length)) {
    notices.push(
      "the file's metadata property feature_names is ignored: expected a JSON array of different names, one a value of the only vector input",
    );
    return undefined;
  }
  return { input: input.name, names };
}

function parseNames(text: string): string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (!Array.isArray(parsed) || !parsed.every((name) => typeof name === "string")) return undefined;
    return new Set(parsed).size === parsed.length ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The names of outputs in config.json, and whether they can be what they are named as. */
function checkAskedOutputs(
  config: ModelConfig,
  outputs: readonly TensorSpec[],
  mistakes: ConfigMistakes,
): void {
  const names = outputs.map(({ name }) => name);
  for (const [field, asked] of [
    ["score_output", config.scoreOutput],
    ["label_output", config.labelOutput],
  ] as const) {
    const spec = outputs.find(({ name }) => name === asked);
    if (asked === "") continue;
    if (spec === undefined) {
      const hint = didYouMean(asked, names) || `; it has ${names.map(quoted).join(", ")}`;
      mistakes.add([field], `the model has no output ${quoted(asked)}${hint}`);
      continue;
    }
    const what = `${quoted(asked)} is ${spec.datatype}[${spec.shape.join(",")}]`;
    if (field === "score_output" && !canHoldScores(spec)) {
      mistakes.add([field], `${what}; a score is read from numbers of the form [N], [N,1] or [N,C]`);
    }
    if (field === "label_output" && spec.anyShape !== true && !isVector(spec)) {
      mistakes.add([field], `${what}; labels are read from one value a row, [N] or [N,1]`);
    }
    if (field === "label_output" && asked === config.scoreOutput) {
      mistakes.add(
        [field],
        `${quoted(asked)} is the score_output too; labels and scores come from different outputs`,
      );
    }
  }
}

function outputSpecs(parts: SignatureParts, rowsOpen: boolean): TensorSpec[] {
  const outputs = parts.outputs.map((output) => {
    const isRowless = rowsOpen && parts.origins.get(output.name)?.kind === "constant";
    return isRowless ? { ...toSpec(output, false), rowless: true } : toSpec(output, rowsOpen);
  });
  return nameClasses(outputs, parts.origins, parts.config.labels, parts.labels);
}

function toSpec(declared: DeclaredTensor, rowsOpen: boolean): TensorSpec {
  const { name, datatype, dimensions } = declared;
  const shape = dimensions === undefined ? [] : signatureShape(dimensions);
  if (rowsOpen && shape.length > 0) shape[0] = -1;
  return {
    name,
    datatype,
    shape,
    optional: false,
    featureNames: [],
    labels: [],
    aliases: [],
    rejectNan: false,
    ...(dimensions === undefined ? { anyShape: true } : {}),
    ...(declared.reshaped === true ? { reshaped: true } : {}),
  };
}
