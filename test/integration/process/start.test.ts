import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { createPool } from "../../../src/pool/create-pool.ts";
import { testFolder } from "../../support/folders.ts";
import { affineModel, onnxModel } from "../../support/models/onnx-model.ts";
import { score, startCore } from "../../support/servers/scoring-core.ts";
import { silentLog } from "../../support/servers/silent-log.ts";

const cpu = [{ provider: "cpu", deviceId: 0 }] as const;
const cuda = [{ provider: "cuda", deviceId: 0 }] as const;

test("a file that ONNX Runtime cannot load fails the start with MODEL_INVALID and its reason", async () => {
  const model = { ...affineModel(), bytes: new Uint8Array([1, 2, 3]) };
  await expect(createPool({ model, devices: cpu, log: silentLog })).rejects.toMatchObject({
    reason: Reason.MODEL_INVALID,
    message: expect.stringMatching(/^the model cannot be loaded: /i),
  });
});

test("a device that cannot be used fails the start with DEVICE_UNAVAILABLE and its name", async ({
  skip,
}) => {
  const pool = createPool({ model: affineModel(), devices: cuda, log: silentLog });
  const outcome = await pool.then(
    (usable) => usable.close(),
    (error: unknown) => error,
  );
  if (outcome === undefined) skip("this machine has a usable CUDA device");
  expect(outcome).toMatchObject({
    reason: Reason.DEVICE_UNAVAILABLE,
    message: expect.stringMatching(/^device cuda:0 cannot be used: /),
  });
});

test("an entry of a worker that does not exist fails the start", async () => {
  const workerUrl = new URL("./no-such-worker.ts", import.meta.url);
  await expect(
    createPool({ model: affineModel(), devices: cpu, log: silentLog, workerUrl }),
  ).rejects.toMatchObject({
    reason: Reason.INSTANCE_LOST,
  });
});

test("a worker that does not come up in time fails the start", async () => {
  const workerUrl = new URL("../../workers/silent-worker.ts", import.meta.url);
  const starting = createPool({
    model: affineModel(),
    devices: cpu,
    log: silentLog,
    workerUrl,
    startTimeoutMs: 50,
  });
  await expect(starting).rejects.toMatchObject({
    reason: Reason.INSTANCE_LOST,
    message: expect.stringContaining("within 50 ms"),
  });
});

test("weights in files beside the model are read from its folder", async () => {
  const folder = testFolder();
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "data", "weights.bin"), new Uint8Array(Float32Array.of(3).buffer));
  const model = onnxModel("external", {
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [-1, 2] }],
    nodes: [{ op: "Mul", inputs: ["x", "three"], outputs: ["y"] }],
    initializers: [{ name: "three", shape: [1], data: [], location: "data/weights.bin" }],
  });
  const path = join(folder, "data", "weights.bin");
  const externalData = [{ location: "data/weights.bin", path, byteLength: 4, sha256: undefined }];
  const core = await startCore({ model: { ...model, externalData } });
  const answer = await score(core, { first: 7 });
  await core.close();
  expect(answer).toEqual([21, 21]);
});
