/** The typed values of an input, from the octets of its `InferTensorContents`. */
import { ScalarType } from "@bufbuild/protobuf";
import { InferTensorContentsSchema } from "../../../gen/inference/grpc_service_pb.ts";
import { readText } from "../../service/tensors/text-elements.ts";
import type { ContentsField } from "../../tensor/datatype.ts";
import { PackedContents } from "../../tensor/packed-contents.ts";
import { DELIMITED, type WireCursor } from "../../wire/wire-cursor.ts";
import { packedNumbers } from "../decode/packed-decoding.ts";

/** More of them are read in slices, by whoever reads the message. */
const MOST_OCTETS = 65_536;
/** One text in V8's memory, beside its characters. */
const TEXT_BYTES = 32;
const NOT_PLAIN = "is not in the plain form";

/** The list that a tag begins. */
interface List {
  readonly field: ContentsField;
  readonly scalar: ScalarType;
}

const LISTS: ReadonlyMap<number, List> = new Map(
  InferTensorContentsSchema.fields.flatMap((field) =>
    field.fieldKind === "list" && field.listKind === "scalar"
      ? [[field.number * 8 + DELIMITED, { field: field.localName as ContentsField, scalar: field.scalar }]]
      : [],
  ),
);

/** Reads contents of one packed list of numbers, or of texts that a model can take; others are not plain, which the cursor is told. */
export class TypedContentsReader {
  /** What the contents that were read last take of V8's heap. */
  heapBytes = 0;
  private readonly cursor: WireCursor;

  constructor(cursor: WireCursor) {
    this.cursor = cursor;
  }

  read(end: number): PackedContents | undefined {
    const { cursor } = this;
    this.heapBytes = 0;
    const list = end - cursor.at > MOST_OCTETS || cursor.at >= end ? undefined : LISTS.get(cursor.tag(end));
    if (list === undefined) return this.notPlain();
    const { field, scalar } = list;
    if (scalar === ScalarType.BYTES) return this.readTexts(field, end);
    if (cursor.fieldEnd(end) !== end) return this.notPlain();
    const values = packedNumbers(cursor.view(end), scalar);
    if (values === undefined) return this.notPlain();
    this.heapBytes = values.byteLength;
    return new PackedContents(field, values);
  }

  /** The tag of the first was read. */
  private readTexts(field: ContentsField, end: number): PackedContents | undefined {
    const { cursor } = this;
    const texts: string[] = [];
    for (;;) {
      const textEnd = cursor.fieldEnd(end);
      const text = cursor.fault === "" ? readText(cursor.bytes, cursor.at, textEnd, false) : undefined;
      if (text === undefined) return this.notPlain();
      texts.push(text);
      this.heapBytes += TEXT_BYTES + 2 * text.length;
      cursor.at = textEnd;
      if (cursor.at >= end) return new PackedContents(field, texts);
      if (LISTS.get(cursor.tag(end))?.field !== field) return this.notPlain();
    }
  }

  private notPlain(): undefined {
    this.cursor.fail(NOT_PLAIN);
    return undefined;
  }
}
