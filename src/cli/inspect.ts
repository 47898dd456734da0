import { toJson } from "@bufbuild/protobuf";
import { PredictRequestSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { ModelConfigSchema as TritonConfigSchema } from "../../gen/inference/model_config_pb.ts";
import { AssayError } from "../errors.ts";
import { exampleRequest } from "../model/example-request.ts";
import type { FeaturePlan } from "../model/features/feature-plan.ts";
import type { FoundModel, PreparedModel } from "../model/prepared-model.ts";
import { scanPath } from "../model/repository.ts";
import type { TensorSpec } from "../model/signature.ts";
import { tritonReport } from "../model/triton/triton-report.ts";
import { tryGate } from "../registry/pass-gate.ts";
import { describeThread } from "../registry/thread-sharing.ts";
import { describeTreeKernel } from "../registry/tree-kernel-use.ts";
import { createLog } from "../telemetry/log.ts";
import { listed } from "../wording/field-paths.ts";

/** Where the report goes: process.stdout, or a test's array. */
export interface TextOutput {
  write(text: string): unknown;
}

/**
 * `assay inspect PATH [--json]`: what is served of a model file, version folder, model folder or repository. `check` may run
 * each model first, which names the repairs that only a run can show. Returns the exit status: 0, 1 where something cannot
 * be served, 2 for wrong arguments.
 */
export async function inspect(
  args: readonly string[],
  stdout: TextOutput,
  check: (model: PreparedModel) => Promise<FoundModel> = async (model) => ({ kind: "prepared", model }),
): Promise<number> {
  const paths = args.filter((arg) => !arg.startsWith("-"));
  const unknown = args.find((arg) => arg.startsWith("-") && arg !== "--json");
  const path = paths[0];
  if (unknown !== undefined || path === undefined || paths.length > 1) {
    const what =
      unknown === undefined ? `${paths.length} paths came, expected one` : `unknown option ${unknown}`;
    stdout.write(`assay inspect: ${what}\nusage: assay inspect PATH [--json]\n`);
    return 2;
  }
  let scanned: FoundModel[];
  try {
    scanned = await scanPath(path);
  } catch (cause) {
    if (!(cause instanceof AssayError)) throw cause;
    stdout.write(`assay inspect: ${cause.message}\n`);
    return 1;
  }
  const found: FoundModel[] = [];
  for (const model of scanned) found.push(model.kind === "prepared" ? await check(model.model) : model);
  if (args.includes("--json")) stdout.write(`${JSON.stringify(found.map(toReport), null, 2)}\n`);
  else if (found.length === 0) stdout.write(`${path}: no models; expected <name>/<version>/model.onnx\n`);
  else stdout.write(found.map(toTable).join("\n"));
  return found.length === 0 || found.some(({ kind }) => kind === "refused") ? 1 : 0;
}

/** Runs a model as it is run before it is served: the `check` that the command takes. */
export function runFirst(model: PreparedModel): Promise<FoundModel> {
  return tryGate(model, createLog("error"));
}

function toReport(found: FoundModel): object {
  if (found.kind === "refused") {
    const { modelName, modelVersion, reason } = found;
    return { modelName, modelVersion, state: "REFUSED", reason };
  }
  const { model } = found;
  const { signature } = model;
  return {
    modelName: model.modelName,
    modelVersion: model.modelVersion,
    state: "SERVED",
    inputs: signature.inputs.map(toSpecReport),
    outputs: signature.outputs.map(toSpecReport),
    score: signature.score === undefined ? null : { ...signature.score, labelOutput: signature.labelOutput },
    labelOutput: signature.labelOutput ?? null,
    labels: signature.labels,
    batching: signature.batching,
    thread: threadOf(model),
    treeKernel: model.treeKernel ?? null,
    ...(model.triton === undefined
      ? {}
      : {
          tritonConfig: toJson(TritonConfigSchema, model.triton.config.message, { useProtoFieldName: true }),
          tritonUnused: model.triton.config.unused,
        }),
    ...(model.features === undefined ? {} : { featureSources: model.features.map(toSourceReport) }),
    repairs: model.repairs,
    notices: model.notices,
    producer: model.producer,
    irVersion: Number(model.irVersion),
    opsetImports: model.opsetImports.map(({ domain, version }) => ({
      domain: domain || "ai.onnx",
      version: Number(version),
    })),
    sha256: model.sha256,
    fileBytes: model.fileBytes,
    goldenCases: model.goldenCases.length,
    exampleRequest: toJson(PredictRequestSchema, exampleRequest(model)),
  };
}

/** As a server with default settings would have it. */
function threadOf(model: PreparedModel): string {
  return describeThread(model, model.config.runTimeoutMs ?? 30_000);
}

function toSpecReport(spec: TensorSpec): object {
  const { name, datatype, shape, optional, featureNames, labels, aliases } = spec;
  return { name, datatype, shape, optional, featureNames, labels, aliases };
}

function toTable(found: FoundModel): string {
  if (found.kind === "refused") {
    return `${title(found.modelName, found.modelVersion)}\n  refused   ${found.reason}\n`;
  }
  const { model } = found;
  const { signature } = model;
  const opsets = model.opsetImports.map(({ domain, version }) => `${domain || "ai.onnx"} ${version}`);
  const lines = [
    title(model.modelName, model.modelVersion),
    `  file      ${model.fileBytes} bytes, sha256 ${model.sha256.slice(0, 16)}…, ${model.producer || "no producer named"}`,
    `  opset     ${opsets.join(", ")}; IR version ${model.irVersion}`,
    ...section("inputs", signature.inputs.map(toSpecLine)),
    ...section("outputs", signature.outputs.map(toSpecLine)),
    ...(model.triton === undefined ? [] : section("triton", tritonReport(model.triton))),
    `  score     ${scoreLine(model)}`,
    `  batching  ${signature.batching}`,
    `  thread    ${threadOf(model)}`,
    ...(model.treeKernel === undefined ? [] : [`  trees     ${describeTreeKernel(model.treeKernel)}`]),
    `  golden    ${model.goldenCases.length === 0 ? "none" : `${model.goldenCases.length} cases`}`,
    ...(model.features === undefined ? [] : section("features", model.features.map(toSourceLine))),
    ...section(
      "repairs",
      model.repairs.map(
        ({ kind, target, description }) => `${kind}${target && ` (${target})`}: ${description}`,
      ),
    ),
    ...section("notices", model.notices),
  ];
  return `${lines.join("\n")}\n`;
}

function toSourceReport({ name, keys, columns, store }: FeaturePlan): object {
  return { name, keys, columns: columns.map((column) => column.name), store: store.kind };
}

function toSourceLine({ name, keys, columns, store }: FeaturePlan): string {
  const names = columns.map((column) => column.name);
  return `${listed(names)}: looked up by ${keys.join(", ")} where a row leaves them out (${name}, ${store.kind})`;
}

function title(modelName: string, modelVersion: string): string {
  return modelVersion === "" ? modelName : `${modelName} version ${modelVersion}`;
}

function section(name: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [`  ${name.padEnd(9)} none`];
  return lines.map((line, i) => `  ${(i === 0 ? name : "").padEnd(9)} ${line}`);
}

function toSpecLine(spec: TensorSpec): string {
  const parts = [`${spec.name}  ${spec.datatype} [${spec.anyShape ? "any" : spec.shape.join(", ")}]`];
  if (spec.optional) parts.push("optional");
  if (spec.featureNames.length > 0) parts.push(`columns ${listed(spec.featureNames)}`);
  if (spec.labels.length > 0) parts.push(`labels ${listed(spec.labels)}`);
  if (spec.aliases.length > 0) parts.push(`also ${listed(spec.aliases)}`);
  return parts.join("  ");
}

function scoreLine({ signature }: PreparedModel): string {
  const { score, labels, labelOutput } = signature;
  const label = labelOutput === undefined ? "" : `; label from ${labelOutput}`;
  if (score === undefined)
    return `none: all outputs are returned, unless score_output in config.json names one${label}`;
  if (score.kind === "value") return `${score.output}: its value${label}`;
  const column = score.column ?? 1;
  const second = labels[column] === undefined ? "" : ` (${labels[column]})`;
  const place = column === 1 ? "" : `, which column ${column} holds`;
  const which = score.kind === "second-class" ? `the second class${second}${place}` : "the highest class";
  return `${score.output}: ${which}${label}`;
}
