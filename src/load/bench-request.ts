import { clone, create, fromJsonString } from "@bufbuild/protobuf";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { BatchingMode, type Model } from "../../gen/assay/v1/model_service_pb.ts";
import { type PredictRequest, PredictRequestSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorContentsSchema, TensorSchema } from "../../gen/assay/v1/tensor_pb.ts";
import { AssayError } from "../errors.ts";
import { counted } from "../wording/counted.ts";

/** The request that every call of a run sends. */
export interface BenchRequest {
  readonly message: PredictRequest;
  /** Its model; undefined where nobody had to ask for it. */
  readonly model?: Model | undefined;
  readonly rows: number;
}

/** A model as `--model` names it. */
export interface ModelName {
  readonly modelName: string;
  /** Empty: the highest version that is ready. */
  readonly modelVersion: string;
}

const MOST_ROWS = 65_536;
const MOST_BYTES = 268_435_456;

/** Takes NAME or NAME:VERSION apart. */
export function parseModelName(text: string): ModelName {
  const [, modelName = text, modelVersion = ""] = /^(.*):([0-9]+)$/.exec(text) ?? [];
  return { modelName, modelVersion };
}

/** Reads a PredictRequest as JSON, for the model that is named beside it, if any. Throws CONFIG_INVALID. */
export function readRequest(text: string, file: string, model: ModelName): PredictRequest {
  let message: PredictRequest;
  try {
    message = fromJsonString(PredictRequestSchema, text);
  } catch (cause) {
    const why = (cause as Error).message;
    throw invalidRequest(
      `--request ${file} is no PredictRequest as JSON, such as {"features": [1, 2]}: ${why}`,
    );
  }
  if (model.modelName !== "") {
    message.modelName = model.modelName;
    message.modelVersion = model.modelVersion;
  }
  if (rowsOf(message) === 0)
    throw invalidRequest(
      `--request ${file} has no rows: features, rows, or inputs with a shape are expected`,
    );
  return message;
}

/**
 * A request with its rows repeated so many times. One row of `features` becomes a tensor, for which the model has to be known; `asRaw`
 * tells whether as raw octets, as who sends many rows over protobuf should. Throws CONFIG_INVALID where that cannot be.
 */
export function repeatRows(
  message: PredictRequest,
  times: number,
  model: Model | undefined,
  asRaw: boolean,
): BenchRequest {
  const rows = rowsOf(message) * times;
  if (times === 1) return { message, rows };
  if (rows > MOST_ROWS) {
    throw invalidRequest(
      `--rows: ${times} times ${counted(rowsOf(message), "row")} are ${rows} rows; at most ${MOST_ROWS} are taken`,
    );
  }
  if (model?.batching === BatchingMode.NO_BATCH_DIMENSION) {
    throw invalidRequest(
      `--rows: ${model.modelName} has no batch dimension, a request is one run: leave the flag out`,
    );
  }
  const repeated = clone(PredictRequestSchema, message);
  repeated.rows = repeatedList(message.rows, times);
  const tensors = message.features.length > 0 ? [featureTensor(message, model, asRaw)] : message.inputs;
  repeated.inputs = tensors.map((tensor) => repeatedTensor(tensor, times));
  repeated.features = [];
  return { message: repeated, rows };
}

/** How many rows a request brings. */
export function rowsOf({ features, rows, inputs }: PredictRequest): number {
  if (features.length > 0) return 1;
  return rows.length > 0 ? rows.length : Number(inputs[0]?.shape[0] ?? 0);
}

function featureTensor({ features }: PredictRequest, model: Model | undefined, asRaw: boolean): Tensor {
  const name = model?.inputs.find(({ optional }) => !optional)?.name;
  if (name === undefined)
    throw invalidRequest("--rows: the model's input is not known, into which features would go");
  const tensor = create(TensorSchema, { name, datatype: "FP32", shape: [1n, BigInt(features.length)] });
  if (asRaw) tensor.rawContents = new Uint8Array(Float32Array.from(features).buffer);
  else tensor.contents = create(TensorContentsSchema, { fp32Contents: features });
  return tensor;
}

function repeatedTensor(tensor: Tensor, times: number): Tensor {
  const { name, datatype, shape, contents, rawContents } = tensor;
  if (rawContents.length * times > MOST_BYTES)
    throw invalidRequest(`--rows: the tensor ${name} would have more than 256 MiB`);
  const repeated = create(TensorSchema, {
    name,
    datatype,
    shape: shape.map((length, axis) => (axis === 0 ? length * BigInt(times) : length)),
    rawContents: Buffer.concat(repeatedList([rawContents], times)),
  });
  if (contents === undefined) return repeated;
  const lists = Object.entries(contents).filter(([, list]) => Array.isArray(list));
  const own = lists.map(([key, list]) => [key, repeatedList(list as unknown[], times)]);
  repeated.contents = create(TensorContentsSchema, Object.fromEntries(own));
  return repeated;
}

function repeatedList<T>(list: readonly T[], times: number): T[] {
  return list.length === 0 ? [] : Array.from({ length: times }, () => list).flat();
}

/** The error of a request that calls cannot send: CONFIG_INVALID. */
export function invalidRequest(message: string): AssayError {
  return new AssayError(Reason.CONFIG_INVALID, message);
}
