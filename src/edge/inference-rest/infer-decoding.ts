/** The JSON of an inference request, with the bytes behind it, to the request, step by step. */
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { decodeText, type JsonOptions } from "../decode/json-decoding.ts";
import type { MessageForm, SteppedDecoding } from "../decode/message-decoder.ts";
import { JsonFaults, shownValue } from "../json/json-faults.ts";
import { type ExactJson, type ExactObject, JsonText } from "../json/json-text.ts";
import { memoryPerMessage } from "../memory/message-limit.ts";
import { readData } from "./infer-data.ts";
import {
  objectOf,
  readInputHead,
  readInputParameters,
  readOutputs,
  readRequestHead,
} from "./infer-members.ts";
import { type InferRequest, InferTensor } from "./infer-request.ts";
import { TensorNumbersReader } from "./tensor-numbers.ts";

/** What a request of one call is read with. */
export class InferForm implements MessageForm {
  readonly desc = PredictRequestSchema;
  readonly isJson = true;
  private readonly request: InferRequest;
  private readonly binary: Uint8Array;

  /** Into `request`; `binary` is what came behind the JSON. */
  constructor(request: InferRequest, binary: Uint8Array) {
    this.request = request;
    this.binary = binary;
  }

  begin(bytes: Uint8Array, { maxMessageBytes }: JsonOptions): SteppedDecoding {
    return new InferDecoding(bytes, this.request, this.binary, maxMessageBytes);
  }
}

const MOST_INPUTS = 1024;
/** One tensor in V8's memory. */
const TENSOR_BYTES = 256;

function dataLists(text: string): TensorNumbersReader {
  return new TensorNumbersReader(text, "data");
}

class InferDecoding implements SteppedDecoding {
  isRead = false;
  readonly message: InferRequest;
  private readonly text: JsonText;
  private readonly textBytes: number;
  private readonly binary: Uint8Array;
  private readonly faults = new JsonFaults();
  private reading: Generator<void> | undefined = undefined;
  private binaryAt = 0;

  constructor(bytes: Uint8Array, request: InferRequest, binary: Uint8Array, maxMessageBytes: number) {
    const maxHeapBytes = memoryPerMessage(maxMessageBytes);
    this.message = request;
    this.binary = binary;
    this.textBytes = bytes.length;
    this.text = new JsonText(decodeText(bytes), { maxMessageBytes, maxHeapBytes, lists: dataLists });
  }

  get json(): ExactJson {
    return this.text.value;
  }

  get heapBytes(): number {
    // Values are kept as they were parsed until they stand in their tensors.
    return this.textBytes + 2 * this.text.heapBytes + this.message.inputs.length * TENSOR_BYTES;
  }

  step(): boolean {
    if (this.reading === undefined) {
      if (!this.text.run()) return false;
      this.isRead = true;
      this.reading = this.read(this.text.value);
    }
    if (this.reading.next().done !== true) return false;
    this.faults.throwIfAny();
    return true;
  }

  private *read(json: ExactJson): Generator<void> {
    const { faults, message } = this;
    const whole = objectOf(json ?? undefined, "", faults);
    if (whole === undefined) {
      if (json === null) faults.add("", "null came; an object is expected", "json.object");
      return;
    }
    readRequestHead(whole, message, faults);
    readOutputs(whole.outputs, message, faults);
    yield* this.readInputs(whole.inputs);
    if (this.binaryAt < this.binary.length && faults.count === 0) {
      const what = `${this.binary.length} bytes came behind the JSON; binary_data_size of the inputs takes ${this.binaryAt}`;
      faults.add("inputs", what, "binary.length");
    }
  }

  private *readInputs(json: ExactJson | undefined): Generator<void> {
    const { faults } = this;
    if (!Array.isArray(json) || json.length === 0 || json.length > MOST_INPUTS) {
      const came =
        json === undefined
          ? "is missing"
          : Array.isArray(json)
            ? `${json.length} came`
            : `${shownValue(json)} came`;
      faults.add("inputs", `${came}; a list of 1 to ${MOST_INPUTS} tensors is expected`, "json.list");
      return;
    }
    for (let i = 0; i < json.length; i++) {
      const place = PLACES[i] ?? `inputs[${i}]`;
      const one = objectOf(json[i]!, place, faults);
      if (one !== undefined) yield* this.readInput(one, place);
      else if (json[i] === null) faults.add(place, "null came; an object is expected", "json.object");
    }
  }

  private *readInput(json: ExactObject, place: string): Generator<void> {
    const { faults, message } = this;
    const tensor = new InferTensor();
    const before = faults.count;
    readInputHead(json, tensor, place, faults);
    const size = readInputParameters(json, place, faults);
    message.inputs.push(tensor);
    const hasData = json.data !== undefined && json.data !== null;
    if (size !== undefined) {
      if (hasData)
        faults.add(place, "came with data and with binary_data_size; send one of them", "tensor.one_form");
      else this.takeBinary(tensor, size, place);
    } else if (!hasData) {
      faults.add(
        `${place}.data`,
        "is missing; a list is expected, or binary_data_size in parameters",
        "json.list",
      );
    } else if (faults.count === before) yield* readData(json.data!, tensor, `${place}.data`, faults);
  }

  private takeBinary(tensor: InferTensor, size: number, place: string): void {
    const { binary, binaryAt, faults } = this;
    const end = binaryAt + size;
    if (end > binary.length) {
      const what = `${size} bytes are to come; ${Math.max(0, binary.length - binaryAt)} are left behind the JSON`;
      faults.add(`${place}.parameters.binary_data_size`, what, "binary.length");
    } else tensor.rawContents = binary.subarray(binaryAt, end);
    this.binaryAt = end;
  }
}

const PLACES: readonly string[] = Array.from({ length: 16 }, (_, index) => `inputs[${index}]`);
