import { create, toBinary, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type PredictResponse,
  PredictResponseSchema,
  PredictStreamResponseSchema,
} from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorSchema } from "../../../../gen/assay/v1/tensor_pb.ts";
import { AnswerEncoder, isLargeAnswer } from "../../../../src/edge/answer/answer-encoder.ts";
import { CallMemory } from "../../../../src/edge/memory/call-memory.ts";
import { createMemoryBudget } from "../../../../src/edge/memory/memory-budget.ts";
import { type Datatype, rowOf } from "../../../../src/tensor/datatype.ts";
import { RawTextTensor } from "../../../../src/tensor/raw-text-tensor.ts";
import { packedContents, rawContents, typedContents } from "../../../../src/tensor/tensor-contents.ts";
import type { TensorData } from "../../../../src/tensor/tensor-data.ts";

const encoder = new AnswerEncoder();
const memoryOf = () => new CallMemory(createMemoryBudget(1e9));

const ARRAYS: Readonly<Record<Exclude<Datatype, "FP16" | "BF16">, fc.Arbitrary<TensorData["data"]>>> = {
  BOOL: fc.array(fc.integer({ min: 0, max: 1 })).map((list) => Uint8Array.from(list)),
  INT8: fc.int8Array(),
  INT16: fc.int16Array(),
  INT32: fc.int32Array(),
  INT64: fc.bigInt64Array(),
  UINT8: fc.uint8Array(),
  UINT16: fc.uint16Array(),
  UINT32: fc.uint32Array(),
  UINT64: fc.bigUint64Array(),
  FP32: fc.float32Array(),
  FP64: fc.float64Array(),
  BYTES: fc.array(fc.string({ unit: "binary" })),
};

const output: fc.Arbitrary<TensorData> = fc
  .constantFrom(...(Object.keys(ARRAYS) as (keyof typeof ARRAYS)[]))
  .chain((datatype) =>
    fc.record({
      name: fc.string(),
      datatype: fc.constant(datatype),
      shape: fc.array(fc.nat()),
      data: ARRAYS[datatype],
    }),
  );

type Form = "packed" | "listed" | "raw" | "raw texts";

function tensor(one: TensorData, form: Form): Tensor {
  const { name, datatype } = one;
  const head = { name, datatype, shape: one.shape.map(BigInt) };
  if (form === "raw texts" && one.datatype === "BYTES") {
    return new RawTextTensor(name, head.shape, one.data as readonly string[]);
  }
  if (form.startsWith("raw")) return create(TensorSchema, { ...head, rawContents: rawContents(one) });
  return create(TensorSchema, {
    ...head,
    contents: form === "packed" ? packedContents(one, rowOf(one.datatype).contents!) : typedContents(one),
  });
}

const PLAIN_FORM: Readonly<Record<Form, Form>> = {
  packed: "listed",
  listed: "listed",
  raw: "raw",
  "raw texts": "raw",
};

/** The same answer twice: with contents in one array, and with lists. */
const answers = fc
  .record({
    modelName: fc.string(),
    modelVersion: fc.string(),
    requestId: fc.string(),
    scores: fc.array(fc.double()),
    labels: fc.array(fc.string()),
    outputs: fc.array(fc.tuple(output, fc.constantFrom<Form>("packed", "listed", "raw", "raw texts"))),
  })
  .map(({ outputs, ...rest }) => [
    create(PredictResponseSchema, { ...rest, outputs: outputs.map(([one, form]) => tensor(one, form)) }),
    create(PredictResponseSchema, {
      ...rest,
      outputs: outputs.map(([one, form]) => tensor(one, PLAIN_FORM[form])),
    }),
  ]);

const text = (octets: Uint8Array) => Buffer.from(octets).toString();

