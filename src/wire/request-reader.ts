import type { DescField } from "@bufbuild/protobuf";
import {
  type PredictRequest,
  PredictRequestSchema,
  type PredictStreamRequest,
  PredictStreamRequestSchema,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorSchema } from "../../gen/assay/v1/tensor_pb.ts";
import { axisLength } from "./axis-length.ts";
import { emptyRequest } from "./empty-messages.ts";
import { KnownTexts } from "./known-texts.ts";
import { plainTag } from "./plain-tag.ts";
import { MOST_PLAIN_FIELDS, WireCursor } from "./wire-cursor.ts";
import { statedMaxItems } from "./wire-table.ts";

const ITEM_ID = plainTag(PredictStreamRequestSchema, "itemId");
const REQUEST = plainTag(PredictStreamRequestSchema, "request");
const MODEL_NAME = plainTag(PredictRequestSchema, "modelName");
const MODEL_VERSION = plainTag(PredictRequestSchema, "modelVersion");
const REQUEST_ID = plainTag(PredictRequestSchema, "requestId");
const FEATURES = plainTag(PredictRequestSchema, "features");
const INPUTS = plainTag(PredictRequestSchema, "inputs");
const OUTPUT_NAMES = plainTag(PredictRequestSchema, "outputNames");
const NAME = plainTag(TensorSchema, "name");
const DATATYPE = plainTag(TensorSchema, "datatype");
const SHAPE = plainTag(TensorSchema, "shape");
const RAW_CONTENTS = plainTag(TensorSchema, "rawContents");

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** More of them than the schema allows are counted and refused elsewhere. */
const MAX_INPUTS = most(PredictRequestSchema.field.inputs);
const MAX_AXES = most(TensorSchema.field.shape);
const MAX_FEATURES = most(PredictRequestSchema.field.features);
const MAX_OUTPUT_NAMES = most(PredictRequestSchema.field.outputNames);

/** Longer texts are seldom, and left to protobuf-es. */
const LONGEST_TEXT = 64;
const TEXT_PLACES = 64;
const NOT_PLAIN = "is not in the plain form";

/** About what they take of V8's heap. */
const REQUEST_BYTES = 512;
const TENSOR_BYTES = 400;
const FEATURE_BYTES = 8;

/**
 * Reads requests by hand, in the plain form only: features, raw tensors, which are views of the octets, short texts, nothing unknown;
 * undefined for any other, which protobuf-es must read. That takes several times as long for a small message; a property test holds the
 * two together. Messages are written down as `create` makes them, which costs ten times as much.
 */
export class RequestReader {
  /** What the message that was read last takes of V8's heap, its octets not counted. */
  heapBytes = 0;
  private readonly cursor = new WireCursor();
  private readonly texts = new KnownTexts(TEXT_PLACES);

  /** One PredictRequest. */
  request(bytes: Uint8Array): PredictRequest | undefined {
    const { cursor } = this;
    cursor.begin(bytes, MOST_PLAIN_FIELDS);
    this.heapBytes = REQUEST_BYTES;
    const request = this.readRequest(bytes.length);
    return cursor.fault === "" ? request : undefined;
  }

  /** One item of a stream; without options, and without features, which protobuf-es reads. */
  item(bytes: Uint8Array): PredictStreamRequest | undefined {
    const { cursor } = this;
    cursor.begin(bytes, MOST_PLAIN_FIELDS);
    this.heapBytes = REQUEST_BYTES;
    let itemId = 0;
    let request: PredictRequest | undefined;
    const end = bytes.length;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === ITEM_ID) itemId = cursor.varint(end);
      else if (tag === REQUEST && request === undefined) request = this.readRequest(cursor.fieldEnd(end));
      else return undefined;
    }
    if (cursor.fault !== "" || (request !== undefined && request.features.length > 0)) return undefined;
    const $typeName = "assay.v1.PredictStreamRequest";
    if (request === undefined) return { $typeName, itemId: BigInt(itemId) };
    return { $typeName, itemId: BigInt(itemId), request };
  }

  private readRequest(end: number): PredictRequest {
    const { cursor } = this;
    const request = emptyRequest();
    const { features, inputs, outputNames } = request;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === MODEL_NAME) request.modelName = this.readText(cursor.fieldEnd(end));
      else if (tag === MODEL_VERSION) request.modelVersion = this.readText(cursor.fieldEnd(end));
      else if (tag === REQUEST_ID) request.requestId = this.readText(cursor.fieldEnd(end));
      else if (tag === FEATURES) this.readFeatures(features, end);
      else if (tag === INPUTS && inputs.length < MAX_INPUTS)
        inputs.push(this.readTensor(cursor.fieldEnd(end)));
      else if (tag === OUTPUT_NAMES && outputNames.length < MAX_OUTPUT_NAMES)
        outputNames.push(this.readText(cursor.fieldEnd(end)));
      else cursor.fail(NOT_PLAIN);
    }
    return request;
  }

  private readFeatures(features: number[], end: number): void {
    const { cursor } = this;
    cursor.floats(cursor.fieldEnd(end), features, MAX_FEATURES);
    this.heapBytes += FEATURE_BYTES * features.length;
  }

  private readTensor(end: number): Tensor {
    const { cursor } = this;
    this.heapBytes += TENSOR_BYTES;
    let name = "";
    let datatype = "";
    let rawContents = NO_BYTES;
    const shape: bigint[] = [];
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === NAME) name = this.readText(cursor.fieldEnd(end));
      else if (tag === DATATYPE) datatype = this.readText(cursor.fieldEnd(end));
      else if (tag === SHAPE) this.readShape(shape, cursor.fieldEnd(end));
      else if (tag === RAW_CONTENTS) rawContents = cursor.view(cursor.fieldEnd(end));
      else cursor.fail(NOT_PLAIN);
    }
    return { $typeName: "assay.v1.Tensor", name, datatype, shape, rawContents };
  }

  private readShape(shape: bigint[], end: number): void {
    const { cursor } = this;
    while (cursor.at < end && shape.length <= MAX_AXES) shape.push(axisLength(cursor.varint(end)));
    if (shape.length > MAX_AXES) cursor.fail(NOT_PLAIN);
  }

  private readText(end: number): string {
    const { cursor } = this;
    if (end - cursor.at <= LONGEST_TEXT) return cursor.text(end, this.texts);
    cursor.fail(NOT_PLAIN);
    return "";
  }
}

function most(field: DescField): number {
  return statedMaxItems(field) ?? 0;
}
