import { afterEach, describe, expect, it } from "vitest";
import {
  applyGateOutcome,
  type GateOutcome,
  passGoldenGate,
} from "../../../../src/model/gate/golden-gate.ts";
import type { PreparedModel } from "../../../../src/model/prepared-model.ts";
import { type BareSession, openBareSession } from "../../../support/models/bare-session.ts";
import {
  buildModel,
  node,
  storedTensor,
  tensorInfo,
  zipMapClassifier,
} from "../../../support/models/model-builder.ts";
import { prepared } from "../../../support/models/prepare.ts";

const sessions: BareSession[] = [];

afterEach(async () => {
  for (const session of sessions.splice(0)) await session.release();
});

async function gate(model: PreparedModel): Promise<GateOutcome> {
  const session = await openBareSession(model.bytes);
  sessions.push(session);
  return passGoldenGate(model, session.run);
}

async function passed(model: PreparedModel): Promise<Extract<GateOutcome, { kind: "passed" }>> {
  const outcome = await gate(model);
  if (outcome.kind === "refused") throw new Error(outcome.reason);
  return outcome;
}

/** y = x × 2, over rows of two numbers. */
const doubling = (rows: number | null) =>
  buildModel({
    inputs: [tensorInfo("x", "FLOAT", [rows, 2])],
    outputs: [tensorInfo("y", "FLOAT", [rows, 2])],
    nodes: [node("Mul", ["x", "two"], ["y"])],
    initializers: [storedTensor("two", [1], Float32Array.of(2))],
  });

/** y = softmax over the rows. */
const coupled = (rows: number | null) =>
  buildModel({
    inputs: [tensorInfo("x", "FLOAT", [rows, 2])],
    outputs: [tensorInfo("y", "FLOAT", [rows, 2])],
    nodes: [node("Softmax", ["x"], ["y"], { axis: 0n })],
  });

/** The flattened batch of a graph that was traced with one row: [1, 2 × rows], so that rows end up in one. */
const foldedReshape = buildModel({
  inputs: [tensorInfo("x", "FLOAT", [1, 2])],
  outputs: [tensorInfo("y", "FLOAT", [1, 1])],
  nodes: [
    node("Reshape", ["x", "shape"], ["flat"]),
    node("ReduceSum", ["flat", "axis"], ["sum"], { keepdims: 1n }),
    node("Mul", ["x", "zero"], ["nothing"]),
    node("ReduceSum", ["nothing", "axis"], ["zeros"], { keepdims: 1n }),
    node("Add", ["zeros", "sum"], ["y"]),
  ],
  initializers: [
    storedTensor("shape", [2], BigInt64Array.of(1n, -1n)),
    storedTensor("axis", [1], BigInt64Array.of(1n)),
    storedTensor("zero", [1], Float32Array.of(0)),
  ],
});

const golden = (shape: number[], x: number[], y: number[], extra = {}) =>
  JSON.stringify([
    {
      inputs: [{ name: "x", datatype: "FP32", shape, data: x }],
      outputs: [{ name: "y", datatype: "FP32", shape, data: y }],
      ...extra,
    },
  ]);

