import { expect, test } from "vitest";
import type { NodeProto, ValueInfoProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import { explainLoadFailure, explainRunFailure } from "../../../src/model/ort-advice.ts";
import { openBareSession } from "../../support/models/bare-session.ts";
import { buildModel, node, tensorInfo } from "../../support/models/model-builder.ts";

async function failure(
  opType: string,
  opsets: Record<string, number>,
  type: "FLOAT" | "STRING" = "FLOAT",
): Promise<string> {
  const bytes = buildModel({
    opsets,
    inputs: [tensorInfo("x", type, [null])],
    outputs: [tensorInfo("y", type, [null])],
    nodes: [node(opType, ["x"], ["y"])],
  });
  return openBareSession(bytes).then(
    () => "opened",
    (cause: Error) => explainLoadFailure(cause.message),
  );
}

test.each([
  [
    "an operator that does not exist",
    "Foo",
    17,
    "FLOAT",
    /"Foo_y" uses the operator "Foo", which does not exist in opset 17/,
  ],
  [
    "an operator that is newer than the opset",
    "Gelu",
    13,
    "FLOAT",
    /"Gelu", which does not exist in opset 13/,
  ],
  [
    "an element type without implementation",
    "Abs",
    17,
    "STRING",
    /contradicts itself|does not take|no implementation/,
  ],
] as const)("%s is explained with what to do", async (_, opType, opset, type, pattern) => {
  expect(await failure(opType, { "": opset }, type)).toMatch(pattern);
});

const x = tensorInfo("x", "FLOAT", [null, 2]);
const y = tensorInfo("y", "FLOAT", [null, 2]);
const text = tensorInfo("y", "STRING", [null, 1]);

/** What ONNX Runtime itself says of graphs that no exporter should write, and some do. */
test.each<[string, readonly NodeProto[], ValueInfoProto, RegExp]>([
  ["an unknown attribute", [node("Relu", ["x"], ["y"], { foo: 1n })], y, /"Relu" has no attribute "foo"/],
  ["a missing attribute", [node("Cast", ["x"], ["y"])], y, /"Cast_y" \(Cast\) lacks the attribute "to"/],
  ["too many inputs", [node("Relu", ["x", "x"], ["y"])], y, /has 2 inputs, and the opset .* takes 1 to 1/],
  [
    "a value that nothing makes",
    [node("Add", ["x", "q"], ["y"])],
    y,
    /reads "q", which nothing in the graph makes/,
  ],
  [
    "two nodes of one name",
    [node("Relu", ["x"], ["a"]), { ...node("Abs", ["a"], ["y"]), name: "Relu_a" }],
    y,
    /two nodes are called "Relu_a"/,
  ],
  [
    "a circle",
    [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])],
    y,
    /runs in a circle/,
  ],
  [
    "a declared type that is not made",
    [node("ArgMax", ["x"], ["y"], { axis: 1n })],
    text,
    /declares "y" as string, and node "ArgMax_y" makes int64/,
  ],
  [
    "a contributed operator that is not built in",
    [node("Solve", ["x"], ["y"], {}, "com.microsoft")],
    y,
    /"com.microsoft:Solve" is not in the ONNX Runtime that Assay brings/,
  ],
  [
    "an operator that cannot be set up",
    [node("Imputer", ["x"], ["y"], {}, "ai.onnx.ml")],
    y,
    /cannot be set up as the file describes it/,
  ],
])("%s is explained with what to do", async (_, nodes, output, pattern) => {
  const opsets = { "": 17, "ai.onnx.ml": 3, "com.microsoft": 1 };
  const bytes = buildModel({ opsets, inputs: [x], outputs: [output], nodes });
  const message = await openBareSession(bytes).then(
    () => "opened",
    (cause: Error) => explainLoadFailure(cause.message),
  );
  expect(message).toMatch(pattern);
});

test("two precisions in one operator are explained with what to do", async () => {
  const d = tensorInfo("d", "DOUBLE", [null, 2]);
  const bytes = buildModel({ inputs: [x, d], outputs: [y], nodes: [node("Add", ["x", "d"], ["y"])] });
  const message = await openBareSession(bytes).then(String, (cause: Error) =>
    explainLoadFailure(cause.message),
  );
  expect(message).toMatch(/"Add" is given float and double at once: export the model in one precision/);
});

test.each([
  "Exception during initialization: std::bad_alloc",
  "Failed to allocate memory for requested buffer of size 4000000000000",
])("%s names memory as the cause, at load and in a run", (message) => {
  expect(explainLoadFailure(message)).toMatch(/^there is not enough memory .*instance_group/);
  expect(explainRunFailure(message)).toMatch(/^there is not enough memory .*max_batch_size/);
});

test("a message that is not known comes with how to look into it", () => {
  expect(explainLoadFailure("something else")).toMatch(/check_model.*\(ONNX Runtime: something else\)$/);
});
