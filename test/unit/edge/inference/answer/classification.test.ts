import { expect, test } from "vitest";
import type { Tensor } from "../../../../../gen/assay/v1/tensor_pb.ts";
import { withClasses } from "../../../../../src/edge/inference/answer/classification.ts";
import type { Batching } from "../../../../../src/model/signature.ts";
import type { ServedModel } from "../../../../../src/registry/served-model.ts";
import { signature, spec } from "../../../../support/models/signatures.ts";

function model(
  batching: Batching,
  labels: readonly string[] = [],
): Pick<ServedModel, "signature" | "triton"> {
  const outputs = [spec("p", "FP32", [-1, 3], { labels })];
  return { signature: signature([spec("x", "FP32", [-1, 1])], { outputs, batching }), triton: undefined };
}

function answer(values: number[], shape: number[]) {
  const output: Tensor = {
    $typeName: "assay.v1.Tensor",
    name: "p",
    datatype: "FP32",
    shape: shape.map(BigInt),
    rawContents: new Uint8Array(new Float32Array(values).buffer),
  };
  return { modelName: "m", modelVersion: "1", outputs: [output] };
}

function texts({ rawContents }: Tensor): string[] {
  const found: string[] = [];
  const octets = Buffer.from(rawContents);
  for (let at = 0; at < octets.length; ) {
    const end = at + 4 + octets.readUInt32LE(at);
    found.push(octets.toString("utf8", at + 4, end));
    at = end;
  }
  return found;
}

const top = (count: number) => new Map([["p", count]]);

test("the highest values of each row come first, of equals the first, behind them what is no number", () => {
  const [classes] = withClasses(
    answer([0.1, 0.7, 0.2, Number.NaN, 0.5, 0.5], [2, 3]),
    top(3),
    model("across-requests", ["a", "b"]),
  );
  expect(classes).toMatchObject({ datatype: "BYTES", shape: [2n, 3n] });
  expect(texts(classes!)).toEqual([
    "0.700000:1:b",
    "0.200000:2",
    "0.100000:0:a",
    "0.500000:1:b",
    "0.500000:2",
    "NaN:0:a",
  ]);
});

test("more classes than there are values are as many as there are; a model without rows has one list", () => {
  const one = withClasses(answer([3, 1], [2]), top(9), model("no-batch-dimension"));
  expect(one[0]).toMatchObject({ shape: [2n] });
  expect(texts(one[0]!)).toEqual(["3.000000:0", "1.000000:1"]);
  const none = withClasses(answer([], [0, 3]), top(2), model("across-requests"));
  expect(none[0]).toMatchObject({ shape: [0n, 0n] });
});

test("classes of texts are refused", () => {
  const { outputs, ...names } = answer([], [0]);
  const asked = { ...names, outputs: [{ ...outputs[0]!, datatype: "BYTES" }] };
  expect(() => withClasses(asked, top(1), model("across-requests"))).toThrow(/"p" holds texts/);
});
