import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { createPool } from "../../../src/pool/create-pool.ts";
import { runTensors } from "../../../src/pool/pool.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";
import { childrenOf, loopingModel } from "../../support/models/hanging-models.ts";
import { affineModel, lookupModel, onnxModel } from "../../support/models/onnx-model.ts";
import { serveModels } from "../../support/servers/model-server.ts";
import { affineAnswer, type Core, score, startCore } from "../../support/servers/scoring-core.ts";
import { silentLog } from "../../support/servers/silent-log.ts";

let core: Core | undefined;
afterEach(async () => {
  await core?.close();
  core = undefined;
});

const inProcess = { pool: { isolation: "process" } } as const;

for (const signal of ["SIGKILL", "SIGABRT"] as const) {
  test(`a process that ends by ${signal} under callers fails only what it held and comes back`, async () => {
    core = await startCore(inProcess);
    const known = childrenOf(process.pid);
    expect(known).toHaveLength(1);
    const failures: unknown[] = [];
    let answered = 0;
    const callers = Array.from({ length: 16 }, async (_, caller) => {
      for (let call = 0; call < 50; call++) {
        const first = caller * 1000 + call;
        await score(core!, { first }).then(
          (answer) => expect(answer).toEqual(affineAnswer({ first })),
          (error: unknown) => failures.push(error),
        );
        if (++answered === 400) process.kill(known[0]!, signal);
      }
    });
    await Promise.all(callers);
    // None where the signal came between two batches.
    expect(failures.length).toBeLessThanOrEqual(16);
    for (const failure of failures) expect(failure).toMatchObject({ reason: Reason.INSTANCE_LOST });
    expect(core.pool.instances).toMatchObject([
      { state: "idle", restarts: 1, lastError: expect.stringContaining(`was ended by ${signal}`) },
    ]);
    expect(childrenOf(process.pid)).not.toEqual(known);
  });
}

test("an idle process that ends is replaced before a row is lost to it", async () => {
  core = await startCore(inProcess);
  const [wentDown, cameBack] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  core.pool.onAvailability = (available) => (available ? cameBack : wentDown).resolve();
  process.kill(childrenOf(process.pid)[0]!, "SIGSEGV");
  await wentDown.promise;
  await cameBack.promise;
  expect(await score(core, { first: 3 })).toEqual(affineAnswer({ first: 3 }));
  expect(core.pool.instances).toMatchObject([{ restarts: 1, lastError: expect.stringContaining("SIGSEGV") }]);
});

test("a process takes no signal of a terminal or a supervisor: the server drains first", async () => {
  core = await startCore(inProcess);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.kill(childrenOf(process.pid)[0]!, signal);
  for (let first = 0; first < 20; first++)
    expect(await score(core, { first })).toEqual(affineAnswer({ first }));
  expect(core.pool.instances).toMatchObject([{ restarts: 0 }]);
});

test("a pool that was closed leaves no process behind", async () => {
  core = await startCore({ instances: 2, ...inProcess });
  expect(childrenOf(process.pid)).toHaveLength(2);
  await core.close();
  expect(childrenOf(process.pid)).toEqual([]);
});

test("a model that cannot be loaded is refused with ONNX Runtime's reason", async () => {
  const model = { ...affineModel(), bytes: new Uint8Array([1, 2, 3]) };
  const devices = [{ provider: "cpu", deviceId: 0 }] as const;
  await expect(createPool({ model, devices, log: silentLog, isolation: "process" })).rejects.toMatchObject({
    reason: Reason.MODEL_INVALID,
    message: expect.stringMatching(/^the model cannot be loaded: /),
  });
  expect(childrenOf(process.pid)).toEqual([]);
});

test("texts, large tensors and failed runs cross to a process and back", async () => {
  core = await startCore({ model: lookupModel(), ...inProcess });
  const index = (value: bigint): TensorData[] => [
    { name: "index", datatype: "INT64", shape: [1], data: BigInt64Array.of(value) },
  ];
  await expect(runTensors(core.pool, index(99n))).rejects.toMatchObject({ reason: Reason.RUN_FAILED });
  expect(await runTensors(core.pool, index(7n))).toMatchObject([{ data: Float32Array.of(7) }]);
  await core.close();

  const texts = onnxModel("texts", {
    inputs: [{ name: "x", datatype: "BYTES", shape: [-1] }],
    outputs: [{ name: "y", datatype: "BYTES", shape: [-1] }],
    nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
  });
  core = await startCore({ model: texts, ...inProcess });
  const data = Array.from({ length: 50_000 }, (_, i) => "ä€😀x".repeat(i % 20));
  const echoed = await runTensors(core.pool, [{ name: "x", datatype: "BYTES", shape: [data.length], data }]);
  expect(echoed[0]?.data).toEqual(data);
  await core.close();

  core = await startCore({ model: affineModel(1024), ...inProcess });
  const floats = Float32Array.from({ length: 8192 * 1024 }, (_, i) => i % 4096);
  const outputs = await runTensors(core.pool, [
    { name: "x", datatype: "FP32", shape: [8192, 1024], data: floats },
  ]);
  const doubled = outputs[0]!.data as Float32Array;
  expect(doubled.length).toBe(floats.length);
  expect(doubled.every((value, i) => value === 2 * floats[i]! + 1)).toBe(true);
});

test("a server that is killed takes its processes with it, also one in which a run hangs", async () => {
  const server = await serveModels({ looping: loopingModel() }, "--isolation", "process");
  const children = childrenOf(server.processId);
  expect(children).toHaveLength(2);
  const ends = children.map((id) => once(spawn("tail", ["--pid", String(id), "-f", "/dev/null"]), "exit"));
  const hung = server.predict("looping", [1e15, 0]).catch((error: unknown) => error);
  expect(await server.predict("affine", [1, 2])).toMatchObject({ status: 200 });
  await server.kill();
  await hung;
  await Promise.all(ends);
});
