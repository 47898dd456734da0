/**
 * Arrow types that the library does not know: run-end encoded values and list views. It gives up on the whole file; a column
 * that nobody reads need not be known, only passed over. So such a field is read as a union without type ids, which no writer
 * makes, and its memory is stepped over as its layout says (Columnar.rst, "Buffer Listing for Each Layout").
 */
import { type Data, type DataType, makeData, Null, Type, type Union } from "apache-arrow";
import { Field as EncodedField } from "apache-arrow/fb/field";
import { VectorLoader } from "apache-arrow/visitor/vectorloader";

/** Numbers of Schema.fbs. */
const RUN_END_ENCODED = 22;
const LIST_VIEW = 25;
const LARGE_LIST_VIEW = 26;
const UNION = 14;
/** Validity, offsets and sizes. */
const LIST_VIEW_BUFFERS = 3;

/** What the loader has beside its public types. */
interface Loader {
  nextFieldNode(): { readonly length: number };
  nextBufferRange(): unknown;
  visitMany(types: readonly unknown[]): unknown;
  visitSparseUnion(type: Union): Data;
}

/** Arrow's name of a type that is only passed over; undefined for all others. */
export function unreadType(type: DataType): string | undefined {
  if (type.typeId !== Type.Union || (type as Union).typeIds.length > 0) return undefined;
  if (type.children.length === 1) return "ListView";
  return type.children[0]?.name === "run_ends" ? "RunEndEncoded" : undefined;
}

/** Teaches the library to pass over them; once for the process. */
export function passOverUnreadTypes(): void {
  if (isTaught) return;
  isTaught = true;
  const { typeType } = EncodedField.prototype;
  EncodedField.prototype.typeType = function (this: EncodedField) {
    const type = typeType.call(this) as number;
    return type === RUN_END_ENCODED || type === LIST_VIEW || type === LARGE_LIST_VIEW ? UNION : type;
  } as typeof typeType;
  const loader = VectorLoader.prototype as unknown as Loader;
  const { visitSparseUnion } = loader;
  loader.visitSparseUnion = function (this: Loader, type: Union) {
    if (unreadType(type) === undefined) return visitSparseUnion.call(this, type);
    const { length } = this.nextFieldNode();
    if (type.children.length === 1)
      for (let left = LIST_VIEW_BUFFERS; left > 0; left--) this.nextBufferRange();
    this.visitMany(type.children);
    return makeData({ type: new Null(), length });
  };
}

let isTaught = false;
