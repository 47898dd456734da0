import { Buffer } from "node:buffer";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError, messageOf } from "../errors.ts";
import type { TreeKernelUse } from "../model/prepared-model.ts";
import type { StartMessage, WorkerStart } from "./channel.ts";
import type { SlotMemory } from "./slot-memory.ts";

/** Runs frames: a session of this thread, or one in another process. */
export interface Runner {
  /** The event loop of its thread has to turn between runs; what it then throws ends the worker. */
  readonly needsTurns: boolean;
  /** What runs the model's trees; undefined where it has none, or Assay's own code was not asked for. */
  readonly treeKernel: TreeKernelUse | undefined;
  /**
   * Runs the frame of inputs in `memory` and lays a frame of outputs in `output`. Returns RUN_OK, or the number of a Reason where
   * the run failed, whose text lies in `output`. Rejects where the runner cannot go on.
   */
  run(memory: SharedArrayBuffer, output: SlotMemory): Promise<number>;
  /** Frees what it holds; no run is in progress. */
  close(): Promise<void>;
}

/** Makes a runner, and tells what is to be known of it before it is ready. Throws why it did not start. */
export type OpenRunner = (start: WorkerStart, tell: (message: StartMessage) => void) => Promise<Runner>;

/** Why a runner did not start, as it is told across threads and processes. */
export function startFailure(error: unknown): { readonly reason: Reason; readonly message: string } {
  return {
    reason: error instanceof AssayError ? error.reason : Reason.INTERNAL,
    message: messageOf(error),
  };
}

const MAX_TEXT_LENGTH = 4096;
const LENGTH_BYTES = 4;

/** Lays an error's text in `memory`: its length in bytes, then UTF-8. Returns the bytes that it takes. */
export function writeText(text: string, memory: SlotMemory): number {
  const bytes = Buffer.from(text.slice(0, MAX_TEXT_LENGTH), "utf8");
  memory.fit(LENGTH_BYTES + bytes.length);
  new Int32Array(memory.buffer, 0, 1)[0] = bytes.length;
  new Uint8Array(memory.buffer, LENGTH_BYTES).set(bytes);
  return LENGTH_BYTES + bytes.length;
}

/** The text that `writeText` laid in `memory`. */
export function readText(memory: SharedArrayBuffer): string {
  return Buffer.from(memory, LENGTH_BYTES, textBytes(memory) - LENGTH_BYTES).toString("utf8");
}

/** The bytes that the text in `memory` takes, its length among them. */
export function textBytes(memory: SharedArrayBuffer): number {
  return LENGTH_BYTES + new Int32Array(memory, 0, 1)[0]!;
}
