import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { TensorSchema } from "../../../../gen/assay/v1/tensor_pb.ts";
import { AssayError } from "../../../../src/errors.ts";
import { createViolations } from "../../../../src/service/check/violations.ts";
import { checkInputs } from "../../../../src/service/tensors/tensor-inputs.ts";
import type { ContentsField } from "../../../../src/tensor/datatype.ts";
import { PackedContents, type PackedValues } from "../../../../src/tensor/packed-contents.ts";
import { RawTextTensor } from "../../../../src/tensor/raw-text-tensor.ts";
import { signature, spec } from "../../../support/models/signatures.ts";

const model = signature([
  spec("x", "FP32", [-1, 2]),
  spec("job", "BYTES", [-1, 1]),
  spec("small", "INT8", [-1], { optional: true }),
]);
const text = new TextEncoder();
const x = { name: "x", datatype: "FP32", shape: [2n, 2n], contents: { fp32Contents: [1, 2, 3, 4] } };
const job = {
  name: "job",
  datatype: "BYTES",
  shape: [2n, 1n],
  contents: { bytesContents: ["a", "ü"].map((t) => text.encode(t)) },
};

function check(...tensors: MessageInitShape<typeof TensorSchema>[]) {
  const violations = createViolations();
  const checked = checkInputs(
    tensors.map((tensor) => create(TensorSchema, tensor)),
    model,
    violations,
  );
  try {
    violations.throwIfAny();
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    return { checked, faults: error.violations.map(({ field, rule }) => [field, rule]) };
  }
  return { checked, faults: [] };
}

test("tensors that fit pass with their rows counted", () => {
  const { checked, faults } = check(job, x);
  expect(faults).toEqual([]);
  expect(checked?.rowCount).toBe(2);
  expect(checked?.inputs.map((input) => input.name)).toEqual(["job", "x"]);
});

test("raw contents are kept where they lie", () => {
  const rawContents = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);
  const { checked } = check({ name: "x", datatype: "FP32", shape: [2n, 2n], rawContents }, job);
  expect(checked?.inputs[0]?.values).toEqual({ kind: "raw", bytes: rawContents });
});

test("zero rows are a batch like any other", () => {
  const { checked, faults } = check(
    { name: "x", datatype: "FP32", shape: [0n, 2n] },
    { name: "job", datatype: "BYTES", shape: [0n, 1n] },
  );
  expect(faults).toEqual([]);
  expect(checked?.rowCount).toBe(0);
});

const cases: [string, MessageInitShape<typeof TensorSchema>[], string[][]][] = [
  ["a missing input", [x], [["inputs", "signature.missing_input"]]],
  ["an unknown input", [x, job, { ...x, name: "y" }], [["inputs[2].name", "signature.unknown_input"]]],
  ["an input twice", [x, job, x], [["inputs[2].name", "signature.duplicate_input"]]],
  ["a wrong datatype", [{ ...x, datatype: "FP64" }, job], [["inputs[0].datatype", "signature.datatype"]]],
  ["a wrong rank", [{ ...x, shape: [4n] }, job], [["inputs[0].shape", "signature.rank"]]],
  ["a wrong axis", [{ ...x, shape: [2n, 3n] }, job], [["inputs[0].shape", "signature.shape"]]],
  [
    "rows that differ",
    [{ ...x, shape: [1n, 2n] }, job],
    [
      ["inputs[0].contents.fp32_contents", "tensor.value_count"],
      ["inputs[1].shape", "signature.row_count"],
    ],
  ],
  [
    "too few values",
    [{ ...x, contents: { fp32Contents: [1] } }, job],
    [["inputs[0].contents.fp32_contents", "tensor.value_count"]],
  ],
  [
    "values in the wrong list",
    [{ ...x, contents: { fp64Contents: [1, 2, 3, 4] } }, job],
    [["inputs[0].contents.fp64_contents", "tensor.contents"]],
  ],
  ["both forms", [{ ...x, rawContents: new Uint8Array(16) }, job], [["inputs[0]", "tensor.one_form"]]],
  [
    "raw bytes of a wrong length",
    [{ name: "x", datatype: "FP32", shape: [2n, 2n], rawContents: new Uint8Array(15) }, job],
    [["inputs[0].raw_contents", "tensor.raw_length"]],
  ],
  [
    "invalid UTF-8",
    [x, { ...job, contents: { bytesContents: [text.encode("a"), new Uint8Array([0xff])] } }],
    [["inputs[1].contents.bytes_contents[1]", "value.utf8"]],
  ],
  [
    "a NUL character",
    [x, { ...job, contents: { bytesContents: [text.encode("a"), text.encode("b\u0000c")] } }],
    [["inputs[1].contents.bytes_contents[1]", "value.nul"]],
  ],
  [
    "an integer out of range",
    [x, job, { name: "small", datatype: "INT8", shape: [2n], contents: { intContents: [127, 128] } }],
    [["inputs[2].contents.int_contents[1]", "value.range"]],
  ],
  [
    "infinity in raw bytes",
    [
      {
        name: "x",
        datatype: "FP32",
        shape: [2n, 2n],
        rawContents: new Uint8Array(new Float32Array([1, Infinity, 3, 4]).buffer),
      },
      job,
    ],
    [["inputs[0].raw_contents[0][1]", "value.finite"]],
  ],
];

