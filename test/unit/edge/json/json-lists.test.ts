import { toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type PredictRequest, PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { JsonDecoding } from "../../../../src/edge/decode/json-decoding.ts";
import { TENSOR_DATA } from "../../../../src/edge/plain/tensor-data.ts";
import { PackedContents } from "../../../../src/tensor/packed-contents.ts";

const MANY = 20_000;
const options = { maxMessageBytes: 2 ** 24, ignoreUnknownFields: false, aliases: TENSOR_DATA };

function decoded(request: unknown, steps: { count: number } = { count: 0 }): PredictRequest {
  const decoding = new JsonDecoding(PredictRequestSchema, Buffer.from(JSON.stringify(request)), options);
  while (!decoding.step()) steps.count++;
  return decoding.message as PredictRequest;
}

/** The same read a hundred values at a time, which is never in pieces. */
function decodedInParts(list: unknown[], asTensor: (part: unknown[]) => object): unknown[] {
  const values: unknown[] = [];
  for (let from = 0; from < list.length; from += 100) {
    const [tensor] = decoded({ inputs: [asTensor(list.slice(from, from + 100))] }).inputs;
    values.push(...tensor!.contents!.bytesContents.map((octets) => new Uint8Array(octets)));
  }
  return values;
}

const TEXTS = Array.from(
  { length: MANY },
  (_, i) => ["", "a", "ä€", "\ufeffx", "😀"][i % 5]! + "y".repeat(i % 40),
);

describe("many texts", () => {
  test.each(["bytes_contents", "bytesContents"])(
    "in %s are read as strings, with the octets of few",
    (name) => {
      const list = TEXTS.map((text) => Buffer.from(text).toString("base64"));
      const tensor = (part: unknown[]) => ({ name: "x", datatype: "BYTES", contents: { [name]: part } });
      const [input] = decoded({ inputs: [tensor(list)] }).inputs;
      expect(input!.contents).toBeInstanceOf(PackedContents);
      expect((input!.contents as PackedContents).values).toEqual(TEXTS);
      expect(input!.contents!.bytesContents).toEqual(decodedInParts(list, tensor));
    },
  );

  test("in data are read as strings, with the octets of few", () => {
    const list = TEXTS.map((text, i) => (i % 7 === 0 ? `${text}\ud800` : text));
    const tensor = (part: unknown[]) => ({ name: "x", datatype: "BYTES", shape: [part.length], data: part });
    const [input] = decoded({ inputs: [tensor(list)] }).inputs;
    expect(input!.contents).toBeInstanceOf(PackedContents);
    expect(input!.contents!.bytesContents).toEqual(decodedInParts(list, tensor));
  });

  test.each([
    ["that are no text", Buffer.from([0xff])],
    ["with a NUL", Buffer.from("a\0")],
  ])("%s are told with their octets, for whoever judges them", (_, octets) => {
    const list = [...TEXTS.map((text) => Buffer.from(text)), octets].map((one) => one.toString("base64"));
    const tensor = { name: "x", datatype: "BYTES", contents: { bytes_contents: list } };
    const contents = decoded({ inputs: [tensor] }).inputs[0]!.contents as PackedContents;
    expect(contents.values).toHaveLength(MANY + 1);
    expect(contents.wrong).toMatchObject({ count: 1, kept: [{ index: MANY }] });
    expect(Buffer.from(contents.wrong!.kept[0]!.octets)).toEqual(octets);
  });

  test("in data with a NUL are told with their octets", () => {
    const tensor = { name: "x", datatype: "BYTES", shape: [MANY + 1], data: [...TEXTS, "a\0"] };
    const { wrong } = decoded({ inputs: [tensor] }).inputs[0]!.contents as PackedContents;
    expect(wrong).toMatchObject({ count: 1, kept: [{ index: MANY, octets: Uint8Array.of(0x61, 0) }] });
  });

  test("that are no base64 are named", () => {
    const list = [...TEXTS.map(() => "YQ=="), "?"];
    const tensor = { name: "x", datatype: "BYTES", contents: { bytes_contents: list } };
    expect(() => decoded({ inputs: [tensor] })).toThrow(
      `inputs[0].contents.bytes_contents[${MANY}]: "?" came; octets in base64 is expected`,
    );
  });

  test("of which the last data is no text are named", () => {
    const tensor = { name: "x", datatype: "BYTES", shape: [MANY + 1], data: [...TEXTS, 5] };
    expect(() => decoded({ inputs: [tensor] })).toThrow(
      `inputs[0].data[${MANY}]: 5 came; a text is expected`,
    );
  });
});

describe("many nested values", () => {
  const nest = (rows: number, columns: number) =>
    Array.from({ length: rows }, (_, row) =>
      Array.from({ length: columns }, (__, column) => row + column / 2),
    );

  test("are those of flat data, read in pieces", () => {
    const list = nest(MANY, 3);
    const steps = { count: 0 };
    const nested = decoded({ inputs: [{ datatype: "FP32", shape: [MANY, 3], data: list }] }, steps);
    const flat = decoded({ inputs: [{ datatype: "FP32", shape: [MANY, 3], data: list.flat() }] });
    expect(nested).toEqual(flat);
    expect(steps.count).toBeGreaterThan(2 * 4);
  });

  test.each([
    [
      "a longer list",
      [...nest(MANY - 1, 3), [1, 2, 3, 4]],
      "has a list of 4 items on axis 1; the shape says 3",
    ],
    ["a value beside lists", [...nest(MANY - 1, 3), 1], "is nested unevenly: 1 stands beside lists"],
    ["a deeper list", [...nest(MANY - 1, 3), [1, 2, [3]]], "has lists on axis 2; the shape has only 2 axes"],
  ])("with %s at the end are refused", (_, data, what) => {
    expect(() => decoded({ inputs: [{ datatype: "FP32", shape: [MANY, 3], data }] })).toThrow(what);
  });
});

test("many objects are read in pieces, with what stands in each, in order", () => {
  const inputs = Array.from({ length: 1000 }, (_, i) => ({
    name: `x${i}`,
    datatype: "FP32",
    shape: [1],
    contents: { fp32_contents: [i] },
  }));
  const steps = { count: 0 };
  const whole = decoded({ inputs }, steps);
  const parts = inputs.flatMap((input) => decoded({ inputs: [input] }).inputs);
  expect(toBinary(PredictRequestSchema, whole)).toEqual(
    toBinary(PredictRequestSchema, { ...whole, inputs: parts }),
  );
  expect(steps.count).toBeGreaterThanOrEqual(3);
  const faulty = [...inputs, { name: 5 }];
  expect(() => decoded({ inputs: faulty })).toThrow("inputs[1000].name: 5 came; a text is expected");
});
