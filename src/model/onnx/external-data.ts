import type { WeightFile } from "../prepared-model.ts";
import { quoted, refusal } from "../refusal.ts";
import type { ExternalTensor } from "./stored-tensors.ts";

/** Where a location of the graph leads, and how long that file is. */
export type FoundFile = Pick<WeightFile, "path" | "byteLength">;

/**
 * Checks that weights beside the model lie in whole files inside the folder, and lists those files. `find` follows links and
 * throws MODEL_INVALID for a location that is not there or leads outside. Their bytes are read where a session is made.
 */
export function findWeightFiles(
  external: readonly ExternalTensor[],
  find: (location: string) => FoundFile,
): WeightFile[] {
  const files = new Map<string, FoundFile>();
  for (const { name, location, offset, byteLength } of external) {
    const file = files.get(location) ?? find(location);
    files.set(location, file);
    if (offset + byteLength > file.byteLength) {
      throw refusal(
        `weight ${quoted(name)} lies at byte ${offset} to ${offset + byteLength} of ${quoted(location)}, which has ` +
          `${file.byteLength} bytes: the file was cut off or belongs to another model, copy it again`,
      );
    }
  }
  return Array.from(files, ([location, { path, byteLength }]) => ({
    location,
    path,
    byteLength,
    sha256: undefined,
  }));
}
