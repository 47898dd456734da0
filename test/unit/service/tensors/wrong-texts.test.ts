import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type PredictRequest, PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { decodeInSlices } from "../../../../src/edge/decode/binary-decoding.ts";
import { readRawTexts } from "../../../../src/edge/decode/raw-texts.ts";
import { CallMemory } from "../../../../src/edge/memory/call-memory.ts";
import { LoopSlices } from "../../../../src/edge/memory/loop-slices.ts";
import { createMemoryBudget } from "../../../../src/edge/memory/memory-budget.ts";
import type { AssayError } from "../../../../src/errors.ts";
import { createViolations } from "../../../../src/service/check/violations.ts";
import { checkInputs } from "../../../../src/service/tensors/tensor-inputs.ts";
import { PackedContents } from "../../../../src/tensor/packed-contents.ts";
import { WrongTextTensor } from "../../../../src/tensor/wrong-texts.ts";
import { signature, spec } from "../../../support/models/signatures.ts";

const ROWS = signature([spec("x", "BYTES", [-1, -1])]);
const NO_ROWS = signature([spec("x", "BYTES", [-1, -1])], { batching: "no-batch-dimension" });
const COUNT = 24_000;

/** One in `every` is no text, in turns for one reason and the other. */
const textsWith = (every: number) =>
  Array.from({ length: COUNT }, (_, i) =>
    i % every === 0 ? (i % 2 === 0 ? Buffer.of(0xc3, 0x28) : Buffer.from("a\0b")) : Buffer.from(`text ${i}`),
  );

function raw(elements: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    elements.flatMap((element) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(element.length);
      return [length, element];
    }),
  );
}

function requestOf(rows: number, more: object): PredictRequest {
  const shape = [BigInt(rows), BigInt(COUNT / rows)];
  return create(PredictRequestSchema, { inputs: [{ name: "x", datatype: "BYTES", shape, ...more }] });
}

/** What a caller is told. */
function refusal({ inputs }: PredictRequest, model = ROWS): unknown {
  const violations = createViolations();
  expect(checkInputs(inputs, model, violations)).toBeUndefined();
  try {
    violations.throwIfAny();
  } catch (error) {
    const { message, violationCount, violations: kept } = error as AssayError;
    const told = kept.map(({ field, rule, description }) => ({ field, rule, description }));
    return { message, violationCount, told };
  }
  throw new Error("nothing was wrong");
}

const inPieces = async (request: PredictRequest): Promise<PredictRequest> => {
  await readRawTexts(request, new CallMemory(createMemoryBudget(1e9)), new LoopSlices());
  return request;
};

// Every text alone, in rows of many, all in one row; all wrong, some, few.
const SHAPES = [COUNT, 4000, 40, 1].flatMap((rows) => [1, 7, 5000].map((every) => [rows, every] as const));

test.each(SHAPES)(
  "of %d rows with each %d-th text wrong, pieces tell what a look at all tells",
  async (rows, every) => {
    const texts = textsWith(every);
    const rawContents = raw(texts);
    const read = await inPieces(requestOf(rows, { rawContents }));
    expect(read.inputs[0]).toBeInstanceOf(WrongTextTensor);
    const typed = requestOf(rows, { contents: { bytesContents: texts } });
    const octets = toBinary(PredictRequestSchema, typed);
    const packed = (await decodeInSlices(PredictRequestSchema, octets, new LoopSlices())) as PredictRequest;
    expect(packed.inputs[0]!.contents).toBeInstanceOf(PackedContents);
    for (const model of [ROWS, NO_ROWS]) {
      expect(refusal(read, model)).toEqual(refusal(requestOf(rows, { rawContents }), model));
      expect(refusal(packed, model)).toEqual(refusal(typed, model));
    }
  },
);

test("octets that are not so many texts are told as when they are looked at whole", async () => {
  const rawContents = raw(textsWith(COUNT)).subarray(0, -1);
  const read = await inPieces(requestOf(1, { rawContents }));
  expect(read.inputs[0]).toBeInstanceOf(WrongTextTensor);
  expect(refusal(read)).toEqual(refusal(requestOf(1, { rawContents })));
});
