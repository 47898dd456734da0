import type { InferenceSession } from "onnxruntime-node";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { type Datatype, elementOf, type NumericArray, numericView, rowOf } from "../../tensor/datatype.ts";
import { copyElements } from "../../tensor/octet-copy.ts";
import { elementCount } from "../../tensor/tensor-data.ts";
import type { SessionStart } from "../channel.ts";
import { alignOffset, type FrameTensor, headerBytes, writeHeader } from "../frame.ts";
import type { SlotMemory } from "../slot-memory.ts";
import { type EncodedStrings, joinStrings, lengthBytes, writeStrings } from "../strings.ts";
import { datatypeOf } from "./session.ts";

interface OutputTensor {
  readonly place: FrameTensor;
  readonly data: NumericArray | readonly string[];
  readonly encoded: EncodedStrings | undefined;
}

/**
 * Lays the outputs of a run in `memory`, whose buffer it replaces where they do not fit. Throws OUTPUT_TOO_LARGE beyond
 * `maxBytes` and RUN_FAILED for element types that cannot be served.
 */
export function writeOutputs(
  outputs: InferenceSession.OnnxValueMapType,
  { outputNames, outputDatatypes }: Pick<SessionStart, "outputNames" | "outputDatatypes">,
  memory: SlotMemory,
  maxBytes: number,
): void {
  const tensors: OutputTensor[] = [];
  for (let nameIndex = 0; nameIndex < outputNames.length; nameIndex++) {
    const name = outputNames[nameIndex]!;
    // Outputs may be called `constructor`.
    const output = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
    if (output !== undefined) tensors.push(outputTensor(nameIndex, name, output, outputDatatypes[nameIndex]));
  }
  const places = tensors.map((tensor) => tensor.place);
  let end = headerBytes(places, 0);
  for (const { place, encoded } of tensors) {
    place.byteOffset = end;
    const lengths = encoded === undefined ? 0 : lengthBytes(elementCount(place.shape));
    end = alignOffset(end + lengths + place.byteLength);
  }
  if (end > maxBytes) {
    throw new AssayError(
      Reason.OUTPUT_TOO_LARGE,
      `the outputs take ${end} bytes, more than the ${maxBytes} that one run may return; send fewer rows in one request`,
    );
  }
  memory.fit(end);
  memory.note(end);
  const target = memory.buffer;
  writeHeader(target, places, []);
  for (const { place, data, encoded } of tensors) {
    if (encoded !== undefined) writeStrings(target, place.byteOffset, data as readonly string[], encoded);
    else copyNumeric(target, place, data as NumericArray);
  }
}

function outputTensor(
  nameIndex: number,
  name: string,
  output: InferenceSession.OnnxValueMapType[string],
  declared: Datatype | undefined,
): OutputTensor {
  if (declared !== undefined && rowOf(declared).sessionType === undefined) {
    return carriedTensor(nameIndex, declared, output);
  }
  const datatype = datatypeOf(output.type);
  if (datatype === undefined) {
    throw new AssayError(
      Reason.RUN_FAILED,
      `output "${name}" has elements of type ${output.type}, which cannot be sent`,
    );
  }
  const data = output.data as NumericArray | readonly string[];
  const encoded = datatype === "BYTES" ? joinStrings(data as readonly string[]) : undefined;
  const byteLength = encoded === undefined ? (data as NumericArray).byteLength : encoded.byteLength;
  return { place: { nameIndex, datatype, shape: output.dims, byteOffset: 0, byteLength }, data, encoded };
}

/** The session gives the numbers of a datatype that it has no tensors of as float32. */
function carriedTensor(
  nameIndex: number,
  datatype: Datatype,
  output: InferenceSession.OnnxValueMapType[string],
): OutputTensor {
  const numbers = output.data as Float32Array;
  const data = new Uint16Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) data[i] = elementOf(datatype, numbers[i]!);
  const place = { nameIndex, datatype, shape: output.dims, byteOffset: 0, byteLength: data.byteLength };
  return { place, data, encoded: undefined };
}

function copyNumeric(memory: SharedArrayBuffer, place: FrameTensor, data: NumericArray): void {
  if (place.datatype === "BYTES") return;
  copyElements(data, numericView(place.datatype, memory, place.byteOffset, data.length));
}
