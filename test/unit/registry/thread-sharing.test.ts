import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ModelConfigSchema } from "../../../gen/assay/config/v1/model_config_pb.ts";
import { describeThread, sharesThreads, whyOwnThread } from "../../../src/registry/thread-sharing.ts";

const LIGHT = {
  unboundedRun: undefined,
  externalData: [],
  bytes: new Uint8Array(700),
  config: create(ModelConfigSchema),
};
const CPU = [{ provider: "cpu" as const, deviceId: 0 }];
const WEIGHTS = [{ location: "w", path: "/w", byteLength: 4, sha256: undefined }];

test("a small model on one CPU instance shares its thread", () => {
  expect(whyOwnThread(LIGHT, CPU, 30_000)).toBeUndefined();
  expect(describeThread(LIGHT, 30_000)).toMatch(/^shared .* at most 500 ms/);
});

for (const [why, model, devices, runTimeoutMs] of [
  ["the loop a may", { ...LIGHT, unboundedRun: "the loop a may go on for any time" }, CPU, 30_000],
  ["isolation thread", { ...LIGHT, config: create(ModelConfigSchema, { isolation: "thread" }) }, CPU, 30_000],
  ["instance_group", { ...LIGHT, config: create(ModelConfigSchema, { instanceGroup: [{}] }) }, CPU, 30_000],
  ["one CPU instance", LIGHT, [...CPU, { provider: "cpu" as const, deviceId: 1 }], 30_000],
  ["one CPU instance", LIGHT, [{ provider: "cuda" as const, deviceId: 0 }], 30_000],
  ["weights", { ...LIGHT, externalData: WEIGHTS }, CPU, 30_000],
  ["1048577 bytes", { ...LIGHT, bytes: new Uint8Array(2 ** 20 + 1) }, CPU, 30_000],
  ["time-out of 999 ms", LIGHT, CPU, 999],
] as const) {
  test(`a model has its own thread, and says why: ${why}, ${devices[0].provider} × ${devices.length}`, () => {
    expect(whyOwnThread(model, devices, runTimeoutMs)).toContain(why);
  });
}

test("few models have threads of their own, which cost a batch less", () => {
  expect([1, 8, 9, 100].map(sharesThreads)).toEqual([false, false, true, true]);
});
