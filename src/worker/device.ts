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
