import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../../../src/errors.ts";
import type { MappedTensor } from "../../../../src/job/columns/column-mapping.ts";
import { refusedRows } from "../../../../src/job/results/refused-rows.ts";
import { toMessage } from "../../../support/models/tensor-messages.ts";

const column = (name: string) => ({
  element: name,
  column: `the ${name}`,
  kind: "float" as const,
  vectorIndex: 0,
});
const tensors: MappedTensor[] = [
  { name: "v", datatype: "FP32", tailShape: [2], columns: [column("a"), column("b")] },
  { name: "s", datatype: "BYTES", tailShape: [1], columns: [column("s")] },
];
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
// The request has its tensors in another order than the mapping.
const request = create(PredictRequestSchema, {
  inputs: [
    toMessage({ name: "s", datatype: "BYTES", shape: [4, 1], data: ["", "", "", ""] }, true),
    toMessage(
      {
        name: "v",
        datatype: "FP32",
        shape: [4, 2],
        data: Float32Array.of(1, nan, nan, infinity, 5, 6, infinity, nan),
      },
      true,
    ),
  ],
});

function refused(
  violations: readonly (readonly [string, string, string])[],
  violationCount = violations.length,
) {
  const listed = violations.map(([field, description, rule]) => ({ field, description, rule }));
  const error = new AssayError(Reason.INVALID_REQUEST, "refused", { violations: listed, violationCount });
  return Object.fromEntries(refusedRows(error, request, tensors));
}

test("elements name their row and column, in either form of contents", () => {
  expect(
    refused([
      ["inputs[0].contents.bytes_contents[2]", "a NUL came", "value.nul"],
      ["inputs[1].raw_contents[0][1]", "NaN came", "value.nan"],
      ["inputs[1].raw_contents[2][0]", "too large", "value.range"],
      ['rows[3].fields["a"]', "of another form", "x"],
    ]),
  ).toEqual({
    0: 'column "the b": NaN came',
    2: 'column "the s": a NUL came; column "the a": too large',
    3: 'column "a": of another form',
  });
});

test("what names no row is no row's", () => {
  expect(
    refused([
      ["inputs[1].shape", "wrong", "signature.shape"],
      ["inputs[7].raw_contents[0]", "x", "y"],
      ["", "x", "y"],
    ]),
  ).toEqual({});
});

test("of a list that was cut, all rows with the same missing or infinite floats are refused", () => {
  const violations = [["inputs[1].raw_contents[0][1]", "NaN came", "value.nan"]] as const;
  expect(refused(violations)).toEqual({ 0: 'column "the b": NaN came' });
  expect(refused(violations, 5)).toEqual({
    0: 'column "the b": NaN came',
    1: 'column "the a": NaN came',
    3: 'column "the b": NaN came',
  });
  expect(
    Object.keys(refused([["inputs[1].raw_contents[1][1]", "Infinity came", "value.finite"]], 3)),
  ).toEqual(["1", "3"]);
});
