import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { WeightFile } from "../../model/prepared-model.ts";

/** A file of weights in memory, by the name that the graph has for it. */
export interface Weights {
  readonly location: string;
  readonly data: Uint8Array;
}

const CHUNK_BYTES = 64 * 2 ** 20;

/**
 * Reads files of weights into memory of their own, which ONNX Runtime copies from: a mapped file would change under the session,
 * or end the process with SIGBUS where it is cut. Throws MODEL_INVALID where a file is not what the model was checked with.
 */
export function readWeights(sources: readonly WeightFile[]): Weights[] {
  return sources.map((source) => ({ location: source.location, data: readFile(source) }));
}

function readFile(source: WeightFile): Uint8Array {
  const { path, byteLength, sha256 } = source;
  const data = new Uint8Array(byteLength);
  const hash = createHash("sha256");
  let at = 0;
  try {
    const file = openSync(path, "r");
    try {
      while (at < byteLength) {
        const count = readSync(file, data, at, Math.min(CHUNK_BYTES, byteLength - at), at);
        if (count === 0) break;
        if (sha256 !== undefined) hash.update(data.subarray(at, at + count));
        at += count;
      }
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw changed(source, `cannot be read any more (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
  if (at < byteLength) throw changed(source, `has ${at} bytes, ${byteLength} were there`);
  if (sha256 !== undefined && hash.digest("hex") !== sha256) throw changed(source, "holds other bytes");
  return data;
}

function changed({ location }: WeightFile, what: string, cause?: unknown): AssayError {
  return new AssayError(
    Reason.MODEL_INVALID,
    `the weights file ${JSON.stringify(location)} has changed since the model was read: it ${what}; put the old file back, or restart the server to load the new one`,
    { cause },
  );
}
