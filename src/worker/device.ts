import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** An execution provider of ONNX Runtime that Assay can run sessions on. */
type ExecutionProvider = "cpu" | "cuda" | "webgpu";

/** One place to run a session on. CPU instances are numbered too, so that each has a name of its own. */
export interface Device {
  readonly provider: ExecutionProvider;
  /** CUDA's device id, in the order that the process sees; the number of the instance on CPU. */
  readonly deviceId: number;
}

/** `cpu:0`, `cuda:1`: how a device is named to users. */
export function deviceName(device: Device): string {
  return `${device.provider}:${device.deviceId}`;
}

/**
 * Tells whether onnxruntime-node's install script has fetched the CUDA provider: looks for its library, loads nothing. WebGPU and CPU
 * are part of the package.
 */
export function isCudaInstalled(): boolean {
  const root = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  const folder = join(root, "bin", "napi-v6", process.platform, process.arch);
  const file =
    process.platform === "win32" ? "onnxruntime_providers_cuda.dll" : "libonnxruntime_providers_cuda.so";
  return existsSync(join(folder, file));
}
