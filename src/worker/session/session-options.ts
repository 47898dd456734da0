import type { InferenceSession } from "onnxruntime-node";
import type { Device } from "../device.ts";
import type { Weights } from "./weights.ts";

/** The plan by which a session runs. */
export interface SessionPlan {
  readonly device: Device;
  /** Threads inside one run on CPU. */
  readonly intraOpThreads: number;
}

/**
 * ONNX Runtime's session options. Thread counts are always given: its default is one thread a core for every session, each
 * spinning for milliseconds after every run (ten times the CPU of a LightGBM run at 200 runs a second).
 * Operators that a GPU provider lacks run on CPU, which ONNX Runtime adds by itself.
 */
export function sessionOptions(
  plan: SessionPlan,
  weights: readonly Weights[] = [],
): InferenceSession.SessionOptions {
  return {
    executionProviders: [executionProvider(plan.device)],
    intraOpNumThreads: plan.intraOpThreads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    logSeverityLevel: 4,
    ...(weights.length === 0 ? {} : { externalData: weights.map(externalFile) }),
    extra: {
      session: {
        // Threads that spin after a run take the cores from the event loop and from other models.
        intra_op: { allow_spinning: "0" },
      },
    },
  };
}

function executionProvider(device: Device): InferenceSession.ExecutionProviderConfig {
  switch (device.provider) {
    case "cpu":
      return { name: "cpu" };
    case "cuda":
      return { name: "cuda", deviceId: device.deviceId };
    case "webgpu":
      // ONNX Runtime's WebGPU takes the system's first adapter and refuses `deviceId`.
      return { name: "webgpu" };
  }
}

/**
 * Weights as the binding takes them. It cuts `./` off the path that it is given, not off the one that the graph names, and so
 * would not find what exporters write as `./weights.bin`.
 */
function externalFile({ location, data }: Weights): { path: string; data: Uint8Array } {
  return { path: location.startsWith("./") ? `./${location}` : location, data };
}
