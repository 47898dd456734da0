import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { InstanceGroup_Kind, InstanceGroupSchema } from "../../../gen/assay/config/v1/model_config_pb.ts";
import { instanceDevices } from "../../../src/pool/instance-groups.ts";
import { deviceName } from "../../../src/worker/device.ts";

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
