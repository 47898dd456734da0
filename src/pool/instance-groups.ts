import { type InstanceGroup, InstanceGroup_Kind } from "../../gen/assay/config/v1/model_config_pb.ts";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { Device } from "../worker/device.ts";
import { deviceNames } from "./devices.ts";

/**
 * Where the instances of a model run: what its `instance_group` says, else one on each of the server's devices. Throws
 * DEVICE_UNAVAILABLE for GPUs that the server does not use.
 */
export function instanceDevices(
  groups: readonly InstanceGroup[],
  serverDevices: readonly Device[],
): Device[] {
  if (groups.length === 0) return [...serverDevices];
  const devices: Device[] = [];
  for (const group of groups) {
    for (let copy = 0; copy < (group.count ?? 1); copy++) devices.push(...groupDevices(group, serverDevices));
  }
  let cpuCount = 0;
  return devices.map((device) => (device.provider === "cpu" ? { ...device, deviceId: cpuCount++ } : device));
}

function groupDevices(group: InstanceGroup, serverDevices: readonly Device[]): readonly Device[] {
  switch (group.kind) {
    case InstanceGroup_Kind.CPU:
      return [{ provider: "cpu", deviceId: 0 }];
    case InstanceGroup_Kind.GPU: {
      const gpus = serverDevices.filter((device) => device.provider !== "cpu");
      const missing = group.gpus.find((id) => !gpus.some((gpu) => gpu.deviceId === id));
      if (missing !== undefined || gpus.length === 0) {
        const wanted = missing === undefined ? "a GPU" : `GPU ${missing}`;
        throw new AssayError(
          Reason.DEVICE_UNAVAILABLE,
          `instance_group asks for ${wanted}, but the server runs on ${deviceNames(serverDevices)}; change gpus or kind, or start with other --devices`,
        );
      }
      return group.gpus.length === 0 ? gpus : gpus.filter((gpu) => group.gpus.includes(gpu.deviceId));
    }
    default:
      return serverDevices;
  }
}
