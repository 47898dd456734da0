/**
 * Prepares a model file: bytes and what lies beside them come in, a PreparedModel or the reason against it goes out.
 * Promises: pure; the ONNX protobuf itself is read, its weights are neither copied nor decoded unless the file has to
 * change, and then once; whatever the file declares falsely is repaired and named, or refused with what to do.
 */
import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { type ModelConfig, ModelConfigSchema } from "../../gen/assay/config/v1/model_config_pb.ts";
import type { ModelProto } from "../../gen/onnx/onnx-ml_pb.ts";
import { AssayError } from "../errors.ts";
import { configLine, readConfigJson } from "./config/config-json.ts";
import { type ConfigMistakes, createConfigMistakes } from "./config/config-mistakes.ts";
import { type FeaturePlan, planFeatures } from "./features/feature-plan.ts";
import { readGoldenFile } from "./gate/golden-file.ts";
import { type FoundFile, findWeightFiles } from "./onnx/external-data.ts";
import { foreignFileReason } from "./onnx/file-kind.ts";
import { applyEdits } from "./onnx/onnx-edit.ts";
import { type OnnxOutline, readOnnxOutline, readTensorName } from "./onnx/onnx-outline.ts";
import { checkStoredTensors } from "./onnx/stored-tensors.ts";
import { WireError } from "./onnx/wire.ts";
import type { FoundModel, GoldenCase, PreparedModel } from "./prepared-model.ts";
import { quoted, refusal } from "./refusal.ts";
import { prepareGraph } from "./repair/prepare-graph.ts";
import { unboundedRun } from "./repair/unbounded-runs.ts";
import { mapRowColumns } from "./row-columns.ts";
import { rowShape } from "./signature.ts";
import { isEnsemble } from "./trees/tree-ensemble.ts";
import type { TritonFiles } from "./triton/side-files.ts";
import { TRITON_CONFIG, withScheduling } from "./triton/triton-config.ts";
import { warmupSamples } from "./triton/warmup.ts";
import { modelFieldsIn, withoutModelFields } from "./versions/version-choice.ts";

/** The files of a version folder, read. */
export interface ModelFiles {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly bytes: Uint8Array;
  /** The text of config.json and golden.json, undefined where there is none. */
  readonly configText: string | undefined;
  /** The config.json lies in the version's folder, and speaks of no other version. */
  readonly isVersionConfig?: boolean;
  readonly goldenText: string | undefined;
  /** Cases of `test_data_set_N` folders. */
  readonly testDataCases: readonly GoldenCase[];
  /** config.pbtxt of the model's folder with the files that it names; undefined where there is none. */
  readonly triton?: TritonFiles;
  /** Another file of the folder; throws MODEL_INVALID where it is not there or lies outside the folder. */
  findExternal(location: string): FoundFile;
}

/** Prepares one version; never throws for what is wrong with the files. */
export function prepareModel(files: ModelFiles): FoundModel {
  try {
    return { kind: "prepared", model: prepare(files) };
  } catch (cause) {
    const { modelName, modelVersion } = files;
    if (!(cause instanceof AssayError)) throw cause;
    return { kind: "refused", modelName, modelVersion, reason: cause.message, cause };
  }
}

