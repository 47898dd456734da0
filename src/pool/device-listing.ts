import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isCudaInstalled } from "../worker/device.ts";

/** One GPU as the NVIDIA driver describes it. */
export interface Gpu {
  readonly model: string;
  /** `GPU-…`; empty where the driver does not say. */
  readonly uuid: string;
  /** `0000:07:00.0` */
  readonly busLocation: string;
}

/** Reads what a machine says of its devices. */
export interface DeviceListing {
  /** In PCI order; undefined where there is no NVIDIA driver to ask. */
  readonly gpus: readonly Gpu[] | undefined;
  /** The value of CUDA_VISIBLE_DEVICES; undefined where it is not set. */
  readonly cudaVisibleDevices: string | undefined;
  /** ONNX Runtime's CUDA provider is there. */
  readonly isCudaInstalled: boolean;
}

const GPU_FOLDER = "/proc/driver/nvidia/gpus";

/** Asks the machine. `cudaVisibleDevices` is the environment's CUDA_VISIBLE_DEVICES; `gpuFolder` is the driver's. */
export function readDeviceListing(
  cudaVisibleDevices: string | undefined,
  gpuFolder: string = GPU_FOLDER,
): DeviceListing {
  return { gpus: listGpus(gpuFolder), cudaVisibleDevices, isCudaInstalled: isCudaInstalled() };
}

function listGpus(gpuFolder: string): DeviceListing["gpus"] {
  try {
    const addresses = readdirSync(gpuFolder);
    return readGpus(
      addresses.map((address) => ({
        address,
        text: readFileSync(join(gpuFolder, address, "information"), "utf8"),
      })),
    );
  } catch {
    // No NVIDIA driver, or one that may not be asked here.
    return undefined;
  }
}

/**
 * The GPUs of `/proc/driver/nvidia/gpus/<address>/information`, in PCI order; those that the driver excludes are left out.
 * `files` has the address and the text of each.
 */
export function readGpus(files: readonly { readonly address: string; readonly text: string }[]): Gpu[] {
  const gpus: Gpu[] = [];
  for (const { address, text } of files) {
    const fields = new Map<string, string>();
    for (const line of text.split("\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) fields.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
    }
    if (fields.get("GPU Excluded") === "Yes") continue;
    gpus.push({
      model: fields.get("Model") ?? "NVIDIA GPU",
      uuid: fields.get("GPU UUID") ?? "",
      busLocation: (fields.get("Bus Location") ?? address).toLowerCase(),
    });
  }
  return gpus.sort((a, b) => (a.busLocation < b.busLocation ? -1 : a.busLocation > b.busLocation ? 1 : 0));
}

/**
 * The GPUs that CUDA shows a process: `CUDA_VISIBLE_DEVICES` names them by index or by the start of the UUID and orders them; the
 * first name that fits none ends the list (CUDA C++ Programming Guide, environment variables).
 */
export function visibleGpus(gpus: readonly Gpu[], cudaVisibleDevices: string | undefined): Gpu[] {
  if (cudaVisibleDevices === undefined) return [...gpus];
  const visible: Gpu[] = [];
  for (const name of cudaVisibleDevices.split(",").map((part) => part.trim())) {
    const matches = /^\d+$/.test(name)
      ? gpus.slice(Number(name), Number(name) + 1)
      : gpus.filter((gpu) => name.startsWith("GPU-") && gpu.uuid.startsWith(name));
    const gpu = matches[0];
    if (gpu === undefined || matches.length > 1 || visible.includes(gpu)) break;
    visible.push(gpu);
  }
  return visible;
}
