import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { BatchingMode, GetModelResponseSchema } from "../../../../../gen/assay/v1/model_service_pb.ts";
import type { Tensor } from "../../../../../gen/assay/v1/tensor_pb.ts";
import { withClasses } from "../../../../../src/edge/inference/answer/classification.ts";
import { ANONYMOUS } from "../../../../../src/registry/caller.ts";
import type { ModelsService } from "../../../../../src/registry/models.ts";

function models(batching: BatchingMode, labels: readonly string[]): ModelsService {
  const parts: Partial<ModelsService> = {
    get: () => create(GetModelResponseSchema, { model: { batching } }),
    classLabels: () => labels,
  };
  return parts as ModelsService;
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

const ROWS = BatchingMode.ACROSS_REQUESTS;
const top = (count: number) => new Map([["p", count]]);

test("the highest values of each row come first, of equals the first, behind them what is no number", () => {
  const [classes] = withClasses(
    answer([0.1, 0.7, 0.2, Number.NaN, 0.5, 0.5], [2, 3]),
    top(3),
    models(ROWS, ["a", "b"]),
    ANONYMOUS,
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
  const one = withClasses(
    answer([3, 1], [2]),
    top(9),
    models(BatchingMode.NO_BATCH_DIMENSION, []),
    ANONYMOUS,
  );
  expect(one[0]).toMatchObject({ shape: [2n] });
  expect(texts(one[0]!)).toEqual(["3.000000:0", "1.000000:1"]);
  const none = withClasses(answer([], [0, 3]), top(2), models(ROWS, []), ANONYMOUS);
  expect(none[0]).toMatchObject({ shape: [0n, 0n] });
});

test("classes of texts are refused", () => {
  const { outputs, ...names } = answer([], [0]);
  const asked = { ...names, outputs: [{ ...outputs[0]!, datatype: "BYTES" }] };
  expect(() => withClasses(asked, top(1), models(ROWS, []), ANONYMOUS)).toThrow(/"p" holds texts/);
});
