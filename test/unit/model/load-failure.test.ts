import { expect, test } from "vitest";
import { explainLoadFailure } from "../../../src/model/load-failure.ts";
import { openBareSession } from "../../bare-session.ts";
import { buildModel, node, tensorInfo } from "../../model-builder.ts";

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

test("a message that is not known stays as it is", () => {
  expect(explainLoadFailure("something else")).toBe("something else");
});
