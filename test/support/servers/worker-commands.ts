import { BroadcastChannel } from "node:worker_threads";

/** What a commanded worker does once, before its next run; `device` names one instance, else all obey. */
export type WorkerCommand = { readonly device?: string } & (
  | { readonly kind: "exit" | "throw" }
  | { readonly kind: "pause" | "compute" | "hang-in-native-code"; readonly ms: number }
);

/** The entry for `createPool`'s `workerUrl`. */
export const COMMANDED_WORKER_URL = new URL("../../workers/commanded-worker.ts", import.meta.url);

/** The entry of shared threads for `SharedThreads`. */
export const COMMANDED_SHARED_URL = new URL("../../workers/commanded-shared-worker.ts", import.meta.url);

/** Posts a command to the commanded workers of this process that are up. */
export function commandWorkers(command: WorkerCommand): void {
  const channel = new BroadcastChannel("assay test worker commands");
  channel.postMessage(command);
  channel.close();
}
