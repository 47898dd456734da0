import type { PredictRequest } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { emptyRequest } from "../../../wire/empty-messages.ts";
import { KnownTexts } from "../../../wire/known-texts.ts";
import type { CallMemory } from "../../memory/call-memory.ts";
import { readFloatRun } from "./float-run.ts";
import { CLOSE_LIST, CLOSE_OBJECT, JsonCursor, OPEN_LIST, OPEN_OBJECT, quotedTexts } from "./json-cursor.ts";

/** Longer bodies are read in slices. */
const MOST_OCTETS = 49_152;
/** More are seldom, and left to the general reader. */
const MOST_FEATURES = 1_024;
const DOUBLE_BYTES = 8;
const LONGEST_TEXT = 64;
const TEXT_PLACES = 64;

/** Members, in the order of their cases below. */
const MEMBERS = quotedTexts([
  "features",
  "model_name",
  "modelName",
  "model_version",
  "modelVersion",
  "request_id",
  "requestId",
]);

/** About what they take of V8's heap. */
const REQUEST_BYTES = 512;
const FEATURE_BYTES = 8;

/**
 * Reads requests of one row of features by hand, from the octets of their JSON: `features`, and short texts that name model, version and
 * request, in either spelling. Any other body is the general reader's, at several times the cost, as is whatever is wrong with one; a
 * property test holds the two together.
 */
export class FeaturesReader {
  private readonly cursor = new JsonCursor();
  private readonly texts = new KnownTexts(TEXT_PLACES);
  /** What is read last; messages have numbers of their own. */
  private readonly values = new DataView(new ArrayBuffer(DOUBLE_BYTES * MOST_FEATURES));

  /** The request of a body, counted in its call's memory in the place of the octets; undefined where it is not in the plain form. */
  request(bytes: Uint8Array, memory: CallMemory): PredictRequest | undefined {
    const request = this.read(bytes);
    if (request === undefined) return undefined;
    const refused = memory.take(REQUEST_BYTES + FEATURE_BYTES * request.features.length);
    if (refused !== undefined) throw refused;
    memory.give(bytes.length);
    return request;
  }

  /** The request of a body; undefined where it is not in the plain form. */
  read(bytes: Uint8Array): PredictRequest | undefined {
    if (bytes.length > MOST_OCTETS) return undefined;
    const { cursor } = this;
    cursor.begin(bytes);
    const request = this.readRequest();
    cursor.next();
    const isPlain = cursor.isPlain && cursor.left === 0 && request.features.length > 0;
    cursor.release();
    return isPlain ? request : undefined;
  }

  private readRequest(): PredictRequest {
    const { cursor } = this;
    const request = emptyRequest();
    let seen = 0;
    cursor.expect(OPEN_OBJECT);
    do {
      const member = (cursor.member(MEMBERS) + 1) >> 1;
      if ((seen & (1 << member)) !== 0) cursor.fail();
      seen |= 1 << member;
      if (member === 0) this.readFeatures(request.features);
      else if (member === 1) request.modelName = cursor.text(this.texts, LONGEST_TEXT);
      else if (member === 2) request.modelVersion = cursor.text(this.texts, LONGEST_TEXT);
      else request.requestId = cursor.text(this.texts, LONGEST_TEXT);
    } while (cursor.goesOn(CLOSE_OBJECT));
    return request;
  }

  private readFeatures(features: number[]): void {
    const { cursor, values } = this;
    cursor.expect(OPEN_LIST);
    const end = readFloatRun(cursor, values, 0, values.byteLength, false);
    cursor.expect(CLOSE_LIST);
    if (!cursor.isPlain) return;
    for (let at = 0; at < end; at += DOUBLE_BYTES) features.push(values.getFloat64(at, true));
  }
}