describe("what is written in pieces is what the library writes", () => {
  test("for any answer, in protobuf and JSON", async () => {
    await fc.assert(
      fc.asyncProperty(
        answers,
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        async ([packed, listed], itemId) => {
          expect(text(await encoder.encode(packed!, "json", memoryOf()))).toBe(
            JSON.stringify(toJson(PredictResponseSchema, listed!)),
          );
          expect(text(await encoder.encode(packed!, "plain", memoryOf()))).toBe(
            `${JSON.stringify(toJson(PredictResponseSchema, listed!, { useProtoFieldName: true }))}\n`,
          );
          expect(Buffer.from(await encoder.encode(packed!, "binary", memoryOf()))).toEqual(
            Buffer.from(toBinary(PredictResponseSchema, listed!)),
          );
          const item = create(PredictStreamResponseSchema, {
            itemId,
            result: { case: "response", value: listed! },
          });
          expect(text(await encoder.encodeItem(itemId, packed!, "json", memoryOf()))).toBe(
            JSON.stringify(toJson(PredictStreamResponseSchema, item)),
          );
          expect(Buffer.from(await encoder.encodeItem(itemId, packed!, "binary", memoryOf()))).toEqual(
            Buffer.from(toBinary(PredictStreamResponseSchema, item)),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each(Object.keys(ARRAYS) as (keyof typeof ARRAYS)[])("for %s beyond one piece", async (datatype) => {
    const [some] = fc.sample(
      ARRAYS[datatype].filter(({ length }) => length > 3),
      { numRuns: 1, seed: 7 },
    );
    const count = 20_000;
    const values = Array.from({ length: count }, (_, i) => some![i % some!.length]);
    const data =
      datatype === "BYTES"
        ? (values as string[])
        : (some!.constructor as unknown as { from(list: unknown[]): TensorData["data"] }).from(values);
    const one = { name: "y", datatype, shape: [1, count], data };
    const packed = create(PredictResponseSchema, {
      outputs: [tensor(one, "packed"), tensor(one, "raw texts")],
    });
    const listed = create(PredictResponseSchema, { outputs: [tensor(one, "listed"), tensor(one, "raw")] });
    expect(text(await encoder.encode(packed, "json", memoryOf()))).toBe(
      JSON.stringify(toJson(PredictResponseSchema, listed)),
    );
    expect(Buffer.from(await encoder.encode(packed, "binary", memoryOf()))).toEqual(
      Buffer.from(toBinary(PredictResponseSchema, listed)),
    );
    // Whoever does not know of it reads lists.
    expect(toJson(PredictResponseSchema, packed)).toEqual(toJson(PredictResponseSchema, listed));
    expect(isLargeAnswer(packed)).toBe(true);
  });
});

test.each(["é", "x".repeat(70_000), "", "日本".repeat(40)])(
  "raw texts like %j are written in pieces",
  async (one) => {
    const data = Array.from({ length: one.length > 1000 ? 9 : 9000 }, () => one);
    const texts = { name: "y", datatype: "BYTES" as const, shape: [1, data.length], data };
    const packed = create(PredictResponseSchema, { outputs: [tensor(texts, "raw texts")] });
    const plain = create(PredictResponseSchema, { outputs: [tensor(texts, "raw")] });
    expect(isLargeAnswer(packed)).toBe(true);
    expect(text(await encoder.encode(packed, "json", memoryOf()))).toBe(
      JSON.stringify(toJson(PredictResponseSchema, plain)),
    );
    expect(Buffer.from(await encoder.encode(packed, "binary", memoryOf()))).toEqual(
      Buffer.from(toBinary(PredictResponseSchema, plain)),
    );
  },
);

test("room for a prefix stands before an answer", async () => {
  const answer: PredictResponse = create(PredictResponseSchema, { modelName: "iris" });
  const octets = await encoder.encode(answer, "binary", memoryOf(), 5);
  expect([...octets.subarray(0, 6)]).toEqual([0, 0, 0, 0, 0, 10]);
});

test("an answer that waits for its turn is dropped when its call fails", async () => {
  const big = {
    name: "y",
    datatype: "FP64" as const,
    shape: [1, 4e5],
    data: new Float64Array(4e5).fill(0.1),
  };
  const answer = create(PredictResponseSchema, { outputs: [tensor(big, "packed")] });
  const first = encoder.encode(answer, "json", memoryOf());
  const memory = memoryOf();
  const second = encoder.encode(answer, "json", memory);
  memory.fail(new Error("the caller has gone"));
  await expect(second).rejects.toThrow("the caller has gone");
  expect((await first).length).toBeGreaterThan(1e6);
});
