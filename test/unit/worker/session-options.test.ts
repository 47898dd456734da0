import { expect, test } from "vitest";
import { sessionOptions } from "../../../src/worker/session-options.ts";

const cpu = { provider: "cpu", deviceId: 1 } as const;

test("threads are always given and do not spin, and ONNX Runtime stays silent", () => {
  expect(sessionOptions({ device: cpu, intraOpThreads: 3, externalData: [] })).toEqual({
    executionProviders: [{ name: "cpu" }],
    executionMode: "sequential",
    intraOpNumThreads: 3,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
});

test.each([
  ["cuda", [{ name: "cuda", deviceId: 1 }]],
  ["webgpu", [{ name: "webgpu" }]],
] as const)("%s has its own provider options", (provider, expected) => {
  const options = sessionOptions({ device: { provider, deviceId: 1 }, intraOpThreads: 1, externalData: [] });
  expect(options.executionProviders).toEqual(expected);
});

test.each([
  ["weights.bin", "/models/m/1/weights.bin"],
  ["./weights.bin", "/models/m/1/weights.bin"],
  ["data/weights.bin", "/models/m/1/data/weights.bin"],
])("external data at %s is read from the version folder", (location, path) => {
  const options = sessionOptions({ device: cpu, intraOpThreads: 1, externalData: [{ location, path }] });
  expect(options.extra).toMatchObject({
    session: { model_external_initializers_file_folder_path: "/models/m/1" },
  });
});