test.each(cases)("%s is refused with its path and rule", (_title, tensors, faults) => {
  expect(check(...tensors).faults).toEqual(faults);
});

test("raw contents that lie at an odd place of a larger Buffer are read", () => {
  const packet = Buffer.alloc(17);
  const rawContents = packet.subarray(1);
  for (const [i, value] of [1, 2, Infinity, 4].entries()) rawContents.writeFloatLE(value, i * 4);
  const tensor = { name: "x", datatype: "FP32", shape: [2n, 2n], rawContents };
  expect(check(tensor, job).faults).toEqual([["inputs[0].raw_contents[1][0]", "value.finite"]]);
  rawContents.writeFloatLE(3, 8);
  expect(check(tensor, job).checked?.inputs[0]?.values).toEqual({ kind: "raw", bytes: rawContents });
});

test("raw strings are split by their lengths", () => {
  const rawContents = new Uint8Array([1, 0, 0, 0, 97, 2, 0, 0, 0, 0xc3, 0xbc]);
  const { checked, faults } = check(x, { name: "job", datatype: "BYTES", shape: [2n, 1n], rawContents });
  expect(faults).toEqual([]);
  expect(checked?.inputs[1]?.values).toEqual({ kind: "strings", values: ["a", "ü"] });
  const cut = check(x, {
    name: "job",
    datatype: "BYTES",
    shape: [2n, 1n],
    rawContents: rawContents.subarray(0, 10),
  });
  expect(cut.faults).toEqual([["inputs[1].raw_contents", "tensor.raw_length"]]);
});

test.each<[string, ContentsField, PackedValues, object]>([
  ["x", "fp32Contents", Float32Array.of(1, Number.POSITIVE_INFINITY, 3, 4), { shape: [2n, 2n] }],
  ["x", "fp32Contents", Float32Array.of(1, 2, 3), { shape: [2n, 2n] }],
  ["x", "intContents", Int32Array.of(1, 2, 3, 4), { shape: [2n, 2n] }],
  ["small", "intContents", Int32Array.of(1, 300), { datatype: "INT8", shape: [2n] }],
])("contents in one array are refused as lists are: %s as %s", (name, field, values, more) => {
  const head = { name, datatype: "FP32", shape: [2n, 2n], ...more };
  const listed = { [field]: Array.from(values as ArrayLike<number>) };
  const { faults } = check({ ...head, contents: listed }, job);
  expect(faults).not.toEqual([]);
  expect(check({ ...head, contents: new PackedContents(field, values) }, job).faults).toEqual(faults);
});

test("contents in one array are taken as they lie", () => {
  const values = Float32Array.of(1, Number.NaN, 3, 4);
  const { checked, faults } = check(
    { ...x, contents: new PackedContents("fp32Contents", values) },
    { ...job, contents: new PackedContents("bytesContents", ["a", "ü"]) },
    {
      name: "small",
      datatype: "INT8",
      shape: [2n],
      contents: new PackedContents("intContents", Int32Array.of(1, -2)),
    },
  );
  expect(faults).toEqual([]);
  expect(checked?.inputs.map((input) => input.values)).toEqual([
    { kind: "raw", bytes: new Uint8Array(values.buffer) },
    { kind: "strings", values: ["a", "ü"] },
    { kind: "numbers", values: Int32Array.of(1, -2) },
  ]);
});

test("texts that were read from raw contents are taken as they are", () => {
  const read = new RawTextTensor("job", [2n, 1n], ["a", "ü"]);
  const { checked, faults } = check(x, read);
  expect(faults).toEqual([]);
  expect(checked!.inputs[1]!.values).toEqual({ kind: "strings", values: ["a", "ü"] });
  const { rawContents, shape } = read;
  const wrongInput = { name: "x", datatype: "BYTES", shape, rawContents };
  const { faults: expected } = check(wrongInput, job);
  expect(expected).not.toEqual([]);
  expect(check(new RawTextTensor("x", shape, read.texts), job).faults).toEqual(expected);
});
