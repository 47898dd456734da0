import { elementBytes, elementOf, isFloat, numericView } from "../../tensor/datatype.ts";
import { elementCount, type TensorData } from "../../tensor/tensor-data.ts";
import { readOnnxOutline } from "../onnx/onnx-outline.ts";
import { hasRows, type ModelSignature, type TensorSpec } from "../signature.ts";

/** Options of made-up rows. */
export interface ProbeOptions {
  readonly openLength?: number;
  readonly integers?: number;
  readonly text?: readonly string[];
}

/** Powers of ten by row, so that thresholds of any size are met on both sides. */
const SCALES = [1, 10, 0.1, 100, 1000, 3, 30, 0.3];

/**
 * A made-up input of `rowCount` rows that differ in every value; the same on every call. Open axes get `openLength`, 1
 * unless given. Integers stay below `integers`, 4 unless given, because they are often positions in a table; text is one of
 * `text`, else a letter.
 */
export function madeUpInput(
  spec: TensorSpec,
  rowCount: number,
  signature: Pick<ModelSignature, "batching">,
  options: ProbeOptions = {},
): TensorData {
  const { name, datatype } = spec;
  const rows = hasRows(signature) ? [rowCount, ...spec.shape.slice(1)] : spec.shape;
  const { openLength = 1, integers = 4, text = [] } = options;
  const shape = rows.map((length) => (length === -1 ? openLength : length));
  const count = elementCount(shape);
  const perRow = count / Math.max(1, shape[0] ?? 1);
  if (datatype === "BYTES") {
    const data = Array.from({ length: count }, (_, i) => {
      const random = hash(name, i);
      return text[random % text.length] ?? String.fromCharCode(97 + (random % 26));
    });
    return { name, datatype, shape, data };
  }
  const data = numericView(datatype, new ArrayBuffer(count * elementBytes(datatype)), 0, count);
  for (let i = 0; i < count; i++) {
    const random = hash(name, i);
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(random % integers);
    else if (isFloat(datatype)) {
      const scale = SCALES[Math.floor(i / Math.max(1, perRow)) % SCALES.length]!;
      const value = ((random % 4001) / 1000 - 2) * scale;
      data[i] = elementOf(datatype, Number(value.toPrecision(4)));
    } else data[i] = datatype === "BOOL" ? random % 2 : random % integers;
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

/** Words that are read out of one graph, at most. */
const MAX_WORDS = 64;

const utf8 = new TextDecoder();

/**
 * Lists of texts that a made-up row may hold, the likeliest to run first: the words that the graph itself compares with
 * (categories, vocabularies), those two at a time as sentences, letters (an empty list) and digits.
 */
export function probeTexts(modelBytes: Uint8Array): readonly (readonly string[])[] {
  const words = graphWords(modelBytes);
  const digits = ["0", "1", "2", "3", "4", "5", "6", "7"];
  if (words.length === 0) return [[], digits];
  const pairs = words.map((word, index) => `${word} ${words[(index * 7 + 3) % words.length]}`);
  return [words, pairs, [], digits];
}

function graphWords(modelBytes: Uint8Array): string[] {
  const words = new Set<string>();
  for (const node of readOnnxOutline(modelBytes).model.graph?.node ?? []) {
    // A ZipMap's and a classifier's texts are answers, not values of rows.
    if (node.opType.endsWith("Classifier") || node.opType === "ZipMap") continue;
    for (const { name, strings } of node.attribute) {
      if (name.startsWith("values_") || name.startsWith("default_")) continue;
      for (const value of strings) {
        const word = utf8.decode(value);
        if (word !== "" && word.length <= 100 && words.size < MAX_WORDS) words.add(word);
      }
    }
  }
  return [...words];
}
