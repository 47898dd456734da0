import { expect, onTestFinished, test } from "vitest";
import { prepareModel } from "../../../src/model/prepare-model.ts";
import { readTritonConfig } from "../../../src/model/triton/triton-config.ts";
import { createPool } from "../../../src/pool/create-pool.ts";
import { runTensors } from "../../../src/pool/pool.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";
import { openBareSession } from "../../support/models/bare-session.ts";
import { randomTreeModel, rowsNear, seededRandom } from "../../support/models/random-trees.ts";
import { silentLog } from "../../support/servers/silent-log.ts";

const CLASSIFIER = { operator: "TreeEnsembleClassifier", inputType: "FLOAT", targetCount: 3 } as const;
const model = randomTreeModel(7, { ...CLASSIFIER, columnCount: 6, postTransform: "NONE" });

const config = (input: string, output: string) => `max_batch_size: 64
  input [ { name: "x" data_type: TYPE_FP32 ${input} } ]
  output [ { name: "scores" data_type: TYPE_FP32 ${output} } ]`;
const AS_THE_FILE = { input: "dims: [ 6 ]", output: "dims: [ 3 ]" };

test.each([
  ["an output", { ...AS_THE_FILE, output: "dims: [ 1, 3 ] reshape { shape: [ 3 ] }" }, [6], [1, 3]],
  ["an input", { ...AS_THE_FILE, input: "dims: [ 2, 3 ] reshape { shape: [ 6 ] }" }, [2, 3], [3]],
  [
    "both",
    {
      input: "dims: [ 3, 1, 2 ] reshape { shape: [ 6 ] }",
      output: "dims: [ 3, 1 ] reshape { shape: [ 3 ] }",
    },
    [3, 1, 2],
    [3, 1],
  ],
])(
  "trees of which config.pbtxt reshapes %s run in the kernel alone",
  async (_, dims, inputAxes, outputAxes) => {
    const found = prepareModel({
      modelName: "m",
      modelVersion: "1",
      bytes: model.bytes,
      configText: undefined,
      goldenText: undefined,
      testDataCases: [],
      triton: {
        config: readTritonConfig(config(dims.input, dims.output)),
        labels: new Map(),
        warmupData: new Map(),
      },
      findExternal: (location) => ({ path: location, byteLength: 0 }),
    });
    if (found.kind === "refused") throw new Error(found.reason);
    const data = Float32Array.from(rowsNear(model, 5, seededRandom(1)) as Float32Array);
    const rows: TensorData[] = [{ name: "x", datatype: "FP32", shape: [5, ...inputAxes], data }];
    const devices = [{ provider: "cpu" as const, deviceId: 0 }];
    // What is run as golden rows comes under the names that callers know.
    const pool = await createPool({ model: found.model, devices, log: silentLog, treeRows: [rows] });
    onTestFinished(() => pool.close());
    expect(pool.instances[0]?.treeKernel).toMatchObject({
      isUsed: true,
      reason: expect.stringMatching(/ trees give what ONNX Runtime gives$/),
    });
    const bare = await openBareSession(model.bytes);
    onTestFinished(() => bare.release());
    const outputs = await bare.run([{ ...rows[0]!, shape: [5, 6] }]);
    const expected = outputs.find(({ name }) => name === "scores")!.data as Float32Array;
    const [given] = await runTensors(pool, rows);
    expect(given!.shape).toEqual([5, ...outputAxes]);
    for (const [index, score] of (given!.data as Float32Array).entries())
      expect(score).toBeCloseTo(expected[index]!, 5);
  },
);
