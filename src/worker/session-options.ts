import type { InferenceSession } from "onnxruntime-node";
import type { Device } from "./device.ts";

/** What decides how a session runs. */
export interface SessionPlan {
  readonly device: Device;
  /** Threads inside one run on CPU. */
  readonly intraOpThreads: number;
  readonly externalData: readonly { readonly location: string; readonly path: string }[];
}

/**
 * ONNX Runtime's session options. Thread counts are always given: its default is one thread a core for every session, each
 * spinning for milliseconds after every run (ten times the CPU of a LightGBM run at 200 runs a second).
 * Operators that a GPU provider lacks run on CPU, which ONNX Runtime adds by itself.
 */
export function sessionOptions(plan: SessionPlan): InferenceSession.SessionOptions {
  const folder = externalFolder(plan.externalData);
  return {
    executionProviders: [executionProvider(plan.device)],
    intraOpNumThreads: plan.intraOpThreads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    logSeverityLevel: 4,
    extra: {
      session: {
        // Threads that spin after a run take the cores from the event loop and from other models.
        intra_op: { allow_spinning: "0" },
        ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
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

/** The folder that the locations are relative to, from which ONNX Runtime maps the files itself. */
function externalFolder(files: SessionPlan["externalData"]): string | undefined {
  const file = files[0];
  if (file === undefined) return undefined;
  const path = file.path.replaceAll("\\", "/");
  const location = file.location.replaceAll("\\", "/").replace(/^\.\//, "");
  return path.endsWith(`/${location}`) ? path.slice(0, -location.length - 1) : path.replace(/\/[^/]*$/, "");
}
