import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isCudaInstalled } from "../worker/session/installed-providers.ts";
import type { DeviceListing } from "./devices.ts";
import { readGpus } from "./gpu-listing.ts";

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
