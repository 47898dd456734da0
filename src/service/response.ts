import { create } from "@bufbuild/protobuf";
import { type PredictResponse, PredictResponseSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorSchema } from "../../gen/assay/v1/tensor_pb.ts";
import type { ModelSignature, ScoreRule } from "../model/signature.ts";
import { halfToNumber } from "../tensor/half-float.ts";
import { rawContents, typedContents } from "../tensor/tensor-contents.ts";
import type { TensorData } from "../tensor/tensor-data.ts";

/** What a response is made of besides the outputs. */
export interface ResponseShape {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly requestId: string;
  readonly rowCount: number;
  /** The outputs to return as tensors, in this order. */
  readonly outputNames: readonly string[];
  /** Numbers as little-endian bytes, as the request's own tensors came. */
  readonly raw: boolean;
}

/** Makes the response; copies what it needs, so that `outputs` may be views. */
export function createResponse(
  outputs: readonly TensorData[],
  signature: ModelSignature,
  shape: ResponseShape,
): PredictResponse {
  const { score } = signature;
  const response = create(PredictResponseSchema, {
    modelName: shape.modelName,
    modelVersion: shape.modelVersion,
    requestId: shape.requestId,
  });
  if (score !== undefined) {
    const output = outputs.find((candidate) => candidate.name === score.output);
    if (output !== undefined) response.scores = readScores(output, score, shape.rowCount);
    response.labels = readLabels(outputs, score, signature.labels, output);
  }
  for (const name of shape.outputNames) {
    const output = outputs.find((candidate) => candidate.name === name);
    if (output !== undefined) response.outputs.push(toTensor(output, shape.raw));
  }
  return response;
}

/** The outputs that a run must fetch: those asked for, and those that scores and labels are read from. */
export function fetchedOutputs(asked: readonly string[], signature: ModelSignature): readonly string[] {
  const names = new Set(asked);
  if (signature.score !== undefined) {
    names.add(signature.score.output);
    if (signature.score.labelOutput !== undefined) names.add(signature.score.labelOutput);
  }
  return signature.outputs.map((output) => output.name).filter((name) => names.has(name));
}

function readScores(output: TensorData, rule: ScoreRule, rowCount: number): number[] {
  const width = rowCount === 0 ? 0 : output.data.length / rowCount;
  const scores = new Array<number>(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const at = row * width;
    if (rule.kind === "value") scores[row] = numberAt(output, at);
    else if (rule.kind === "second-class") scores[row] = numberAt(output, at + 1);
    else scores[row] = numberAt(output, at + highest(output, at, width));
  }
  return scores;
}

function readLabels(
  outputs: readonly TensorData[],
  rule: ScoreRule,
  labels: readonly string[],
  score: TensorData | undefined,
): string[] {
  const output = outputs.find((candidate) => candidate.name === rule.labelOutput);
  if (output !== undefined) return Array.from(output.data as ArrayLike<string | number | bigint>, String);
  if (score === undefined || rule.kind === "value" || labels.length === 0) return [];
  const width = labels.length;
  const rows = score.data.length / width;
  return Array.from({ length: rows }, (_, row) => labels[highest(score, row * width, width)] ?? "");
}

function highest(output: TensorData, from: number, width: number): number {
  let best = 0;
  for (let column = 1; column < width; column++) {
    if (numberAt(output, from + column) > numberAt(output, from + best)) best = column;
  }
  return best;
}

function numberAt(output: TensorData, at: number): number {
  const value = output.data[at];
  return output.datatype === "FP16" ? halfToNumber(Number(value)) : Number(value);
}

function toTensor(output: TensorData, raw: boolean): Tensor {
  const { name, datatype } = output;
  const shape = output.shape.map(BigInt);
  if (raw || datatype === "FP16") {
    return create(TensorSchema, { name, datatype, shape, rawContents: rawContents(output) });
  }
  return create(TensorSchema, { name, datatype, shape, contents: typedContents(output) });
}
