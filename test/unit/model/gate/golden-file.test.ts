import { describe, expect, it } from "vitest";
import { DEFAULT_TOLERANCE, readGoldenFile } from "../../../../src/model/gate/golden-file.ts";

const tensor = { name: "x", datatype: "FP32", shape: [2], data: [1, null] };

describe("readGoldenFile", () => {
  it("reads cases with tensors as a list or by name", () => {
    const byName = { x: { datatype: "FP32", shape: [2], data: [1, null] } };
    const text = JSON.stringify([
      { inputs: [tensor], outputs: [tensor], tolerance: { abs: 1, rel: 2 } },
      { inputs: byName, outputs: byName, tolerance: { abs: 1 } },
    ]);
    const data = Float32Array.of(1, Number.NaN);
    const wanted = [{ name: "x", datatype: "FP32", shape: [2], data }];
    expect(readGoldenFile(text)).toEqual([
      { inputs: wanted, outputs: wanted, tolerance: { abs: 1, rel: 2 } },
      { inputs: wanted, outputs: wanted, tolerance: { abs: 1, rel: 0 } },
    ]);
  });

  it("reads one case that stands alone, with the default tolerance", () => {
    const [one] = readGoldenFile(JSON.stringify({ inputs: [tensor], outputs: [tensor] }));
    expect(one?.tolerance).toEqual(DEFAULT_TOLERANCE);
  });

  it.each([
    ["text that is no JSON", "{", /golden\.json: not JSON/],
    ["an empty list", "[]", /an empty list/],
    ["a case that is a number", "[1]", /case 0: 1 came/],
    ["no outputs", JSON.stringify({ inputs: [tensor] }), /case 0: outputs: missing/],
    [
      "an empty list of inputs",
      JSON.stringify({ inputs: [], outputs: [tensor] }),
      /case 0: inputs: no tensor/,
    ],
    [
      "a tensor without a name",
      JSON.stringify({ inputs: [{ ...tensor, name: "" }], outputs: [] }),
      /no name/,
    ],
    [
      "a wrong value",
      JSON.stringify([{ inputs: [tensor], outputs: [{ ...tensor, data: [1, "a"] }] }]),
      /case 0: outputs: "x": data\[1\] is "a"/,
    ],
    [
      "a negative tolerance",
      JSON.stringify({ inputs: [tensor], outputs: [tensor], tolerance: { abs: -1 } }),
      /case 0: tolerance is/,
    ],
  ])("refuses %s by case and tensor", (_, text, pattern) => {
    expect(() => readGoldenFile(text)).toThrow(pattern);
  });
});
