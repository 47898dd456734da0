/** The only place that reads the process's environment: a snapshot, taken when called. */
export function readEnvironment(): Readonly<Record<string, string | undefined>> {
  return { ...process.env };
}

/**
 * Makes CUDA number devices in PCI order, as Assay and `nvidia-smi` do, unless the environment orders them otherwise; CUDA's own
 * default is the fastest first. Call before any session is made.
 */
export function orderGpusByPci(): void {
  process.env.CUDA_DEVICE_ORDER ??= "PCI_BUS_ID";
}