describe("passGoldenGate", () => {
  it("joins rows across requests where golden rows agree alone, together and shuffled", async () => {
    const model = prepared(doubling(null), undefined, golden([2, 2], [1, 2, 3, 4], [2, 4, 6, 8]));
    const { batching, notices, repairs } = await passed(model);
    expect({ batching, repairs }).toEqual({ batching: "across-requests", repairs: [] });
    expect(notices).toEqual([expect.stringMatching(/^no score: "y"/)]);
  });

  it("refuses a model that misses its golden rows, naming case, output, row and both values", async () => {
    const outcome = await gate(
      prepared(doubling(null), undefined, golden([2, 2], [1, 2, 3, 4], [2, 4, 6, 9])),
    );
    expect(outcome).toMatchObject({ kind: "refused" });
    expect((outcome as { reason: string }).reason).toMatch(/case 0: output "y", row 1: 8 came, 9 expected/);
  });

  it("keeps to the tolerance of the case", async () => {
    const text = golden([1, 2], [1, 2], [2.4, 4.4], { tolerance: { abs: 0.5, rel: 0 } });
    expect((await passed(prepared(doubling(null), undefined, text))).batching).toBe("across-requests");
  });

  it("says that no golden rows were run", async () => {
    const { notices, batching } = await passed(prepared(doubling(null)));
    expect(batching).toBe("across-requests");
    expect(notices).toContainEqual(expect.stringContaining("no golden rows were run"));
  });

  it("never joins requests where rows influence each other", async () => {
    const { batching, notices } = await passed(prepared(coupled(null)));
    expect(batching).toBe("within-request");
    expect(notices[0]).toContain("rows influence each other");
  });

  it("finds rows that influence each other by golden rows that were made together", async () => {
    const e = Math.E;
    const text = golden([2, 2], [0, 0, 1, 1], [1 / (1 + e), 1 / (1 + e), e / (1 + e), e / (1 + e)]);
    expect((await passed(prepared(coupled(null), undefined, text))).batching).toBe("within-request");
  });

  it("runs rows singly where golden rows are met one by one only", async () => {
    const text = golden([2, 2], [0, 0, 1, 1], [1, 1, 1, 1]);
    expect((await passed(prepared(coupled(null), undefined, text))).batching).toBe("single-rows");
  });

  it("opens a batch dimension fixed at 1 where different rows agree", async () => {
    const model = prepared(doubling(1));
    const outcome = await passed(model);
    expect(outcome.batching).toBe("across-requests");
    const served = applyGateOutcome(model, outcome);
    expect(served.repairs.map(({ kind }) => kind)).toEqual(["batch_dimension_opened"]);
    expect(served.signature.inputs[0]?.shape).toEqual([-1, 2]);
  });

  it.each([
    ["a softmax over the batch", coupled(1)],
    ["a reshape that was folded to one row", foldedReshape],
  ])("keeps the batch dimension at 1 with %s", async (_, bytes) => {
    const { batching, repairs, notices } = await passed(prepared(bytes));
    expect(batching).toBe("single-rows");
    expect(repairs).toEqual([]);
    expect(notices[0]).toContain("run singly");
  });

  it("says that rows are not proven independent where no made-up row runs", async () => {
    const bytes = buildModel({
      inputs: [tensorInfo("x", "INT64", [null, 1])],
      outputs: [tensorInfo("y", "FLOAT", [null, 1])],
      nodes: [node("Gather", ["table", "x"], ["y"])],
      initializers: [storedTensor("table", [1], Float32Array.of(7))],
    });
    const { batching, notices } = await passed(prepared(bytes));
    expect(batching).toBe("within-request");
    expect(notices[0]).toContain("not proven independent, add golden.json");
  });

  it("corrects the shape of an output that declares another than comes", async () => {
    const bytes = buildModel({
      inputs: [tensorInfo("x", "FLOAT", [null, 2])],
      outputs: [tensorInfo("y", "FLOAT", [null])],
      nodes: [node("ReduceSum", ["x", "axis"], ["y"], { keepdims: 1n })],
      initializers: [storedTensor("axis", [1], BigInt64Array.of(1n))],
    });
    const { signature, repairs } = await passed(prepared(bytes));
    expect(signature.outputs[0]?.shape).toEqual([-1, 1]);
    expect(repairs).toMatchObject([{ kind: "output_shape_corrected", target: "y" }]);
  });

  it("takes a model whose output is one value for the whole request as one run", async () => {
    const bytes = buildModel({
      inputs: [tensorInfo("x", "FLOAT", [null, 2])],
      outputs: [tensorInfo("y", "FLOAT", [])],
      nodes: [node("ReduceSum", ["x"], ["y"], { keepdims: 0n })],
    });
    const { batching, signature } = await passed(prepared(bytes));
    expect(batching).toBe("no-batch-dimension");
    expect(signature.score).toBeUndefined();
  });

  it("takes a label for right where the two highest classes lie within the tolerance", async () => {
    const model = prepared(zipMapClassifier(["a", "b", "c"]));
    const { run } = await openBareSession(model.bytes);
    const x = { name: "X", datatype: "FP32" as const, shape: [1, 4], data: Float32Array.of(1, 1, 1, 1) };
    const [label, matrix] = await run([x]);
    const values = Array.from(matrix!.data as Float32Array);
    const other = ["a", "b", "c"].find((name) => name !== label!.data[0]);
    const text = (abs: number) =>
      JSON.stringify({
        inputs: { X: { ...x, data: Array.from(x.data) } },
        outputs: {
          output_label: { datatype: "BYTES", shape: [1], data: [other] },
          output_probability: { datatype: "FP32", shape: [1, 3], data: values },
        },
        tolerance: { abs, rel: 0 },
      });
    const bytes = zipMapClassifier(["a", "b", "c"]);
    expect((await gate(prepared(bytes, undefined, text(1)))).kind).toBe("passed");
    expect((await gate(prepared(bytes, undefined, text(1e-6)))).kind).toBe("refused");
  });

  it.each([
    ["single precision", "FLOAT", "within-request"],
    ["half precision", "FLOAT16", "across-requests"],
  ] as const)(
    "alone and together may differ by 5 in 1,000 only with weights in %s",
    async (_, type, batching) => {
      const bytes = buildModel({
        inputs: [tensorInfo("x", "FLOAT", [null, 1])],
        outputs: [tensorInfo("y", "FLOAT", [null, 1])],
        nodes: [node("Identity", ["x"], ["y"])],
        initializers: [
          type === "FLOAT"
            ? storedTensor("w", [1], Float32Array.of(1))
            : { ...storedTensor("w", [1], Float32Array.of(1)), dataType: 10, rawData: new Uint8Array(2) },
        ],
      });
      const outcome = await passGoldenGate(prepared(bytes), async ([x]) => {
        const factor = x!.shape[0] === 1 ? 1 : 1.005;
        return [{ ...x!, name: "y", data: (x!.data as Float32Array).map((value) => value * factor) }];
      });
      expect(outcome).toMatchObject({ kind: "passed", batching });
    },
  );

  it.each([
    ["a missing input", '{"inputs":[],"outputs":[]}', "no tensor"],
    ["an unknown output", golden([1, 2], [1, 2], [2, 4]).replaceAll('"y"', '"yy"'), 'did you mean "y"'],
    ["an unknown input", golden([1, 2], [1, 2], [2, 4]).replaceAll('"x"', '"xx"'), 'did you mean "x"'],
    ["a shape that does not fit", golden([1, 3], [1, 2, 3], [2, 4, 6]), "takes [-1,2]"],
    ["a count that does not fit", golden([1, 2], [1], [2, 4]), "data has 1 values"],
  ])("refuses golden rows with %s", async (_, text, reason) => {
    const attempt = async () => gate(prepared(doubling(null), undefined, text));
    const message = await attempt().then(
      (outcome) => (outcome.kind === "refused" ? outcome.reason : "passed"),
      (cause: Error) => cause.message,
    );
    expect(message).toContain(reason);
  });

  it("opens a batch dimension fixed at two where the graph takes other numbers of rows", async () => {
    const model = prepared(doubling(2));
    expect(model.signature).toMatchObject({ batching: "no-batch-dimension", inputs: [{ shape: [2, 2] }] });
    const { signature, repairs } = await passed(model);
    expect(signature).toMatchObject({ batching: "across-requests", inputs: [{ shape: [-1, 2] }] });
    expect(repairs).toMatchObject([
      { kind: "batch_dimension_opened", description: expect.stringContaining("fixed at 2") },
    ]);
  });

  it("says how many rows a request must carry where the graph takes no other number", async () => {
    const added = buildModel({
      inputs: [tensorInfo("x", "FLOAT", [2, 2])],
      outputs: [tensorInfo("y", "FLOAT", [2, 2])],
      nodes: [node("Mul", ["x", "own"], ["y"])],
      initializers: [storedTensor("own", [2, 2], Float32Array.of(1, 2, 3, 4))],
    });
    const { signature, notices } = await passed(prepared(added));
    expect(signature).toMatchObject({ batching: "no-batch-dimension", inputs: [{ shape: [2, 2] }] });
    expect(notices).toContainEqual(expect.stringContaining("a request must carry exactly 2 rows, as inputs"));
  });

  it("joins rows though an output beside them has none", async () => {
    const model = prepared(
      buildModel({
        inputs: [tensorInfo("x", "FLOAT", [null, 2])],
        outputs: [
          tensorInfo("label", "INT64", [null]),
          tensorInfo("p", "FLOAT", [null, 2]),
          tensorInfo("classes", "STRING", [2]),
          tensorInfo("total", "FLOAT", [1, 2]),
        ],
        nodes: [
          node("Softmax", ["x"], ["p"], { axis: 1n }),
          node("ArgMax", ["p"], ["label"], { axis: 1n, keepdims: 0n }),
          node("Identity", ["names"], ["classes"]),
          node("ReduceSum", ["x", "axis"], ["total"], { keepdims: 1n }),
        ],
        initializers: [
          storedTensor("names", [2], ["no", "yes"]),
          storedTensor("axis", [1], BigInt64Array.of(0n)),
        ],
      }),
    );
    const { signature } = await passed(model);
    expect(signature).toMatchObject({
      batching: "across-requests",
      score: { output: "p" },
      labelOutput: "label",
    });
    expect(signature.outputs.filter(({ rowless }) => rowless).map(({ name }) => name)).toEqual([
      "classes",
      "total",
    ]);
  });

  it.each([
    ["declared so", [1, "N"]],
    ["declared open", [null, null]],
    ["not declared", undefined],
  ] as const)("turns a label of all rows in one into one a row: %s", async (_, shape) => {
    const model = prepared(
      buildModel({
        inputs: [tensorInfo("x", "FLOAT", ["N", 2])],
        outputs: [tensorInfo("label", "STRING", shape), tensorInfo("p", "FLOAT", ["N", 2])],
        nodes: [
          node("Softmax", ["x"], ["p"], { axis: 1n }),
          node("ArgMax", ["p"], ["top"], { axis: 1n, keepdims: 0n }),
          node("ArrayFeatureExtractor", ["names", "top"], ["label"], {}, "ai.onnx.ml"),
        ],
        initializers: [storedTensor("names", [1, 2], ["no", "yes"])],
      }),
    );
    expect(model.repairs).toMatchObject([{ kind: "label_flattened", target: "label" }]);
    const { signature } = await passed(model);
    expect(signature).toMatchObject({
      batching: "across-requests",
      labelOutput: "label",
      labels: ["no", "yes"],
    });
  });
});
