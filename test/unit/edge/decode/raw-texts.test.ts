import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  type PredictRequest,
  PredictRequestSchema,
  type PredictRowsRequest,
  PredictRowsRequestSchema,
  type PredictStreamRequest,
  PredictStreamRequestSchema,
} from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { MessageDecoder } from "../../../../src/edge/decode/message-decoder.ts";
import { hasRawTexts, readRawTexts } from "../../../../src/edge/decode/raw-texts.ts";
import { CallMemory } from "../../../../src/edge/memory/call-memory.ts";
import { LoopSlices } from "../../../../src/edge/memory/loop-slices.ts";
import { createMemoryBudget } from "../../../../src/edge/memory/memory-budget.ts";
import { RawTextTensor } from "../../../../src/tensor/raw-text-tensor.ts";
import { rawContents } from "../../../../src/tensor/tensor-contents.ts";
import { LIMITS } from "../../../support/servers/fake-services.ts";

const TEXTS = Array.from({ length: 20_000 }, (_, i) => `text ${i}`);
const octetsOf = (texts: readonly string[]) =>
  rawContents({ datatype: "BYTES", data: texts, shape: [texts.length], name: "x" });
const tensor = (more: object = {}) => ({
  name: "x",
  datatype: "BYTES",
  shape: [2n, BigInt(TEXTS.length / 2)],
  rawContents: octetsOf(TEXTS),
  ...more,
});
const requestOf = (...inputs: object[]) =>
  create(PredictRequestSchema, { modelName: "m", inputs: inputs as PredictRequest["inputs"] });
const memoryOf = () => new CallMemory(createMemoryBudget(1e9));
const read = async (message: PredictRequest) => {
  const memory = memoryOf();
  const heldBytes = await readRawTexts(message, memory, new LoopSlices());
  expect(memory.budget.heldBytes).toBe(heldBytes);
  memory.end();
  expect(memory.budget.heldBytes).toBe(0);
  return message.inputs[0]!;
};

test("raw texts are read, and the message stays the same", async () => {
  const message = requestOf(tensor());
  const octets = toBinary(PredictRequestSchema, message);
  expect(hasRawTexts(message)).toBe(true);
  const input = await read(message);
  expect(input).toBeInstanceOf(RawTextTensor);
  expect((input as RawTextTensor).texts).toEqual(TEXTS);
  expect(Buffer.from(toBinary(PredictRequestSchema, message)).equals(octets)).toBe(true);
  expect(hasRawTexts(message)).toBe(false);
});

test.each<[string, object]>([
  ["of a count that the shape does not say", { shape: [20_001n] }],
  ["fewer than came", { shape: [19_999n] }],
  ["of a negative shape", { shape: [-20_000n] }],
  ["of a shape beyond all numbers", { shape: [2n ** 62n, 2n ** 62n] }],
  ["with a NUL", { rawContents: octetsOf([...TEXTS.slice(1), "a\0"]) }],
  ["cut off", { rawContents: octetsOf(TEXTS).subarray(0, -1) }],
  ["that are no UTF-8", { rawContents: octetsOf(TEXTS).fill(0xff, -3) }],
  ["beside contents", { contents: { bytesContents: [] } }],
  ["of another datatype", { datatype: "FP32" }],
])("raw contents %s stay, for the service to say what is wrong", async (_, more) => {
  const given = requestOf(tensor(more));
  const expected = toBinary(PredictRequestSchema, given);
  const input = await read(given);
  expect(input).not.toBeInstanceOf(RawTextTensor);
  expect(Buffer.from(toBinary(PredictRequestSchema, given)).equals(expected)).toBe(true);
});

const LARGE = Array.from({ length: 40_000 }, (_, i) => `text ${i}`);
const large = requestOf({ ...tensor(), shape: [BigInt(LARGE.length)], rawContents: octetsOf(LARGE) });

test.each([
  ["request", PredictRequestSchema, large, (message: unknown) => message as PredictRequest],
  [
    "item",
    PredictStreamRequestSchema,
    create(PredictStreamRequestSchema, { itemId: 1n, request: large }),
    (message: unknown) => (message as PredictStreamRequest).request!,
  ],
  [
    "list of items",
    PredictRowsRequestSchema,
    create(PredictRowsRequestSchema, { items: [{ itemId: 1n }, { itemId: 2n, request: large }] }),
    (message: unknown) => (message as PredictRowsRequest).items[1]!.request!,
  ],
] as const)(
  "the decoder hands on a large %s with its texts, and counts them",
  async (_, desc, message, of) => {
    const decoder = new MessageDecoder(LIMITS);
    const memory = memoryOf();
    const bytes = toBinary(desc, message as never);
    expect(memory.take(bytes.length)).toBeUndefined();
    const decoded = await decoder.decode({ desc, isJson: false }, bytes, memory);
    const input = of(decoded.message).inputs[0]!;
    expect(input).toBeInstanceOf(RawTextTensor);
    expect((input as RawTextTensor).texts).toEqual(LARGE);
    expect(decoded.decodedBytes).toBeGreaterThan(LARGE.length * 32);
    expect(memory.budget.heldBytes).toBe(decoded.heldBytes);
    memory.give(decoded.heldBytes, decoded.decodedBytes);
    expect(memory.budget.heldBytes).toBe(0);
  },
);

test("what was read by hand is readied the same, and a call that fails meanwhile is not waited for", async () => {
  const decoder = new MessageDecoder(LIMITS);
  const memory = memoryOf();
  const message = requestOf({ ...tensor(), shape: [BigInt(LARGE.length)], rawContents: octetsOf(LARGE) });
  const ready = await decoder.ready(message, new Uint8Array(500_000), memory);
  expect(message.inputs[0]).toBeInstanceOf(RawTextTensor);
  expect(memory.budget.heldBytes).toBe(ready.decodedBytes);
  expect(ready.heldBytes).toBe(500_000 + ready.decodedBytes);
  const gone = memoryOf();
  gone.fail(new Error("the caller has gone"));
  await expect(decoder.ready(requestOf(tensor()), new Uint8Array(300_000), gone)).rejects.toThrow("gone");
});
