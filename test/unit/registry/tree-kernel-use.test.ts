import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ModelConfigSchema, TreeKernel } from "../../../gen/assay/config/v1/model_config_pb.ts";
import type { GoldenCase } from "../../../src/model/prepared-model.ts";
import { describeTreeKernel, treeOptions } from "../../../src/registry/tree-kernel-use.ts";

function model(treeKernel: TreeKernel, goldenCases: readonly GoldenCase[] = [], hasTrees = true) {
  return { config: create(ModelConfigSchema, { treeKernel }), goldenCases, hasTrees };
}

const { TREE_KERNEL_UNSPECIFIED, AUTO, OFF } = TreeKernel;

test("a model's config.json says what runs its trees, and the server where that says nothing", () => {
  const auto = { treeKernel: "auto" };
  const off = { treeKernel: "off" };
  expect(treeOptions(model(TREE_KERNEL_UNSPECIFIED), auto)).toEqual({ treeRows: [] });
  expect(treeOptions(model(TREE_KERNEL_UNSPECIFIED), off)).toEqual({});
  expect(treeOptions(model(OFF), auto)).toEqual({});
  expect(treeOptions(model(AUTO), off)).toEqual({ treeRows: [] });
  expect(treeOptions(model(AUTO, [], false), auto)).toEqual({});
});

test("trees are compared by golden rows, up to 4,096 of them", () => {
  const golden = (rows: number): GoldenCase => ({
    inputs: [{ name: "x", datatype: "FP32", shape: [rows, 1], data: new Float32Array(rows) }],
    outputs: [],
    tolerance: { abs: 0, rel: 0 },
  });
  const cases = [golden(4_000), golden(96), golden(1)];
  const { treeRows } = treeOptions(model(AUTO, cases), { treeKernel: "auto" });
  expect(treeRows).toEqual([cases[0]!.inputs, cases[1]!.inputs]);
});

test("what runs trees is told in one line", () => {
  expect(describeTreeKernel({ isUsed: true, reason: "3 trees agree" })).toBe("run by Assay: 3 trees agree");
  expect(describeTreeKernel({ isUsed: false, reason: "Sin stands behind the trees" })).toBe(
    "run by ONNX Runtime: Sin stands behind the trees",
  );
});
