/** Decides which devices to run on. Pure: what the machine has comes in as a listing. */
import { type InstanceGroup, InstanceGroup_Kind } from "../../gen/assay/config/v1/model_config_pb.ts";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { type Device, deviceName } from "../worker/device.ts";
import { type DeviceListing, type Gpu, visibleGpus } from "./device-listing.ts";

/** The devices of a server. */
export interface DeviceChoice {
  readonly devices: readonly Device[];
  /** They were found, not asked for: where they cannot be used, CPU does as well. */
  readonly isAutomatic: boolean;
  /** One line for the log; empty where there is nothing to say. */
  readonly notice: string;
}

const INSTALL_CUDA =
  "ONNX Runtime's CUDA provider is not installed; docs/gpu.md has the one command that installs it";

const DEVICES_FLAG = "--devices";

/**
 * Reads `--devices`: `auto`, `cpu`, `cpu:2` (instances), `cuda`, `cuda:0,1`, `webgpu:0` (device ids). Throws CONFIG_INVALID for
 * other forms and DEVICE_UNAVAILABLE, with what there is, for devices that the machine lacks; `origin` is where it was set.
 */
export function chooseDevices(
  wanted: string,
  listing: DeviceListing,
  origin: string = DEVICES_FLAG,
): DeviceChoice {
  try {
    return choose(wanted, listing);
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    throw new AssayError(
      error.reason,
      error.message.replace(DEVICES_FLAG, () => origin),
      { cause: error.cause },
    );
  }
}

function choose(wanted: string, listing: DeviceListing): DeviceChoice {
  const match = /^(auto|cpu|cuda|webgpu)(?::(\d+(?:,\d+)*))?$/.exec(wanted);
  if (match === null || (match[1] === "auto" && match[2] !== undefined)) throw invalidDevices(wanted);
  const numbers = match[2]?.split(",").map(Number);
  switch (match[1]) {
    case "cpu": {
      if (numbers !== undefined && (numbers.length > 1 || numbers[0] === 0)) throw invalidDevices(wanted);
      return asked(cpuDevices(numbers?.[0] ?? 1));
    }
    case "cuda":
      return asked(cudaDevices(numbers, listing));
    case "webgpu":
      return asked(webgpuDevices(numbers));
    default:
      return automatic(listing);
  }
}

/** `count` CPU instances. */
export function cpuDevices(count: number): Device[] {
  return Array.from({ length: count }, (_, deviceId) => ({ provider: "cpu" as const, deviceId }));
}

/** Threads inside a run for each CPU instance; 0 shares all cores but one, which the event loop needs, among them. */
export function intraOpThreads(configured: number, cores: number, cpuInstances: number): number {
  if (configured > 0) return configured;
  return Math.max(1, Math.floor(Math.max(1, cores - 1) / Math.max(1, cpuInstances)));
}

function asked(devices: readonly Device[]): DeviceChoice {
  return { devices, isAutomatic: false, notice: "" };
}

function automatic(listing: DeviceListing): DeviceChoice {
  const gpus = visibleGpus(listing.gpus ?? [], listing.cudaVisibleDevices);
  const notice = whyNoCuda(listing, gpus);
  if (notice === "") return { devices: gpus.map((_, id) => cuda(id)), isAutomatic: true, notice };
  return { devices: cpuDevices(1), isAutomatic: true, notice: `running on CPU: ${notice}` };
}

function whyNoCuda(listing: DeviceListing, visible: readonly Gpu[]): string {
  if (listing.gpus === undefined || listing.gpus.length === 0) return "no NVIDIA GPU was found";
  const found = listing.gpus.map((gpu) => gpu.model).join(", ");
  if (visible.length === 0) return `CUDA_VISIBLE_DEVICES="${listing.cudaVisibleDevices}" hides ${found}`;
  return listing.isCudaInstalled ? "" : `${found} found, but ${INSTALL_CUDA}`;
}

function cudaDevices(ids: readonly number[] | undefined, listing: DeviceListing): Device[] {
  const gpus = visibleGpus(listing.gpus ?? [], listing.cudaVisibleDevices);
  const wanted = ids?.map((id) => `cuda:${id}`).join(", ") ?? "cuda";
  if (!listing.isCudaInstalled) throw unavailable(wanted, INSTALL_CUDA);
  // Without the driver's listing, as in WSL, CUDA itself has to say what there is.
  if (listing.gpus === undefined) return [...new Set(ids ?? [0])].map((deviceId) => cuda(deviceId));
  if (gpus.length === 0) throw unavailable(wanted, whyNoCuda(listing, gpus));
  const missing = ids?.find((id) => id >= gpus.length);
  if (missing !== undefined) {
    const there = gpus.map((gpu, id) => `cuda:${id} (${gpu.model} at ${gpu.busLocation})`).join(", ");
    throw unavailable(`cuda:${missing}`, `there is ${there}`);
  }
  return ids === undefined
    ? gpus.map((_, id) => cuda(id))
    : [...new Set(ids)].map((deviceId) => cuda(deviceId));
}

function webgpuDevices(ids: readonly number[] | undefined): Device[] {
  const other = ids?.find((id) => id !== 0);
  if (other !== undefined) {
    throw unavailable(
      `webgpu:${other}`,
      "ONNX Runtime's WebGPU uses the system's first adapter only, webgpu:0",
    );
  }
  return [{ provider: "webgpu", deviceId: 0 }];
}

function cuda(deviceId: number): Device {
  return { provider: "cuda", deviceId };
}

function unavailable(device: string, why: string): AssayError {
  return new AssayError(
    Reason.DEVICE_UNAVAILABLE,
    `--devices asks for ${device}, which cannot be used: ${why}; name other devices, or use --devices cpu`,
  );
}

function invalidDevices(wanted: string): AssayError {
  return new AssayError(
    Reason.CONFIG_INVALID,
    `--devices "${wanted}" is none of auto, cpu, cpu:2 (instances), cuda, cuda:0,1 or webgpu:0 (device ids)`,
  );
}

function deviceNames(devices: readonly Device[]): string {
  return devices.map(deviceName).join(", ");
}

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
    default: {
      // Without all of the GPUs that are named, KIND_AUTO means the CPU.
      if (group.gpus.length === 0) return serverDevices;
      const named = serverDevices.filter(
        ({ provider, deviceId }) => provider !== "cpu" && group.gpus.includes(deviceId),
      );
      return named.length === new Set(group.gpus).size ? named : [{ provider: "cpu", deviceId: 0 }];
    }
  }
}
