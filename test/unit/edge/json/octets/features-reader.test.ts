import fc from "fast-check";
import { expect, test } from "vitest";
import { type PredictRequest, PredictRequestSchema } from "../../../../../gen/assay/v1/scoring_service_pb.ts";
import { JsonDecoding } from "../../../../../src/edge/decode/json-decoding.ts";
import { FeaturesReader } from "../../../../../src/edge/json/octets/features-reader.ts";
import { CallMemory } from "../../../../../src/edge/memory/call-memory.ts";
import { createMemoryBudget } from "../../../../../src/edge/memory/memory-budget.ts";

const OPTIONS = { maxMessageBytes: 2 ** 20, ignoreUnknownFields: false };
const reader = new FeaturesReader();
const plain = (body: string) => reader.read(Buffer.from(body));

/** By the general reader; undefined where it refuses the body. */
function general(body: string): PredictRequest | undefined {
  try {
    const decoding = new JsonDecoding(PredictRequestSchema, Buffer.from(body), OPTIONS);
    while (!decoding.step());
    return decoding.message as PredictRequest;
  } catch {
    return undefined;
  }
}

/** What it asks for, with the numbers bit for bit. */
function meaning({
  features,
  modelName,
  modelVersion,
  requestId,
  inputs,
  rows,
  outputNames,
}: PredictRequest) {
  const octets = Buffer.from(Float64Array.from(features).buffer).toString("hex");
  return { octets, modelName, modelVersion, requestId, inputs, rows, outputNames };
}

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.integer().map(String),
  fc.constantFrom(
    "0",
    "-0",
    "1e5",
    "1E+5",
    "1.5e-7",
    "123456789012345678901",
    "5e-324",
    "1e400",
    "null",
    "NaN",
    "01",
    "1.",
    ".5",
    "+1",
    "true",
  ),
);
const text = fc.oneof(
  fc.constantFrom('"m"', '"iris"', '""', '"1"', "1", "null"),
  fc.string({ unit: "grapheme", maxLength: 80 }).map((value) => JSON.stringify(value)),
);
const space = fc.constantFrom("", "", "", " ", "\n  ", "\t", "\u000b");
const member = fc.oneof(
  { weight: 6, arbitrary: fc.array(number, { maxLength: 8 }).map((all) => `"features":[${all.join(",")}]`) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          "model_name",
          "modelName",
          "model_version",
          "modelVersion",
          "request_id",
          "requestId",
        ),
        text,
      )
      .map(([name, value]) => `"${name}": ${value}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '"features":[[1,2]]',
      '"rows":[{"a":1}]',
      '"output_names":["*"]',
      '"featurs":[1]',
      '"a":1',
      "",
    ),
  },
);
const body = fc
  .tuple(
    space,
    fc.array(fc.tuple(member, space), { minLength: 1, maxLength: 4 }),
    space,
    fc.constantFrom("", "", "", "", "x", ",", "}"),
  )
  .map(
    ([before, members, after, end]) =>
      `${before}{${members.map(([one, gap]) => `${gap}${one}${gap}`).join(",")}}${after}${end}`,
  );

test("what is read from the octets is what the general reader reads, bit for bit", () => {
  fc.assert(
    fc.property(body, (text) => {
      const read = plain(text);
      if (read === undefined) return;
      const right = general(text);
      expect(right, text).toBeDefined();
      expect(meaning(read)).toEqual(meaning(right!));
    }),
    { numRuns: 3000 },
  );
});

test("the form that clients send is read from the octets", () => {
  const thirty = Array.from({ length: 30 }, (_, index) => Math.sin(index + 1));
  for (const text of [
    JSON.stringify({ features: thirty }),
    JSON.stringify({ features: thirty.map(Math.fround), model_name: "iris", request_id: "a-1" }),
    JSON.stringify({ modelName: "iris", modelVersion: "stable", features: [5.1, 3.5, 1.4, 0.2] }, null, 2),
    ' {"features": [1]}\n',
  ]) {
    expect(plain(text), text).toBeDefined();
    expect(meaning(plain(text)!)).toEqual(meaning(general(text)!));
  }
});

test.each([
  ["features twice", '{"features":[1],"features":[2]}'],
  ["a name in both spellings", '{"model_name":"a","modelName":"b","features":[1]}'],
  ["no features", '{"model_name":"a"}'],
  ["an empty list", '{"features":[]}'],
  ["a matrix", '{"features":[[1,2]]}'],
  ["a missing number", '{"features":[1,null]}'],
  ["a number that no double holds", '{"features":[1e400]}'],
  ["text that goes on", '{"features":[1]}}'],
  ["text that is cut off", '{"features":[1,2'],
  ["an escape", '{"model_name":"\\u0061","features":[1]}'],
  ["a name that is no text", '{"model_name":1,"features":[1]}'],
  ["more numbers than are kept", `{"features":[${"1,".repeat(1024)}1]}`],
])("%s is left to the general reader", (_, text) => {
  expect(plain(text)).toBeUndefined();
});

test("a request is counted in the place of its octets", () => {
  const budget = createMemoryBudget(2 ** 20);
  const memory = new CallMemory(budget);
  const bytes = Buffer.from(JSON.stringify({ features: new Array(100).fill(0.123456789) }));
  expect(memory.take(bytes.length)).toBeUndefined();
  const { features } = reader.request(bytes, memory)!;
  expect(features).toHaveLength(100);
  expect(budget.heldBytes).toBe(512 + 800);
  memory.end();
  expect(budget.heldBytes).toBe(0);
});
