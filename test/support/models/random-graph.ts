import fc from "fast-check";
import type { NodeProto, ValueInfoProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import { type Datatype, rowOf } from "../../../src/tensor/datatype.ts";
import { buildModel, node, tensorInfo } from "./model-builder.ts";

/** Rows that a graph with a fixed number of them takes. */
export const FIXED_ROWS = 5;

/** A small model of random types, ranks and names, with what is known of it by construction. */
export interface RandomGraph {
  readonly bytes: Uint8Array;
  readonly inputs: readonly { readonly name: string; readonly datatype: Datatype }[];
  /** `open` and `fixed-at-one`: rows are independent; `coupled`: they are not; `fixed`: the file takes FIXED_ROWS. */
  readonly rows: "open" | "fixed-at-one" | "coupled" | "fixed";
}

const TYPES = {
  BOOL: "BOOL",
  UINT8: "UINT8",
  UINT16: "UINT16",
  UINT32: "UINT32",
  UINT64: "UINT64",
  INT8: "INT8",
  INT16: "INT16",
  INT32: "INT32",
  INT64: "INT64",
  FP16: "FLOAT16",
  BF16: "BFLOAT16",
  FP32: "FLOAT",
  FP64: "DOUBLE",
  BYTES: "STRING",
} as const satisfies Record<Datatype, string>;

/** What a bare session takes. */
const RUNNABLE = (Object.keys(TYPES) as Datatype[]).filter(
  (datatype) => rowOf(datatype).sessionType !== undefined,
);

const ODD_NAMES = [
  "constructor",
  "toString",
  "input:0",
  "a b",
  "prénom",
  "x.y/z",
  "0",
  "hasOwnProperty",
  "入力",
];

const nameArbitrary = fc.oneof(
  fc.constantFrom(...ODD_NAMES),
  fc.string({ minLength: 1, maxLength: 12 }).filter((name) => !name.includes("\0") && name !== "__proto__"),
);

const inputArbitrary = fc.record({
  datatype: fc.constantFrom(...RUNNABLE),
  tail: fc.array(fc.constantFrom<number | string | null>(1, 2, 3, "T", null), { maxLength: 3 }),
  isDoubled: fc.boolean(),
});

/** Each input goes through a chain of its own to an output of its own, so that every type has operators that take it. */
export const randomGraph: fc.Arbitrary<RandomGraph> = fc
  .record({
    parts: fc.array(inputArbitrary, { minLength: 1, maxLength: 3 }),
    names: fc.uniqueArray(nameArbitrary, { minLength: 12, maxLength: 12 }),
    rows: fc.constantFrom("open", "fixed-at-one", "coupled", "fixed"),
    symbol: fc.constantFrom("N", null),
  })
  .map(({ parts, names, rows, symbol }) => {
    const nodes: NodeProto[] = [];
    const inputs: ValueInfoProto[] = [];
    const outputs: ValueInfoProto[] = [];
    const lead = rows === "fixed" ? FIXED_ROWS : rows === "fixed-at-one" ? 1 : symbol;
    for (const [index, { datatype, tail, isDoubled }] of parts.entries()) {
      const [input, middle, output] = [names[index * 3]!, names[index * 3 + 1]!, names[index * 3 + 2]!];
      const isFloat = datatype === "FP32" || datatype === "FP64";
      const shape = [lead, ...tail];
      inputs.push(tensorInfo(input, TYPES[datatype], shape));
      outputs.push(tensorInfo(output, TYPES[datatype], shape));
      const doubles = isDoubled && /^(FP32|FP64|INT32|INT64)$/.test(datatype);
      nodes.push(
        doubles ? node("Add", [input, input], [middle]) : node("Identity", [input], [middle]),
        rows === "coupled" && isFloat
          ? node("Softmax", [middle], [output], { axis: 0n })
          : node("Identity", [middle], [output]),
      );
    }
    const isCoupled =
      rows === "coupled" && parts.some(({ datatype }) => datatype === "FP32" || datatype === "FP64");
    return {
      bytes: buildModel({ inputs, outputs, nodes }),
      inputs: parts.map(({ datatype }, index) => ({ name: names[index * 3]!, datatype })),
      rows: rows === "coupled" && !isCoupled ? "open" : rows,
    };
  });
