import { expect, test } from "vitest";
import { sessionOptions } from "../../../../src/worker/session/session-options.ts";

const cpu = { provider: "cpu", deviceId: 1 } as const;

test("threads are always given and do not spin, and ONNX Runtime stays silent", () => {
  expect(sessionOptions({ device: cpu, intraOpThreads: 3 })).toEqual({
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
  const options = sessionOptions({ device: { provider, deviceId: 1 }, intraOpThreads: 1 });
  expect(options.executionProviders).toEqual(expected);
});

test.each([
  ["weights.bin", "weights.bin"],
  ["./weights.bin", "././weights.bin"],
  ["data/weights.bin", "data/weights.bin"],
])("weights at %s are given under the name that the binding makes of %s", (location, path) => {
  const data = new Uint8Array(4);
  const options = sessionOptions({ device: cpu, intraOpThreads: 1 }, [{ location, data }]);
  expect(options.externalData).toEqual([{ path, data }]);
});
