import type { Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { type Tensor, TensorContentsSchema, TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { type ContentsField, DATATYPE_NAMES, isDatatype, rowOf } from "../../tensor/datatype.ts";
import { shownValue } from "../json/json-faults.ts";
import { PIECE_VALUES } from "../json/json-lists.ts";
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
const VALUE_BYTES = 34;

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
  const flattening = flattened(json, tensor.shape);
  const step = (): boolean => {
    const { done, value: flat } = flattening.next();
    if (!done) return false;
    if (typeof flat === "string") faults.add(place, flat, "json.nesting");
    else readFlat(flat, tensor, listName, place, reader);
    return true;
  };
  if (!step()) reader.later({ step });
}

function readFlat(
  flat: readonly ExactJson[],
  tensor: Tensor,
  listName: ContentsField,
  place: string,
  reader: JsonReader,
): void {
  if (tensor.datatype === "BYTES") {
    reader.texts(flat, { text: textOfString, octets: UTF8_TEXT }, OCTETS_BYTES, place, tensor);
    return;
  }
  const contents = create(TensorContentsSchema);
  tensor.contents = contents;
  reader.heapBytes += flat.length * VALUE_BYTES;
  const target = (contents as unknown as Record<string, unknown[]>)[listName]!;
  reader.values(flat, target, scalarReading(TensorContentsSchema.field[listName]), place);
}

/** A string as a model can take it: what is no Unicode becomes U+FFFD, as it does in UTF-8; NUL ends texts of native code. */
function textOfString(value: ExactJson): string | undefined {
  return typeof value === "string" && !value.includes("\0") ? value.toWellFormed() : undefined;
}

/**
 * The values of a list, or of nested ones, whose lengths must be those of the shape; what is wrong where they are not. Yields where the
 * event loop may be given back.
 */
function* flattened(
  list: ExactJson[],
  shape: readonly bigint[],
): Generator<undefined, readonly ExactJson[] | string> {
  if (!(yield* hasLists(list))) return list;
  let level: readonly ExactJson[] = [list];
  let looked = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const inner: ExactJson[] = [];
    for (const item of level) {
      if (!Array.isArray(item)) return `is nested unevenly: ${shownValue(item)} stands beside lists`;
      if (BigInt(item.length) !== shape[axis]) {
        return `has a list of ${item.length} items on axis ${axis}; the shape says ${shape[axis]} items there`;
      }
      for (const value of item) {
        inner.push(value);
        if (++looked % PIECE_VALUES === 0) yield;
      }
      if (++looked % PIECE_VALUES === 0) yield;
    }
    level = inner;
  }
  return (yield* hasLists(level))
    ? `has lists on axis ${shape.length}; the shape has only ${shape.length} axes`
    : level;
}

function* hasLists(list: readonly ExactJson[]): Generator<undefined, boolean> {
  for (let i = 0; i < list.length; i++) {
    if (Array.isArray(list[i])) return true;
    if (i % PIECE_VALUES === PIECE_VALUES - 1) yield;
  }
  return false;
}
