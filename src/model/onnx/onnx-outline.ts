import { fromBinary } from "@bufbuild/protobuf";
import { type ModelProto, ModelProtoSchema } from "../../../gen/onnx/onnx-ml_pb.ts";
import { append, appendMessage, join, type Pieces, readVarint, visitFields, WireError } from "./wire.ts";

/** A stored tensor: what it declares and what lies in the file for it. */
export interface StoredTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly elementType: number;
  /** Bytes of `raw_data`, undefined where values stand in a typed list. */
  readonly rawBytes: number | undefined;
  /** `location`, `offset`, `length` of external data; undefined where the values lie in the file. */
  readonly external: ReadonlyMap<string, string> | undefined;
  /** True for a graph's initializer, false for a tensor in a node's attribute. */
  readonly isInitializer: boolean;
}

/** A model file without its weights: long values are left out, everything else is as in the file. */
export interface OnnxOutline {
  readonly model: ModelProto;
  /** Every stored tensor, subgraphs and functions included. */
  readonly tensors: readonly StoredTensor[];
}

/** Values longer than this are weights; labels, categories and shapes are shorter. */
const LONG_VALUE_BYTES = 1 << 20;

type Kind = "model" | "graph" | "node" | "attribute" | "tensor" | "sparse" | "function" | "training";

/** The message fields that are walked into, by kind of message and field number in onnx-ml.proto. */
const NESTED: Readonly<Record<Kind, Readonly<Record<number, Kind>>>> = {
  model: { 7: "graph", 20: "training", 25: "function" },
  training: { 1: "graph", 2: "graph" },
  graph: { 1: "node", 5: "tensor", 15: "sparse" },
  function: { 7: "node", 11: "attribute" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse" },
  sparse: { 1: "tensor", 2: "tensor" },
  tensor: {},
};

/** Fields that hold values: left out where they are long. */
const VALUES: Partial<Record<Kind, ReadonlySet<number>>> = {
  attribute: new Set([4, 7, 8, 9]),
  tensor: new Set([4, 5, 6, 7, 9, 10, 11]),
};

/** Graphs nested deeper than this are refused: no exporter makes them, and the walk is recursive. */
const MAX_DEPTH = 64;

/** Reads a model file; weights are neither copied nor decoded. Throws WireError for bytes that are no protobuf. */
export function readOnnxOutline(bytes: Uint8Array): OnnxOutline {
  const tensors: StoredTensor[] = [];
  const slim = outline(bytes, 0, bytes.length, "model", false, 0, tensors);
  return { model: fromBinary(ModelProtoSchema, join(slim)), tensors };
}

function outline(
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: Kind,
  isInitializer: boolean,
  depth: number,
  tensors: StoredTensor[],
): Pieces {
  if (depth > MAX_DEPTH) throw new WireError("malformed", `graphs nested deeper than ${MAX_DEPTH}`);
  if (kind === "tensor") tensors.push(storedTensor(bytes, start, end, isInitializer));
  const pieces: Pieces = { parts: [], byteLength: 0 };
  const nested = NESTED[kind];
  const long = end - start > LONG_VALUE_BYTES ? VALUES[kind] : undefined;
  let keptFrom = start;
  visitFields(bytes, start, end, (field) => {
    const child = field.wireType === 2 ? nested[field.number] : undefined;
    if (child === undefined && !long?.has(field.number)) return;
    // Trees have millions of values in a row that are left out.
    if (field.start > keptFrom) append(pieces, bytes.subarray(keptFrom, field.start));
    keptFrom = field.end;
    if (child !== undefined) {
      const initializer = kind === "graph" && field.number === 5;
      const inner = outline(bytes, field.valueStart, field.end, child, initializer, depth + 1, tensors);
      appendMessage(pieces, field.number, inner);
    }
  });
  append(pieces, bytes.subarray(keptFrom, end));
  return pieces;
}

function storedTensor(bytes: Uint8Array, start: number, end: number, isInitializer: boolean): StoredTensor {
  const dims: number[] = [];
  const external = new Map<string, string>();
  let name = "";
  let elementType = 0;
  let rawBytes: number | undefined;
  let isExternal = false;
  visitFields(bytes, start, end, (field) => {
    const { number, wireType, valueStart } = field;
    if (number === 1 && wireType === 0) dims.push(readVarint(bytes, valueStart, field.end));
    else if (number === 1 && wireType === 2) {
      for (let at = valueStart; at < field.end; ) {
        dims.push(readVarint(bytes, at, field.end));
        while (bytes[at]! >= 0x80) at++;
        at++;
      }
    } else if (number === 2 && wireType === 0) elementType = readVarint(bytes, valueStart, field.end);
    else if (number === 8 && wireType === 2) name = text(bytes, valueStart, field.end);
    else if (number === 9 && wireType === 2) rawBytes = field.end - valueStart;
    else if (number === 14 && wireType === 0) isExternal = readVarint(bytes, valueStart, field.end) === 1;
    else if (number === 13 && wireType === 2) {
      let key = "";
      let value = "";
      visitFields(bytes, valueStart, field.end, (entry) => {
        if (entry.number === 1) key = text(bytes, entry.valueStart, entry.end);
        if (entry.number === 2) value = text(bytes, entry.valueStart, entry.end);
      });
      external.set(key, value);
    }
  });
  return { name, dims, elementType, rawBytes, external: isExternal ? external : undefined, isInitializer };
}

/** The name of the tensor that is stored at a place in the file. */
export function readTensorName(bytes: Uint8Array, start: number, end: number): string {
  let name = "";
  visitFields(bytes, start, end, (field) => {
    if (field.number === 8 && field.wireType === 2) name = text(bytes, field.valueStart, field.end);
  });
  return name;
}

const utf8 = new TextDecoder();

function text(bytes: Uint8Array, start: number, end: number): string {
  return utf8.decode(bytes.subarray(start, end));
}
