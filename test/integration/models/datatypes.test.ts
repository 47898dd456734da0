import { afterEach, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { Datatype, NumericArray } from "../../../src/tensor/datatype.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";
import { onnxModel, type TestModel } from "../../support/models/onnx-model.ts";
import { type Core, stageTimes, startCore } from "../../support/servers/scoring-core.ts";

let core: Core;
afterEach(() => core.close());

function identityModel(datatype: Datatype): TestModel {
  return onnxModel("identity", {
    inputs: [{ name: "x", datatype, shape: [-1, 2] }],
    outputs: [{ name: "y", datatype, shape: [-1, 2] }],
    nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
  });
}

type Values = NumericArray | readonly string[];

function send(datatype: Datatype, values: Values, columns = 2): Promise<TensorData> {
  return new Promise((resolve, reject) => {
    core.batcher.enqueue({
      rowCount: values.length / columns,
      byteCount: 100,
      inputs: [{ name: "x", datatype, tailShape: [columns] }],
      shapeKey: "x",
      lane: "interactive",
      deadlineAt: Number.POSITIVE_INFINITY,
      outputNames: [],
      times: stageTimes(),
      write(writer, fromRow, rowCount) {
        const from = fromRow * columns;
        const rows = values.slice(from, from + rowCount * columns);
        if (datatype === "BYTES") writer.strings(0, rows as string[]);
        else for (const [i, value] of rows.entries()) writer.numeric(0)[i] = value as number;
      },
      onOutputs: ([output]) => resolve({ ...output!, data: output!.data.slice() }),
      onError: reject,
    });
  });
}

const big = 2n ** 63n - 1n;

test.each([
  ["BOOL", Uint8Array.of(0, 1)],
  ["UINT8", Uint8Array.of(0, 255)],
  ["UINT16", Uint16Array.of(0, 65_535)],
  ["UINT32", Uint32Array.of(0, 2 ** 32 - 1)],
  ["UINT64", BigUint64Array.of(0n, 2n ** 64n - 1n)],
  ["INT8", Int8Array.of(-128, 127)],
  ["INT16", Int16Array.of(-32_768, 32_767)],
  ["INT32", Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
  ["INT64", BigInt64Array.of(-big, big)],
  ["FP16", Uint16Array.of(0x3c00, 0x7e00)],
  ["FP32", Float32Array.of(Number.NaN, -0)],
  ["FP64", Float64Array.of(Number.MIN_VALUE, 1 / 3)],
  ["BYTES", ["", "naïve 😀 \uFEFF"]],
] as const satisfies [Datatype, Values][])(
  "%s comes back bit for bit, alone and in company",
  async (datatype, row) => {
    core = await startCore({ model: identityModel(datatype) });
    const alone = await send(datatype, row);
    expect(alone).toEqual({ name: "y", datatype, shape: [1, 2], data: row });
    const many = await Promise.all(Array.from({ length: 10 }, () => send(datatype, row)));
    for (const one of many) expect(one).toEqual(alone);
  },
);

test("a thousand distinct strings find their way through a buffer that has to grow", async () => {
  core = await startCore({ model: identityModel("BYTES") });
  await send("BYTES", ["a", "b"]);
  const values = Array.from({ length: 1_000 }, (_, i) => `${i} ${"é".repeat(i)}`);
  expect((await send("BYTES", values)).data).toEqual(values);
});

test("outputs beyond the limit are refused with OUTPUT_TOO_LARGE, and those beside them are answered", async () => {
  const columns = 2_000;
  const model = onnxModel("wide", {
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, 1] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [-1, columns] }],
    nodes: [{ op: "MatMul", inputs: ["x", "weights"], outputs: ["y"] }],
    initializers: [{ name: "weights", shape: [1, columns], data: new Array<number>(columns).fill(1) }],
  });
  core = await startCore({ model, pool: { maxRunBytes: 40_000 } });
  const first = send("FP32", Float32Array.of(1), 1);
  const [small, large] = await Promise.allSettled([
    send("FP32", Float32Array.of(2), 1),
    send("FP32", new Float32Array(6), 1),
  ]);
  expect((await first).shape).toEqual([1, columns]);
  expect(small).toMatchObject({ status: "fulfilled", value: { shape: [1, columns] } });
  expect(large).toMatchObject({
    status: "rejected",
    reason: { reason: Reason.OUTPUT_TOO_LARGE, message: expect.stringMatching(/send fewer rows/) },
  });
});
