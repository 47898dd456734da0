import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ModelProtoSchema } from "../../../../gen/onnx/onnx-ml_pb.ts";
import { NEWEST_IR_VERSION, NEWEST_OPSETS } from "../../../../src/model/repair/runtime-limits.ts";
import { openBareSession } from "../../../support/models/bare-session.ts";
import { buildModel, node, tensorInfo } from "../../../support/models/model-builder.ts";

const opens = (irVersion: number, opsets: Record<string, number>) =>
  openBareSession(
    buildModel({
      irVersion,
      opsets,
      inputs: [tensorInfo("x", "FLOAT", [null])],
      outputs: [tensorInfo("y", "FLOAT", [null])],
      nodes: [node("Identity", ["x"], ["y"])],
    }),
  ).then(
    async (session) => {
      await session.release();
      return true;
    },
    () => false,
  );

test("the newest IR version is the one that the runtime takes", async () => {
  expect(await opens(NEWEST_IR_VERSION, { "": 17 })).toBe(true);
  expect(await opens(NEWEST_IR_VERSION + 1, { "": 17 })).toBe(false);
});

test.each(Object.entries(NEWEST_OPSETS))(
  "the newest opset of %s is the one that the runtime takes",
  async (domain, newest) => {
    const opsets = (version: number) =>
      domain === "ai.onnx" ? { "": version } : { "": 17, [domain]: version };
    expect(await opens(8, opsets(newest))).toBe(true);
    expect(await opens(8, opsets(newest + 1))).toBe(false);
  },
);

test("a field of the file that is not known keeps its IR version from being lowered", async () => {
  const { refusedReason } = await import("../../../support/models/prepare.ts");
  const bytes = buildModel({
    irVersion: 14,
    inputs: [tensorInfo("x", "FLOAT", [null])],
    outputs: [tensorInfo("y", "FLOAT", [null])],
    nodes: [node("Identity", ["x"], ["y"])],
  });
  const model = fromBinary(ModelProtoSchema, bytes);
  model.$unknown = [{ no: 99, wireType: 0, data: Uint8Array.of(1) }];
  expect(refusedReason(toBinary(ModelProtoSchema, model))).toContain("IR version 14");
});
