import { env, InferenceSession, Tensor } from "onnxruntime-node";
import { AssayError } from "../../errors.ts";
import {
  DATATYPE_NAMES,
  type Datatype,
  type NumericArray,
  type NumericDatatype,
  numbersOf,
  numericView,
  rowOf,
} from "../../tensor/datatype.ts";
import { elementCount, type TensorData } from "../../tensor/tensor-data.ts";
import type { SessionStart } from "../channel.ts";
import type { Frame } from "../frame.ts";
import { readStrings } from "../strings.ts";
import { loadFailure, runFailure } from "./ort-failure.ts";
import { sessionOptions } from "./session-options.ts";
import { readWeights, type Weights } from "./weights.ts";

/** Open Inference's name of an ONNX Runtime element type; undefined for types that Assay does not serve. */
export function datatypeOf(type: Tensor.Type): Datatype | undefined {
  return DATATYPE_NAMES.find((datatype) => rowOf(datatype).sessionType === type);
}

// A float16 tensor fails with "not enough space" where this class exists when the first tensor of the thread is made, for whatever
// model; without it tensors hold the bits in a Uint16Array (microsoft/onnxruntime#32323).
Reflect.deleteProperty(globalThis, "Float16Array");

/** Makes the session; `start.bytes` are given up to it, unless they are shared. Throws MODEL_INVALID, or DEVICE_UNAVAILABLE where the device is what failed. */
export async function createSession(start: SessionStart): Promise<InferenceSession> {
  env.logLevel = "fatal";
  const bytes = unshared(start.bytes);
  const weights: Weights[] = [];
  try {
    weights.push(...readWeights(start.externalData));
    return await InferenceSession.create(bytes, sessionOptions(start, weights));
  } catch (cause) {
    if (cause instanceof AssayError) throw cause;
    throw loadFailure(cause, start.device);
  } finally {
    // The session has copies. A thread that then only waits may not collect these for as long as it lives.
    for (const { buffer } of [bytes, ...weights.map(({ data }) => data)]) (buffer as ArrayBuffer).transfer(0);
  }
}

/** The binding reads no shared memory. */
function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof SharedArrayBuffer ? new Uint8Array(bytes) : bytes;
}

/** Runs the session on a frame of inputs; the elements are read where they lie. Throws RUN_FAILED. */
export async function runSession(
  session: InferenceSession,
  start: SessionStart,
  memory: SharedArrayBuffer,
  frame: Frame,
): Promise<InferenceSession.OnnxValueMapType> {
  const feeds: Record<string, Tensor> = {};
  for (const tensor of frame.tensors) {
    const { datatype, shape, byteOffset, byteLength } = tensor;
    const count = elementCount(shape);
    feeds[start.inputNames[tensor.nameIndex]!] =
      datatype === "BYTES"
        ? new Tensor("string", readStrings(memory, byteOffset, count, byteLength), shape)
        : numericTensor(datatype, numericView(datatype, memory, byteOffset, count), shape);
  }
  const { outputNames } = start;
  const fetches = frame.extras.length === 0 ? outputNames : frame.extras.map((index) => outputNames[index]!);
  try {
    return await session.run(feeds, fetches);
  } catch (cause) {
    throw runFailure(cause);
  }
}

/** A tensor of ONNX Runtime over the elements of one that stands in a message. */
export function tensorOf({ datatype, shape, data }: TensorData): Tensor {
  if (datatype === "BYTES") return new Tensor("string", data as readonly string[], shape);
  return numericTensor(datatype, data as NumericArray, shape);
}

function numericTensor(datatype: NumericDatatype, data: NumericArray, shape: readonly number[]): Tensor {
  const { sessionType } = rowOf(datatype);
  if (sessionType !== undefined)
    return new Tensor(sessionType as Tensor.Type, data as Tensor.DataType, shape);
  return new Tensor("float32", Float32Array.from(numbersOf(datatype, data as Uint16Array)), shape);
}
