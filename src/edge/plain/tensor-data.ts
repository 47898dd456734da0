import type { Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { type Tensor, TensorContentsSchema, TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { DATATYPE_NAMES, isDatatype, rowOf } from "../../tensor/datatype.ts";
import { shownValue } from "../json/json-faults.ts";
import type { Aliases, JsonReader } from "../json/json-message.ts";
import { type ScalarReading, scalarReading } from "../json/json-scalar.ts";
import type { ExactJson } from "../json/json-text.ts";

/** `data`, as the Open Inference Protocol writes a tensor's values in JSON: flat, or nested as the shape says. */
export const TENSOR_DATA: Aliases = { [TensorSchema.typeName]: { member: "data", read: readData } };

/** The datatypes whose values a list can hold. */
const LISTED = DATATYPE_NAMES.filter((datatype) => rowOf(datatype).contents !== undefined).join(", ");

const UTF8_TEXT: ScalarReading = {
  read: (value) => (typeof value === "string" ? new Uint8Array(Buffer.from(value)) : undefined),
  expected: "a text",
  rule: "json.text",
};
/** One octet array, in V8's memory. */
const OCTETS_BYTES = 160;

function readData(json: ExactJson, message: Message, path: string, reader: JsonReader): void {
  const { faults } = reader;
  const tensor = message as Tensor;
  const place = `${path}.data`;
  const { datatype } = tensor;
  const listName = isDatatype(datatype) ? rowOf(datatype).contents : undefined;
  if (listName === undefined) {
    const what = isDatatype(datatype)
      ? `${tensor.datatype} values come only as raw_contents, in base64`
      : `the datatype is ${shownValue(tensor.datatype)}; data takes ${LISTED}`;
    faults.add(place, what, "json.datatype");
    return;
  }
  if (tensor.contents !== undefined || tensor.rawContents.length > 0) {
    faults.add(place, "came beside contents or raw_contents; send one of them", "tensor.one_form");
    return;
  }
  if (!Array.isArray(json)) {
    faults.add(place, `${shownValue(json)} came; a list is expected`, "json.list");
    return;
  }
  const flat = json.some(Array.isArray) ? unnested(json, tensor.shape) : json;
  if (typeof flat === "string") {
    faults.add(place, flat, "json.nesting");
    return;
  }
  const field = TensorContentsSchema.fields.find(({ localName }) => localName === listName)!;
  const isText = tensor.datatype === "BYTES";
  const contents = create(TensorContentsSchema);
  tensor.contents = contents;
  reader.heapBytes += flat.length * (isText ? OCTETS_BYTES : 34);
  const target = (contents as unknown as Record<string, unknown[]>)[field.localName]!;
  reader.values(flat, target, isText ? UTF8_TEXT : scalarReading(field), place);
}

/** The values of nested lists, whose lengths must be those of the shape; what is wrong where they are not. */
function unnested(list: ExactJson[], shape: readonly bigint[]): ExactJson[] | string {
  let level: ExactJson[] = [list];
  for (let axis = 0; axis < shape.length; axis++) {
    const inner: ExactJson[] = [];
    for (const item of level) {
      if (!Array.isArray(item)) return `is nested unevenly: ${shownValue(item)} stands beside lists`;
      if (BigInt(item.length) !== shape[axis]) {
        return `has a list of ${item.length} items on axis ${axis}; the shape says ${shape[axis]} items there`;
      }
      for (const value of item) inner.push(value);
    }
    level = inner;
  }
  const deeper = level.find(Array.isArray);
  return deeper === undefined
    ? level
    : `has lists on axis ${shape.length}; the shape has only ${shape.length} axes`;
}
