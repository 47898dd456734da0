import type { PreparedModel } from "./prepared-model.ts";
import { quoted, refusal } from "./refusal.ts";
import type { ExternalTensor } from "./stored-tensors.ts";

/** A file of the version folder that holds weights. */
export interface WeightFile {
  /** With links followed. */
  readonly path: string;
  readonly byteLength: number;
}

/**
 * Checks that weights beside the model lie in whole files inside the folder, and lists those files. `find` follows links and
 * throws MODEL_INVALID for a location that is not there or leads outside. The runtime maps the files itself, so that
 * instances share them.
 */
export function findWeightFiles(
  external: readonly ExternalTensor[],
  find: (location: string) => WeightFile,
): PreparedModel["externalData"] {
  const files = new Map<string, WeightFile>();
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
  return [...files].map(([location, { path }]) => ({ location, path }));
}
