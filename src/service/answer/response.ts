import { create } from "@bufbuild/protobuf";
import type { PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import type { ModelSignature } from "../../model/signature.ts";
import { rowOf } from "../../tensor/datatype.ts";
import { RawTextTensor } from "../../tensor/raw-text-tensor.ts";
import { packedContents, rawContents, typedContents } from "../../tensor/tensor-contents.ts";
import type { TensorData } from "../../tensor/tensor-data.ts";
import { readLabels, readScores } from "./row-scores.ts";

/** The parts of a response besides the outputs. */
export interface ResponseShape {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly requestId: string;
  readonly rowCount: number;
  /** The outputs to return as tensors, in this order. */
  readonly outputNames: readonly string[];
  /** Neither scores nor labels are read: whoever asks for tensors reads them itself. Default false. */
  readonly tensorsOnly?: boolean;
  /** Numbers as little-endian bytes, as the request's own tensors came. */
  readonly raw: boolean;
}

/** Makes the response; copies what it needs of numbers, so that `outputs` may be views. */
export function createResponse(
  outputs: readonly TensorData[],
  signature: ModelSignature,
  shape: ResponseShape,
): PredictResponse {
  const { score } = signature;
  const { modelName, modelVersion, requestId } = shape;
  let scores: number[] = [];
  let labels: string[] = [];
  if (shape.tensorsOnly !== true && score !== undefined) {
    const output = outputs.find((candidate) => candidate.name === score.output);
    if (output !== undefined) scores = readScores(output, score, shape.rowCount);
    labels = readLabels(outputs, signature, output);
  } else if (shape.tensorsOnly !== true && signature.labelOutput !== undefined)
    labels = readLabels(outputs, signature, undefined);
  const returned: TensorData[] = [];
  let elements = 0;
  for (const name of shape.outputNames) {
    const output = outputs.find((candidate) => candidate.name === name);
    if (output === undefined) continue;
    returned.push(output);
    elements += weight(output);
  }
  const form = shape.raw ? "raw" : elements > LISTED_ELEMENTS ? "packed" : "listed";
  const tensors = returned.map((output) => toTensor(output, form));
  // As `create` makes it, which costs ten times as much.
  const $typeName = "assay.v1.PredictResponse";
  return { $typeName, modelName, modelVersion, requestId, scores, labels, outputs: tensors };
}

/** The outputs that a run must fetch: those asked for, and those that scores and labels are read from. */
export function fetchedOutputs(asked: readonly string[], signature: ModelSignature): readonly string[] {
  if (asked.length > 0) return namesOf(asked, signature);
  let names = fetchedForNone.get(signature);
  if (names === undefined) {
    names = namesOf(asked, signature);
    fetchedForNone.set(signature, names);
  }
  return names;
}

const NO_OCTETS = new Uint8Array(0);

/** For requests that ask for no tensors, as nearly all do. */
const fetchedForNone = new WeakMap<ModelSignature, readonly string[]>();

function namesOf(asked: readonly string[], signature: ModelSignature): readonly string[] {
  const names = new Set(asked);
  if (signature.score !== undefined) names.add(signature.score.output);
  if (signature.labelOutput !== undefined) names.add(signature.labelOutput);
  return signature.outputs.map((output) => output.name).filter((name) => names.has(name));
}

/** Outputs of more elements together are not made into lists, nor texts into octets: whoever writes them does it in pieces. */
const LISTED_ELEMENTS = 16_384;

/** Characters of texts that weigh what an element does. */
const LISTED_CHARACTERS = 64;

function weight({ datatype, data }: TensorData): number {
  if (datatype !== "BYTES" || data.length > LISTED_ELEMENTS) return data.length;
  let characters = 0;
  for (const text of data as readonly string[]) characters += text.length;
  return data.length + Math.floor(characters / LISTED_CHARACTERS);
}

function toTensor(output: TensorData, form: "raw" | "packed" | "listed"): Tensor {
  const { name, datatype } = output;
  const shape = output.shape.map(BigInt);
  const { contents } = rowOf(datatype);
  if (form === "packed" && contents !== undefined) {
    const $typeName = "assay.v1.Tensor";
    return {
      $typeName,
      name,
      datatype,
      shape,
      contents: packedContents(output, contents),
      rawContents: NO_OCTETS,
    };
  }
  if (form === "raw" && datatype === "BYTES" && output.data.length > LISTED_ELEMENTS) {
    return new RawTextTensor(name, shape, output.data as readonly string[]);
  }
  if (form === "raw" || contents === undefined) {
    const $typeName = "assay.v1.Tensor";
    return { $typeName, name, datatype, shape, rawContents: rawContents(output) };
  }
  return create(TensorSchema, { name, datatype, shape, contents: typedContents(output) });
}