function prepare(files: ModelFiles): PreparedModel {
  const { modelName, modelVersion, bytes } = files;
  const foreign = foreignFileReason(bytes);
  if (foreign !== undefined) throw refusal(`model.onnx: ${foreign}`);
  const outline = readOutline(bytes);
  const { triton } = files;
  const ours: ModelConfig =
    files.configText === undefined
      ? create(ModelConfigSchema)
      : readConfigJson(ModelConfigSchema, files.configText, "config.json");
  const mistakes = createConfigMistakes((path) =>
    files.configText === undefined ? undefined : configLine(files.configText, path),
  );
  if (files.isVersionConfig === true)
    for (const field of modelFieldsIn(ours))
      mistakes.add([field], "is said of all versions: write it in ../config.json");
  mistakes.throwIfAny();
  const said = withoutModelFields(ours);
  const config = triton === undefined ? said : withScheduling(said, triton.config.scheduling);
  const owner =
    triton === undefined
      ? undefined
      : { ...triton, mistakes: createConfigMistakes(triton.config.lineOf, TRITON_CONFIG) };
  const graph = prepareGraph(outline, config, mistakes, owner);
  const features = planned(config, graph.signature, mistakes);
  // A first run that does not fit is told before anything runs.
  if (triton !== undefined) warmupSamples(triton, graph.signature);
  const externalData = findWeightFiles(checkStoredTensors(outline.tensors), files.findExternal);
  const golden = files.goldenText === undefined ? [] : readGoldenFile(files.goldenText);
  return {
    modelName,
    modelVersion,
    bytes: applyEdits(bytes, graph.edits, readTensorName),
    externalData,
    signature: graph.signature,
    origins: graph.origins,
    fixedRows: graph.fixedRows,
    repairs: graph.repairs,
    notices: [...graph.notices, ...(triton === undefined ? [] : labelNotices(triton, graph.signature))],
    irVersion: outline.model.irVersion,
    opsetImports: opsetImports(outline.model),
    producer: producer(outline.model),
    sha256: createHash("sha256").update(bytes).digest("hex"),
    fileBytes: bytes.length,
    unboundedRun: unboundedRun(outline.model),
    hasTrees: outline.model.graph?.node.some(isEnsemble) === true,
    files: [],
    config,
    ...(triton === undefined ? {} : { triton }),
    ...(features.length === 0 ? {} : { features }),
    goldenCases: [...golden, ...files.testDataCases],
  };
}

function planned(
  config: ModelConfig,
  signature: PreparedModel["signature"],
  mistakes: ConfigMistakes,
): readonly FeaturePlan[] {
  if (config.featureSources.length === 0) return [];
  const plans = planFeatures(config, mapRowColumns(signature), mistakes);
  mistakes.throwIfAny();
  return plans;
}

/** Labels that are not as many as the values of a row that they name. */
function labelNotices({ labels }: TritonFiles, signature: PreparedModel["signature"]): string[] {
  return signature.outputs.flatMap((spec) => {
    const given = labels.get(spec.name)?.length;
    const values = rowShape(spec, signature).reduce((product, length) => product * length, 1);
    if (given === undefined || spec.shape.slice(1).includes(-1) || given === values) return [];
    return [
      `config.pbtxt: ${given} labels stand in the label_filename of output ${quoted(spec.name)}, which has ${values} values a row: write one a line and value`,
    ];
  });
}

function readOutline(bytes: Uint8Array): OnnxOutline {
  try {
    return readOnnxOutline(bytes);
  } catch (cause) {
    if (cause instanceof AssayError) throw cause;
    const truncated = cause instanceof WireError && cause.kind === "truncated";
    throw refusal(
      truncated
        ? `model.onnx: the file ends too early (${bytes.length} bytes): the copy or download was cut off, copy it again`
        : `model.onnx: the file (${bytes.length} bytes) is no ONNX protobuf: ${(cause as Error).message}; export it again`,
      cause,
    );
  }
}

/** CatBoost writes pages of build details as its version. */
function producer(model: ModelProto): string {
  const version = model.producerVersion.includes("\n") ? "" : model.producerVersion;
  return `${model.producerName} ${version}`.trim().slice(0, 200);
}

/** Each operator set once; exporters write ONNX's own under both of its names, empty and `ai.onnx`. */
function opsetImports(model: OnnxOutline["model"]): PreparedModel["opsetImports"] {
  const versions = new Map<string, bigint>();
  for (const { domain, version } of model.opsetImport) {
    const name = domain === "ai.onnx" ? "" : domain;
    const known = versions.get(name);
    if (known === undefined || version > known) versions.set(name, version);
  }
  return Array.from(versions, ([domain, version]) => ({ domain, version }));
}
