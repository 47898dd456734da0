import { expect, test } from "vitest";
import { sessionName } from "../../../../src/model/repair/session-names.ts";
import { runBare } from "../../../support/models/bare-session.ts";
import { buildModel, node, tensorInfo } from "../../../support/models/model-builder.ts";
import { prepared } from "../../../support/models/prepare.ts";

test("only names that every object has are others in a session", () => {
  expect(["x", "constructor_", "input:0", "prototype"].map((name) => sessionName(name))).toEqual([
    "x",
    "constructor_",
    "input:0",
    "prototype",
  ]);
  for (const name of ["__proto__", "constructor", "toString"]) expect(sessionName(name)).not.toBe(name);
});

test.each([
  ["an input", "__proto__", "y"],
  ["an output", "x", "constructor"],
  ["both", "constructor", "toString"],
])("%s of such a name is fed and fetched by the other one", async (_, input, output) => {
  const model = prepared(
    buildModel({
      inputs: [tensorInfo(input, "FLOAT", [null])],
      outputs: [tensorInfo(output, "FLOAT", [null])],
      nodes: [node("Neg", [input], [output])],
    }),
  );
  expect(model.signature.inputs[0]?.name).toBe(input);
  expect(model.signature.outputs[0]?.name).toBe(output);
  const data = Float32Array.of(1, 2);
  const [came] = await runBare(model.bytes, [
    { name: sessionName(input), datatype: "FP32", shape: [2], data },
  ]);
  expect(came).toMatchObject({ name: sessionName(output), data: Float32Array.of(-1, -2) });
});

test("a value that only passes through is fed and fetched under one name", async () => {
  const model = prepared(
    buildModel({
      inputs: [tensorInfo("constructor", "FLOAT", [null])],
      outputs: [tensorInfo("constructor", "FLOAT", [null]), tensorInfo("y", "FLOAT", [null])],
      nodes: [node("Neg", ["constructor"], ["y"])],
    }),
  );
  const name = sessionName("constructor");
  const outputs = await runBare(model.bytes, [
    { name, datatype: "FP32", shape: [1], data: Float32Array.of(3) },
  ]);
  expect(outputs.map((output) => [output.name, output.data[0]])).toEqual([
    [name, 3],
    ["y", -3],
  ]);
});

test("tensors that a session has no arrays for cross as float32, bit for bit", async () => {
  const model = prepared(
    buildModel({
      inputs: [tensorInfo("x", "BFLOAT16", [null])],
      outputs: [tensorInfo("x", "BFLOAT16", [null]), tensorInfo("y", "BFLOAT16", [null])],
      nodes: [node("Identity", ["x"], ["y"])],
    }),
  );
  expect(model.signature.outputs.map(({ name, datatype }) => [name, datatype])).toEqual([
    ["x", "BF16"],
    ["y", "BF16"],
  ]);
  const data = Float32Array.of(1.5, -0, Number.NaN, 2 ** -133, Number.POSITIVE_INFINITY);
  const outputs = await runBare(model.bytes, [
    { name: sessionName("x", "BF16"), datatype: "FP32", shape: [5], data },
  ]);
  expect(outputs.map((output) => [output.name, output.data])).toEqual([
    [sessionName("x", "BF16"), data],
    [sessionName("y", "BF16"), data],
  ]);
});
