import { create, type Message, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import {
  PredictRequestSchema,
  PredictRowsRequestSchema,
} from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { ModelInferRequestSchema } from "../../../../gen/inference/grpc_service_pb.ts";
import { decodeInSlices } from "../../../../src/edge/decode/binary-decoding.ts";
import { scanInSlices, scanMessage } from "../../../../src/edge/decode/wire-scan.ts";
import { LoopSlices } from "../../../../src/edge/memory/loop-slices.ts";
import type { AssayError } from "../../../../src/errors.ts";
import { wireTable } from "../../../../src/wire/wire-table.ts";
import { delimited, repeated } from "../../../support/clients/wire-octets.ts";

const MIB = 1_048_576;
const table = wireTable(PredictRequestSchema);

function refusal(bytes: Uint8Array, of = table): AssayError {
  try {
    scanMessage(of, bytes, 16 * MIB);
  } catch (error) {
    return error as AssayError;
  }
  throw new Error("it was taken");
}

const none = Buffer.alloc(0);
const entry = (key: string) => delimited(1, delimited(1, Buffer.from(key)));

describe("counts", () => {
  test.each<[string, Buffer, string]>([
    ["empty inputs", repeated(delimited(5, none), 8_000_000), "inputs: 8000000 came; at most 1024"],
    ["empty rows", repeated(delimited(6, none), 200_000), "rows: 200000 came; at most 65536"],
    ["empty output names", repeated(delimited(7, none), 5000), "output_names: 5000 came; at most 1024"],
    [
      "axes",
      delimited(5, delimited(3, Buffer.alloc(16 * MIB - 100, 1))),
      "inputs[0].shape: 16777116 came; at most 16",
    ],
    ["features", delimited(4, Buffer.alloc(4 * 30_000)), "features: 30000 came; at most 10000"],
    [
      "columns of a row",
      delimited(6, repeated(entry("a"), 20_000)),
      "rows[0].fields: 20000 came; at most 16384",
    ],
  ])("too many %s are refused with the field, what came and the limit", (_, bytes, message) => {
    const error = refusal(bytes);
    expect(error.reason).toBe(Reason.INVALID_REQUEST);
    expect(error.message).toContain(message);
    expect(error.violations[0]!.rule).toBe("repeated.max_items");
  });

  test.each<[string, Buffer, string]>([
    ["inputs", repeated(delimited(5, none), 8_000_000), "inputs: 8000000 came; at most 1024"],
    ["outputs", repeated(delimited(6, none), 5000), "outputs: 5000 came; at most 1024"],
    ["raw contents", repeated(delimited(7, none), 5000), "raw_input_contents: 5000 came; at most 1024"],
    ["parameters", repeated(delimited(4, none), 5000), "parameters: 5000 came; at most 1024"],
    [
      "parameters of an input",
      delimited(5, repeated(delimited(4, none), 5000)),
      "inputs[0].parameters: 5000 came; at most 64",
    ],
    ["axes", delimited(5, delimited(3, Buffer.alloc(5000, 1))), "inputs[0].shape: 5000 came; at most 16"],
  ])("too many %s of an inference request are refused alike", (_, bytes, message) => {
    const error = refusal(bytes, wireTable(ModelInferRequestSchema));
    expect(error.reason).toBe(Reason.INVALID_REQUEST);
    expect(error.message).toContain(message);
  });

  test("a list that is a little too long is left to the schema's rules, which name all that is wrong at once", () => {
    expect(() => scanMessage(table, repeated(delimited(5, none), 1100), MIB)).not.toThrow();
  });

  test("fields that the schema does not have are bounded", () => {
    expect(refusal(repeated(Buffer.from([0xf8, 0x01, 0]), 70_000)).message).toMatch(
      /65536 fields .* number 31/,
    );
  });

  test("a row whose value says the same field again and again is refused", () => {
    const value = repeated(Buffer.from([0x20, 1]), 200_000);
    const row = delimited(
      6,
      delimited(1, Buffer.concat([delimited(1, Buffer.from("a")), delimited(2, value)])),
    );
    expect(refusal(row).message).toMatch(/more than 131072 fields stand in one row/);
  });
});

test("what takes too much memory once it is decoded is refused by the factor, with raw_contents as the way out", () => {
  const error = refusal(delimited(5, delimited(4, delimited(3, Buffer.alloc(8 * MIB, 5)))));
  expect(error.reason).toBe(Reason.MESSAGE_TOO_LARGE);
  expect(error.message).toMatch(
    /273 MiB of memory or more .* 160 MiB .*10 times max-message-bytes, and a fifth of V8's heap.*raw_contents/,
  );
});

test("values within values are bounded in depth", () => {
  let value: Buffer = Buffer.from([8, 0]);
  for (let i = 0; i < 200; i++) value = delimited(6, delimited(1, value));
  const row = delimited(
    6,
    delimited(1, Buffer.concat([delimited(1, Buffer.from("a")), delimited(2, value)])),
  );
  expect(refusal(row).message).toMatch(/deeper than 100/);
});

test.each<[string, string, RegExp]>([
  ["a length beyond the end", "2a05", /ends in the middle/],
  ["a varint without an end", "22ffffff", /ends in the middle/],
  ["a field number 0", "00", /number 0/],
  ["an unknown wire type", "ff01", /wire type 7/],
  [
    "text in a field of numbers that are not packed so",
    "0d00000000",
    /32 bits for the field model_name, which takes a length/,
  ],
  ["a group that does not end", "fb01", /ends in the middle/],
])("%s is told", (_, hex, message) => {
  expect(refusal(Buffer.from(hex, "hex")).message).toMatch(message);
});

test("the estimate is no less than two thirds of what V8 takes for the dearest forms", () => {
  // Measured: bytes of heap an element, Node 24.
  const cost = (bytes: Buffer) => scanMessage(table, bytes, 64 * MIB).heapBytes;
  const contents = (bytes: Buffer) => delimited(5, delimited(4, bytes));
  expect(cost(contents(delimited(3, Buffer.alloc(100_000, 5))))).toBeGreaterThan(34 * 100_000 * 0.66);
  expect(cost(contents(repeated(delimited(8, none), 100_000)))).toBeGreaterThan(115 * 100_000 * 0.66);
  expect(cost(contents(delimited(6, Buffer.alloc(400_000))))).toBeGreaterThan(28 * 100_000 * 0.66);
});

describe("decoding in slices", () => {
  /** Up to `most`, as often few as many. */
  const count = (most: number) => fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: most }));
  // Made from their counts: a generator that keeps each value for shrinking takes a hundred times as long as the decoder.
  const TEXTS = ["", "a", "ä€", "\0", "😀 and more", "\u0080"];
  const numbers = (length: number, of: (index: number) => number) => Array.from({ length }, (_, i) => of(i));
  const tensor = fc
    .record({
      octets: count(50_000),
      integers: count(9000),
      floats: count(20_000),
      texts: count(4000),
      seed: fc.nat(),
    })
    .map(({ octets, integers, floats, texts, seed }) => ({
      name: TEXTS[seed % TEXTS.length],
      shape: numbers(seed % 4, (i) => seed * 257 ** i).map(BigInt),
      rawContents: Uint8Array.from(numbers(octets, (i) => (i * seed) >>> 3)),
      contents: {
        // Of each length that a varint has.
        int64Contents: numbers(integers, (i) => i + seed).map((i) =>
          BigInt.asIntN(64, BigInt(i) ** BigInt(i % 9)),
        ),
        fp32Contents: numbers(floats, (i) => Math.fround(seed / i)),
        bytesContents: numbers(texts, (i) => i + seed).map((i) => Buffer.from(TEXTS[i % TEXTS.length]!)),
      },
    }));
  const VALUES = [0, -1.5, Number.NaN, "", "a text", "ü", true, false];
  const rows = fc
    .record({ length: count(2000), seed: fc.nat() })
    .map(({ length, seed }) =>
      Array.from({ length }, (_, row) =>
        Object.fromEntries(
          numbers((row + seed) % 6, (column) => column + row).map((i) => [
            `c${i % 7}`,
            VALUES[(i + seed) % VALUES.length]!,
          ]),
        ),
      ),
    );
  const items = fc.array(
    fc.record({
      itemId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      request: fc.record({ modelName: fc.string(), inputs: fc.array(tensor, { maxLength: 3 }), rows }),
    }),
    { maxLength: 4 },
  );

  test("reads what protobuf-es reads at once", async () => {
    await fc.assert(
      fc.asyncProperty(items, async (value) => {
        const message = create(PredictRowsRequestSchema, { items: value } as never);
        const bytes = toBinary(PredictRowsRequestSchema, message);
        const rowsTable = wireTable(PredictRowsRequestSchema);
        expect(await scanInSlices(rowsTable, bytes, 64 * MIB, new LoopSlices())).toEqual(
          scanMessage(rowsTable, bytes, 64 * MIB),
        );
        const sliced: Message = await decodeInSlices(PredictRowsRequestSchema, bytes, new LoopSlices());
        const again = toBinary(PredictRowsRequestSchema, sliced as typeof message);
        expect(Buffer.compare(again, bytes)).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  test("fields that the schema does not have are not kept", async () => {
    const unknown = delimited(31, Buffer.alloc(100_000));
    const bytes = Buffer.concat([unknown, delimited(1, Buffer.from("m")), unknown]);
    const message = await decodeInSlices(PredictRequestSchema, bytes, new LoopSlices());
    expect(message).toEqual(create(PredictRequestSchema, { modelName: "m" }));
    expect(message.$unknown).toBeUndefined();
  });
});
