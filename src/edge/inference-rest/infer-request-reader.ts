import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import { FiniteTensor } from "../../tensor/finite-tensor.ts";
import { elementCount } from "../../tensor/tensor-data.ts";
import { axisLength } from "../../wire/axis-length.ts";
import { KnownTexts } from "../../wire/known-texts.ts";
import { FloatLists, type PlainFloat } from "../json/octets/float-lists.ts";
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  JsonCursor,
  OPEN_LIST,
  OPEN_OBJECT,
  quotedTexts,
} from "../json/octets/json-cursor.ts";
import { differsBeyondOnes } from "./infer-data.ts";
import type { AskedOutput, InferRequest } from "./infer-request.ts";

/** Longer bodies are read in slices. */
const MOST_OCTETS = 49_152;
/** More than these are seldom, and left to the general reader. */
const MOST_TENSORS = 64;
const MOST_AXES = 16;
const LONGEST_TEXT = 64;
const TEXT_PLACES = 64;

/** Members, in the order of their cases below. */
const REQUEST_MEMBERS = quotedTexts(["inputs", "outputs", "id"]);
const INPUT_MEMBERS = quotedTexts(["name", "shape", "datatype", "data"]);
const OUTPUT_MEMBERS = quotedTexts(["name", "parameters"]);
const OUTPUT_PARAMETERS = quotedTexts(["binary_data"]);
const DATATYPES: readonly PlainFloat[] = ["FP32", "FP64"];
const QUOTED_DATATYPES = quotedTexts(DATATYPES);

/** About what they take of V8's heap. */
const REQUEST_BYTES = 512;
const TENSOR_BYTES = 400;

/**
 * Reads bodies of inference requests by hand, from their octets, in the form that clients send: inputs of floats whose data stand behind
 * their shape and datatype, outputs, short texts, no other parameters, nothing unknown. `InferDecoding` reads any other, at several
 * times the cost, and tells what is wrong with it; a property test holds the two together.
 */
export class InferRequestReader {
  /** What the request that was read last takes, its octets not counted. */
  heapBytes = 0;
  private readonly cursor = new JsonCursor();
  private readonly texts = new KnownTexts(TEXT_PLACES);
  private readonly lists = new FloatLists(this.cursor);

  /** Reads a body into `request`; false, with nothing read, where it is not in the plain form. */
  read(bytes: Uint8Array, request: InferRequest): boolean {
    if (bytes.length > MOST_OCTETS) return false;
    const { cursor } = this;
    this.heapBytes = REQUEST_BYTES;
    cursor.begin(bytes);
    const isRead = this.readRequest(request);
    cursor.release();
    return isRead;
  }

  private readRequest(request: InferRequest): boolean {
    const { cursor, texts } = this;
    let id: string | undefined;
    let inputs: Tensor[] | undefined;
    let asked: AskedOutput[] | undefined;
    cursor.expect(OPEN_OBJECT);
    do {
      const member = cursor.member(REQUEST_MEMBERS);
      if (member === 0 && inputs === undefined) inputs = this.readInputs();
      else if (member === 1 && asked === undefined) asked = this.readOutputs();
      else if (member === 2 && id === undefined) id = cursor.text(texts, LONGEST_TEXT);
      else cursor.fail();
    } while (cursor.goesOn(CLOSE_OBJECT));
    cursor.next();
    if (!cursor.isPlain || cursor.left > 0 || inputs === undefined) return false;
    request.inputs = inputs;
    if (id !== undefined) request.requestId = id;
    if (asked !== undefined) {
      request.asked = asked;
      request.outputNames = asked.map(({ name }) => name);
    }
    return true;
  }

  private readInputs(): Tensor[] {
    const { cursor } = this;
    const inputs: Tensor[] = [];
    cursor.expect(OPEN_LIST);
    do {
      if (inputs.length === MOST_TENSORS) cursor.fail();
      inputs.push(this.readInput());
    } while (cursor.goesOn(CLOSE_LIST));
    return inputs;
  }

  private readInput(): Tensor {
    const { cursor, texts } = this;
    let name: string | undefined;
    let datatype: PlainFloat | undefined;
    let shape: number[] | undefined;
    let rawContents: Uint8Array | undefined;
    cursor.expect(OPEN_OBJECT);
    do {
      const member = cursor.member(INPUT_MEMBERS);
      if (member === 0 && name === undefined) name = cursor.text(texts, LONGEST_TEXT);
      else if (member === 1 && shape === undefined) shape = this.readShape();
      else if (member === 2 && datatype === undefined) datatype = DATATYPES[cursor.oneOf(QUOTED_DATATYPES)];
      else if (member === 3 && rawContents === undefined && shape !== undefined && datatype !== undefined)
        rawContents = this.readData(datatype, shape);
      else cursor.fail();
    } while (cursor.goesOn(CLOSE_OBJECT));
    if (name === undefined || datatype === undefined || shape === undefined || rawContents === undefined) {
      cursor.fail();
      return NONE;
    }
    this.heapBytes += TENSOR_BYTES + rawContents.length;
    return new FiniteTensor({ name, datatype, shape: shape.map(axisLength), rawContents });
  }

  private readShape(): number[] {
    const { cursor } = this;
    const shape: number[] = [];
    cursor.expect(OPEN_LIST);
    if (cursor.has(CLOSE_LIST)) return shape;
    do {
      if (shape.length === MOST_AXES) cursor.fail();
      cursor.next();
      shape.push(cursor.whole());
    } while (cursor.goesOn(CLOSE_LIST));
    return shape;
  }

  private readData(datatype: PlainFloat, shape: readonly number[]): Uint8Array {
    const { cursor, lists } = this;
    const values = lists.read(datatype, elementCount(shape));
    if (lists.lengths.length > 1 && differsBeyondOnes(lists.lengths, shape)) cursor.fail();
    return values;
  }

  private readOutputs(): AskedOutput[] {
    const { cursor } = this;
    const asked: AskedOutput[] = [];
    cursor.expect(OPEN_LIST);
    // Of an empty list none are asked for.
    if (cursor.has(CLOSE_LIST)) cursor.fail();
    do {
      if (asked.length === MOST_TENSORS) cursor.fail();
      asked.push(this.readOutput());
    } while (cursor.goesOn(CLOSE_LIST));
    return asked;
  }

  private readOutput(): AskedOutput {
    const { cursor, texts } = this;
    let name: string | undefined;
    let isBinary: boolean | undefined;
    cursor.expect(OPEN_OBJECT);
    do {
      const member = cursor.member(OUTPUT_MEMBERS);
      if (member === 0 && name === undefined) name = cursor.text(texts, LONGEST_TEXT);
      else if (member === 1 && isBinary === undefined) isBinary = this.readIsBinary();
      else cursor.fail();
    } while (cursor.goesOn(CLOSE_OBJECT));
    if (name === undefined) cursor.fail();
    return { name: name ?? "", isBinary };
  }

  private readIsBinary(): boolean {
    const { cursor } = this;
    cursor.expect(OPEN_OBJECT);
    cursor.member(OUTPUT_PARAMETERS);
    const isBinary = cursor.flag();
    cursor.expect(CLOSE_OBJECT);
    return isBinary;
  }
}

/** What stands for a tensor that is not plain. */
const NONE: Tensor = new FiniteTensor({
  name: "",
  datatype: "",
  shape: [],
  rawContents: new Uint8Array(0),
});
