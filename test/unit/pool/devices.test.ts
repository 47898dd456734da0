import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { InstanceGroup_Kind, InstanceGroupSchema } from "../../../gen/assay/config/v1/model_config_pb.ts";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { DeviceListing } from "../../../src/pool/device-listing.ts";
import { chooseDevices, instanceDevices, intraOpThreads } from "../../../src/pool/devices.ts";
import { deviceName } from "../../../src/worker/device.ts";
import { sessionOptions } from "../../../src/worker/session/session-options.ts";

const L4 = { model: "NVIDIA L4", uuid: "GPU-aa", busLocation: "0000:07:00.0" };
const H200 = { model: "NVIDIA H200", uuid: "GPU-bb", busLocation: "0000:0a:00.0" };

const twoGpus: DeviceListing = { gpus: [L4, H200], cudaVisibleDevices: undefined, isCudaInstalled: true };
const noGpu: DeviceListing = { gpus: undefined, cudaVisibleDevices: undefined, isCudaInstalled: false };

describe("what is chosen", () => {
  test.each([
    ["auto", twoGpus, ["cuda:0", "cuda:1"]],
    ["auto", { ...twoGpus, cudaVisibleDevices: "1" }, ["cuda:0"]],
    ["auto", { ...twoGpus, isCudaInstalled: false }, ["cpu:0"]],
    ["auto", { ...twoGpus, cudaVisibleDevices: "" }, ["cpu:0"]],
    ["auto", noGpu, ["cpu:0"]],
    ["cpu", twoGpus, ["cpu:0"]],
    ["cpu:2", noGpu, ["cpu:0", "cpu:1"]],
    ["cuda", twoGpus, ["cuda:0", "cuda:1"]],
    ["cuda:0,1", twoGpus, ["cuda:0", "cuda:1"]],
    ["cuda:1", twoGpus, ["cuda:1"]],
    ["cuda:1,1", twoGpus, ["cuda:1"]],
    ["cuda:3", { ...noGpu, isCudaInstalled: true }, ["cuda:3"]],
    ["webgpu:0", noGpu, ["webgpu:0"]],
    ["webgpu", noGpu, ["webgpu:0"]],
  ])("%s", (wanted, listing, expected) => {
    expect(chooseDevices(wanted, listing).devices.map(deviceName)).toEqual(expected);
  });
});

test("two listed GPUs give two sessions, each with its own device id and provider options", () => {
  const { devices } = chooseDevices("auto", twoGpus);
  const options = devices.map((device) => sessionOptions({ device, intraOpThreads: 1 }));
  expect(options.map((one) => one.executionProviders)).toEqual([
    [{ name: "cuda", deviceId: 0 }],
    [{ name: "cuda", deviceId: 1 }],
  ]);
});

describe("auto falls back with one line that says why", () => {
  test.each([
    ["no driver", noGpu, /^running on CPU: no NVIDIA GPU was found$/],
    [
      "no provider",
      { ...twoGpus, isCudaInstalled: false },
      /NVIDIA L4, NVIDIA H200 found, but .* not installed/,
    ],
    [
      "hidden",
      { ...twoGpus, cudaVisibleDevices: "-1" },
      /CUDA_VISIBLE_DEVICES="-1" hides NVIDIA L4, NVIDIA H200/,
    ],
  ])("%s", (_, listing, notice) => {
    const choice = chooseDevices("auto", listing);
    expect(choice.notice).toMatch(notice);
    expect(choice.notice).not.toContain("\n");
    expect(choice.isAutomatic).toBe(true);
  });

  test("GPUs that are used need no line", () => {
    expect(chooseDevices("auto", twoGpus).notice).toBe("");
  });
});

