import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import {
  ModelInferRequest_InferInputTensorSchema as InputSchema,
  ModelInferRequestSchema,
  ModelInferRequest_InferRequestedOutputTensorSchema as OutputSchema,
} from "../../../gen/inference/grpc_service_pb.ts";
import type { PackedContents } from "../../tensor/packed-contents.ts";
import { axisLength } from "../../wire/axis-length.ts";
import { KnownTexts } from "../../wire/known-texts.ts";
import { plainTag } from "../../wire/plain-tag.ts";
import { MOST_PLAIN_FIELDS, WireCursor } from "../../wire/wire-cursor.ts";
import { InferRequest } from "./infer-request.ts";
import { TypedContentsReader } from "./typed-contents-reader.ts";

const MODEL_NAME = plainTag(ModelInferRequestSchema, "modelName");
const MODEL_VERSION = plainTag(ModelInferRequestSchema, "modelVersion");
const ID = plainTag(ModelInferRequestSchema, "id");
const INPUTS = plainTag(ModelInferRequestSchema, "inputs");
const OUTPUTS = plainTag(ModelInferRequestSchema, "outputs");
const RAW_INPUT_CONTENTS = plainTag(ModelInferRequestSchema, "rawInputContents");
const INPUT_NAME = plainTag(InputSchema, "name");
const DATATYPE = plainTag(InputSchema, "datatype");
const SHAPE = plainTag(InputSchema, "shape");
const CONTENTS = plainTag(InputSchema, "contents");
const OUTPUT_NAME = plainTag(OutputSchema, "name");

const NO_OCTETS: Uint8Array = new Uint8Array(0);

/** More than these are seldom, and left to protobuf-es and the schema's rules. */
const MAX_TENSORS = 1024;
const MAX_AXES = 16;
const LONGEST_TEXT = 64;
const TEXT_PLACES = 64;
const NOT_PLAIN = "is not in the plain form";

/** About what they take of V8's heap. */
const REQUEST_BYTES = 512;
const TENSOR_BYTES = 400;

/**
 * Reads requests of the Open Inference Protocol by hand, in the form that clients send: raw contents, which become views of the octets,
 * or typed ones of one list each, short texts, no parameters, nothing unknown; undefined for any other, which protobuf-es reads at several
 * times the cost. A property test holds the two together.
 */
export class InferRequestReader {
  /** What the request that was read last takes of V8's heap, its octets not counted. */
  heapBytes = 0;
  private readonly cursor = new WireCursor();
  private readonly texts = new KnownTexts(TEXT_PLACES);
  private readonly contents = new TypedContentsReader(this.cursor);

  /** One ModelInferRequest. Throws INVALID_REQUEST where the raw contents are not one for each input. */
  request(bytes: Uint8Array): InferRequest | undefined {
    const { cursor } = this;
    const end = bytes.length;
    cursor.begin(bytes, MOST_PLAIN_FIELDS);
    this.heapBytes = REQUEST_BYTES;
    const request = new InferRequest();
    const raw: Uint8Array[] = [];
    let outputNames: string[] | undefined;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === MODEL_NAME) request.modelName = this.readText(end);
      else if (tag === MODEL_VERSION) request.modelVersion = this.readText(end);
      else if (tag === ID) request.requestId = this.readText(end);
      else if (tag === INPUTS && request.inputs.length < MAX_TENSORS)
        request.inputs.push(this.readInput(cursor.fieldEnd(end)));
      else if (tag === OUTPUTS && (outputNames?.length ?? 0) < MAX_TENSORS) {
        outputNames ??= [];
        outputNames.push(this.readOutput(cursor.fieldEnd(end)));
      } else if (tag === RAW_INPUT_CONTENTS && raw.length < MAX_TENSORS)
        raw.push(cursor.view(cursor.fieldEnd(end)));
      else cursor.fail(NOT_PLAIN);
    }
    if (cursor.fault !== "") return undefined;
    const { inputs } = request;
    if (inputs.length > 0 && raw.length === 0 && inputs.every(isTyped)) request.isRaw = false;
    // What comes in both forms, or in none, is told by whoever reads the message.
    else if (raw.length === 0 || inputs.some(isTyped)) return undefined;
    else request.takeRawContents(raw);
    if (outputNames !== undefined) request.outputNames = outputNames;
    return request;
  }

  private readInput(end: number): Tensor {
    const { cursor } = this;
    this.heapBytes += TENSOR_BYTES;
    let name = "";
    let datatype = "";
    const shape: bigint[] = [];
    let contents: PackedContents | undefined;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === INPUT_NAME) name = this.readText(end);
      else if (tag === DATATYPE) datatype = this.readText(end);
      else if (tag === SHAPE) this.readShape(shape, cursor.fieldEnd(end));
      else if (tag === CONTENTS && contents === undefined) {
        contents = this.contents.read(cursor.fieldEnd(end));
        this.heapBytes += this.contents.heapBytes;
      } else cursor.fail(NOT_PLAIN);
    }
    const tensor: Tensor = { $typeName: "assay.v1.Tensor", name, datatype, shape, rawContents: NO_OCTETS };
    if (contents !== undefined) tensor.contents = contents;
    return tensor;
  }

  private readOutput(end: number): string {
    const { cursor } = this;
    let name = "";
    while (cursor.at < end) {
      if (cursor.tag(end) === OUTPUT_NAME) name = this.readText(end);
      else cursor.fail(NOT_PLAIN);
    }
    return name;
  }

  private readShape(shape: bigint[], end: number): void {
    const { cursor } = this;
    while (cursor.at < end && shape.length <= MAX_AXES) {
      shape.push(axisLength(cursor.varint(end)));
    }
    if (shape.length > MAX_AXES) cursor.fail(NOT_PLAIN);
  }

  private readText(parentEnd: number): string {
    const { cursor } = this;
    const end = cursor.fieldEnd(parentEnd);
    if (end - cursor.at <= LONGEST_TEXT) return cursor.text(end, this.texts);
    cursor.fail(NOT_PLAIN);
    return "";
  }
}

function isTyped({ contents }: Tensor): boolean {
  return contents !== undefined;
}
