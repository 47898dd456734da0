import { expect, test } from "vitest";
import { unknownMember } from "../../../../src/edge/json/member-names.ts";

const TENSOR = ["name", "datatype", "shape", "contents", "raw_contents"];

test("data, where protobuf's JSON has contents, is told how values are written there", () => {
  expect(unknownMember("data", TENSOR, "inputs[0]")).toMatch(/no member "data"; values stand in "contents"/);
});

test.each([
  ["shap", "shape"],
  ["dtype", "datatype"],
])("%s has the hint %s", (name, meant) => {
  expect(unknownMember(name, TENSOR, "inputs[0]")).toBe(
    `inputs[0] has no member "${name}"; did you mean "${meant}"?`,
  );
});
