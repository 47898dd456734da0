import { expect, test } from "vitest";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { createPool } from "../../src/pool/create-pool.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { affineModel } from "../onnx-model.ts";

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
