import { Buffer } from "node:buffer";
import type { SlotMemory } from "./slot-memory.ts";

/** What runs frames: a session of this thread, or one in another process. */
export interface Runner {
  /** The event loop of its thread has to turn between runs; what it then throws ends the worker. */
  readonly needsTurns: boolean;
  /**
   * Runs the frame of inputs in `memory` and lays a frame of outputs in `output`. Returns RUN_OK, or the number of a Reason where
   * the run failed, whose text lies in `output`. Rejects where the runner cannot go on.
   */
  run(memory: SharedArrayBuffer, output: SlotMemory): Promise<number>;
  /** Frees what it holds; no run is in progress. */
  close(): Promise<void>;
}

const MAX_TEXT_LENGTH = 4096;

/** Lays an error's text in `memory`: its length in bytes, then UTF-8. Returns the bytes that it takes. */
export function writeText(text: string, memory: SlotMemory): number {
  const bytes = Buffer.from(text.slice(0, MAX_TEXT_LENGTH), "utf8");
  memory.fit(bytes.length + 4);
  new Int32Array(memory.buffer, 0, 1)[0] = bytes.length;
  new Uint8Array(memory.buffer, 4).set(bytes);
  return bytes.length + 4;
}

/** The text that `writeText` laid in `memory`. */
export function readText(memory: SharedArrayBuffer): string {
  const byteLength = new Int32Array(memory, 0, 1)[0]!;
  return Buffer.from(memory, 4, byteLength).toString("utf8");
}