describe("devices that are not there are refused by name", () => {
  test.each([
    [
      "cuda:9",
      twoGpus,
      /cuda:9, .*cuda:0 \(NVIDIA L4 at 0000:07:00.0\), cuda:1 \(NVIDIA H200 .*--devices cpu/,
    ],
    ["cuda:1", { ...twoGpus, cudaVisibleDevices: "1" }, /cuda:1, .*there is cuda:0 \(NVIDIA H200/],
    ["cuda:9", noGpu, /cuda:9, .*not installed/],
    ["cuda:0", { ...twoGpus, gpus: [] }, /cuda:0, .*no NVIDIA GPU was found/],
    ["cuda", { ...twoGpus, cudaVisibleDevices: "" }, /hides/],
    ["webgpu:1", noGpu, /webgpu:1, .*webgpu:0/],
  ])("%s", (wanted, listing, message) => {
    expect(() => chooseDevices(wanted, listing)).toThrow(
      expect.objectContaining({ reason: Reason.DEVICE_UNAVAILABLE, message: expect.stringMatching(message) }),
    );
  });
});

test.each(["gpu", "auto:1", "cpu:0", "cpu:1,2", "cuda:", "cuda:a", ""])(
  "%j is no list of devices",
  (wanted) => {
    expect(() => chooseDevices(wanted, twoGpus)).toThrow(
      expect.objectContaining({
        reason: Reason.CONFIG_INVALID,
        message: expect.stringContaining(`"${wanted}"`),
      }),
    );
  },
);

test.each([
  [0, 8, 1, 7],
  [0, 8, 2, 3],
  [0, 2, 4, 1],
  [0, 1, 1, 1],
  [5, 8, 2, 5],
  [0, 8, 0, 7],
])(
  "%d threads asked for on %d cores with %d CPU instances: %d each",
  (configured, cores, instances, threads) => {
    expect(intraOpThreads(configured, cores, instances)).toBe(threads);
  },
);

describe("instance_group", () => {
  const cpu = [{ provider: "cpu", deviceId: 0 }] as const;
  const gpus = [
    { provider: "cuda", deviceId: 0 },
    { provider: "cuda", deviceId: 1 },
  ] as const;
  const { AUTO, CPU, GPU } = InstanceGroup_Kind;

  test.each([
    ["no group", [], gpus, ["cuda:0", "cuda:1"]],
    ["two on each device", [{ kind: AUTO, count: 2 }], gpus, ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]],
    ["two on CPU", [{ count: 2 }], cpu, ["cpu:0", "cpu:1"]],
    ["one GPU", [{ kind: GPU, gpus: [1] }], gpus, ["cuda:1"]],
    ["GPUs by choice of the server", [{ kind: AUTO, gpus: [1, 1] }], gpus, ["cuda:1"]],
    [
      "the CPU where one of them is missing",
      [{ kind: AUTO, gpus: [1, 7], count: 2 }],
      gpus,
      ["cpu:0", "cpu:1"],
    ],
    ["the CPU where there is no GPU", [{ gpus: [0] }], cpu, ["cpu:0"]],
    ["all GPUs", [{ kind: GPU }], gpus, ["cuda:0", "cuda:1"]],
    [
      "CPU beside a GPU",
      [
        { kind: CPU, count: 2 },
        { kind: GPU, gpus: [0] },
      ],
      gpus,
      ["cpu:0", "cpu:1", "cuda:0"],
    ],
  ])("%s", (_, groups, devices, expected) => {
    const messages = groups.map((group) => create(InstanceGroupSchema, group));
    expect(instanceDevices(messages, devices).map(deviceName)).toEqual(expected);
  });

  test.each([
    [{ kind: GPU }, cpu, /asks for a GPU, but the server runs on cpu:0/],
    [{ kind: GPU, gpus: [7] }, gpus, /asks for GPU 7, but the server runs on cuda:0, cuda:1/],
  ])("%o is refused where the server has it not", (group, devices, message) => {
    expect(() => instanceDevices([create(InstanceGroupSchema, group)], devices)).toThrow(message);
  });
});
