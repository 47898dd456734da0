import { ELEMENT_BYTES, numericView } from "../tensor/datatype.ts";
import { numberToHalf } from "../tensor/half-float.ts";
import { elementCount, type TensorData } from "../tensor/tensor-data.ts";
import type { ModelSignature, TensorSpec } from "./signature.ts";

/** Powers of ten by row, so that thresholds of any size are met on both sides. */
const SCALES = [1, 10, 0.1, 100, 1000, 3, 30, 0.3];

/**
 * A made-up input of `rowCount` rows that differ in every value; the same on every call. Open axes get `openLength`.
 * Integers stay from 0 to 3, because they are often positions in a table; text is `a`, `b`, ….
 */
export function madeUpInput(
  spec: TensorSpec,
  rowCount: number,
  signature: Pick<ModelSignature, "batching">,
  openLength = 1,
): TensorData {
  const { name, datatype } = spec;
  const rows = signature.batching === "no-batch-dimension" ? spec.shape : [rowCount, ...spec.shape.slice(1)];
  const shape = rows.map((length) => (length === -1 ? openLength : length));
  const count = elementCount(shape);
  const perRow = count / Math.max(1, shape[0] ?? 1);
  if (datatype === "BYTES") {
    const data = Array.from({ length: count }, (_, i) => String.fromCharCode(97 + (hash(name, i) % 26)));
    return { name, datatype, shape, data };
  }
  const data = numericView(datatype, new ArrayBuffer(count * ELEMENT_BYTES[datatype]), 0, count);
  for (let i = 0; i < count; i++) {
    const random = hash(name, i);
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(random % 4);
    else if (datatype.startsWith("FP")) {
      const scale = SCALES[Math.floor(i / Math.max(1, perRow)) % SCALES.length]!;
      const value = ((random % 4001) / 1000 - 2) * scale;
      data[i] = datatype === "FP16" ? numberToHalf(value) : Number(value.toPrecision(4));
    } else data[i] = datatype === "BOOL" ? random % 2 : random % 4;
  }
  return { name, datatype, shape, data };
}

/** A well-mixed whole number of a name and a position. */
function hash(name: string, position: number): number {
  let state = 0x811c9dc5 ^ position;
  for (let i = 0; i < name.length; i++) state = Math.imul(state ^ name.charCodeAt(i), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
