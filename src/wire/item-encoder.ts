import { toBinary } from "@bufbuild/protobuf";
import {
  type PredictRequest,
  PredictRequestSchema,
  PredictStreamRequestSchema,
  type StreamOptions,
  StreamOptionsSchema,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorContentsSchema, TensorSchema } from "../../gen/assay/v1/tensor_pb.ts";
import { PREFIX_BYTES } from "./grpc-frame.ts";
import { plainTag } from "./plain-tag.ts";
import { fieldBytes, optionalBytes, varintBytes, WireWriter } from "./wire-writer.ts";

// Raw contents from here on are pieces of their own; shorter ones cost less copied than as one more write.
const COPIED_BYTES = 16_384;
const EMPTY = new Uint8Array(0);

const ITEM_ID = plainTag(PredictStreamRequestSchema, "itemId");
const ITEM_REQUEST = plainTag(PredictStreamRequestSchema, "request");
const ITEM_OPTIONS = plainTag(PredictStreamRequestSchema, "options");
const REQUEST_INPUT = plainTag(PredictRequestSchema, "inputs");
const TENSOR_NAME = plainTag(TensorSchema, "name");
const TENSOR_DATATYPE = plainTag(TensorSchema, "datatype");
const TENSOR_SHAPE = plainTag(TensorSchema, "shape");
const TENSOR_CONTENTS = plainTag(TensorSchema, "contents");
const TENSOR_RAW_CONTENTS = plainTag(TensorSchema, "rawContents");

/** A tensor's parts and their lengths, measured before anything is written. */
interface MeasuredTensor {
  readonly tensor: Tensor;
  readonly nameBytes: number;
  readonly shapeBytes: number;
  readonly contents: Uint8Array;
  /** Of the whole tensor. */
  readonly bytes: number;
}

/**
 * One PredictStreamRequest as a gRPC message: pieces to be written one after the other. Long raw contents are not copied, the
 * pieces hold views of them, so they must not change before the item is answered. `itemId` is a safe integer.
 */
export function encodeItem(itemId: number, request: PredictRequest, options?: StreamOptions): Uint8Array[] {
  const shell = toBinary(
    PredictRequestSchema,
    request.inputs.length === 0 ? request : { ...request, inputs: [] },
  );
  const inputs = request.inputs.map(measured);
  const optionBytes = options === undefined ? EMPTY : toBinary(StreamOptionsSchema, options);
  let requestBytes = shell.length;
  for (const { bytes } of inputs) requestBytes += fieldBytes(bytes);
  let messageBytes = 1 + varintBytes(itemId) + fieldBytes(requestBytes);
  if (options !== undefined) messageBytes += fieldBytes(optionBytes.length);

  let copiedBytes = PREFIX_BYTES + messageBytes;
  for (const { rawContents } of request.inputs) if (isPiece(rawContents)) copiedBytes -= rawContents.length;
  const copied = new WireWriter(Buffer.allocUnsafe(copiedBytes));
  const pieces: Uint8Array[] = [];
  copied.prefix(messageBytes);
  copied.tagged(ITEM_ID, itemId);
  if (options !== undefined) copied.field(ITEM_OPTIONS, optionBytes);
  copied.tagged(ITEM_REQUEST, requestBytes);
  copied.bytes(shell);
  for (const input of inputs) {
    const { rawContents } = input.tensor;
    writeHead(copied, input);
    if (!isPiece(rawContents)) copied.bytes(rawContents);
    else pieces.push(copied.cut(), rawContents);
  }
  const rest = copied.cut();
  if (rest.length > 0) pieces.push(rest);
  return pieces;
}

/** The length of a gRPC message in pieces. */
export function totalBytes(pieces: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const piece of pieces) bytes += piece.length;
  return bytes;
}

function isPiece(rawContents: Uint8Array): boolean {
  return rawContents.length >= COPIED_BYTES;
}

function measured(tensor: Tensor): MeasuredTensor {
  const { name, datatype, shape, contents, rawContents } = tensor;
  const nameBytes = Buffer.byteLength(name);
  const contentBytes = contents === undefined ? EMPTY : toBinary(TensorContentsSchema, contents);
  let shapeBytes = 0;
  // Negative lengths are none that a shape may have; they are written as the server's refusal of them needs.
  for (const length of shape) shapeBytes += varintBytes(Number(length));
  let bytes = optionalBytes(nameBytes) + optionalBytes(Buffer.byteLength(datatype));
  bytes += optionalBytes(shapeBytes) + optionalBytes(rawContents.length);
  if (contents !== undefined) bytes += fieldBytes(contentBytes.length);
  return { tensor, nameBytes, shapeBytes, contents: contentBytes, bytes };
}

/** All of a tensor but its raw contents, whose tag and length are the last that is written. */
function writeHead(copied: WireWriter, input: MeasuredTensor): void {
  const { tensor, nameBytes, shapeBytes, contents, bytes } = input;
  copied.tagged(REQUEST_INPUT, bytes);
  if (nameBytes > 0) copied.text(TENSOR_NAME, tensor.name, nameBytes);
  const datatypeBytes = Buffer.byteLength(tensor.datatype);
  if (datatypeBytes > 0) copied.text(TENSOR_DATATYPE, tensor.datatype, datatypeBytes);
  if (shapeBytes > 0) {
    copied.tagged(TENSOR_SHAPE, shapeBytes);
    for (const length of tensor.shape) copied.varint(Number(length));
  }
  if (tensor.contents !== undefined) copied.field(TENSOR_CONTENTS, contents);
  if (tensor.rawContents.length > 0) copied.tagged(TENSOR_RAW_CONTENTS, tensor.rawContents.length);
}
