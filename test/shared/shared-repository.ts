import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXPORTED_MODELS } from "../support/models/exports.ts";
import { SHARED_MODELS } from "./shared-models.ts";

/**
 * Puts every model of the shared folder, and the exports of test/data, into a new model repository, by links; the single files as `<name>/1/model.onnx`. Whoever
 * calls it removes the folder.
 */
export function linkSharedModels(): string {
  const root = mkdtempSync(join(tmpdir(), "assay-shared-"));
  for (const folder of ["types", "tabular", "shapes", "neural", "hostile"]) {
    for (const file of readdirSync(join(SHARED_MODELS, folder))) {
      if (!file.endsWith(".onnx")) continue;
      const version = join(root, file.slice(0, -".onnx".length), "1");
      mkdirSync(version, { recursive: true });
      symlinkSync(join(SHARED_MODELS, folder, file), join(version, "model.onnx"));
      if (folder === "shapes") copyWeights(join(SHARED_MODELS, folder), version);
    }
  }
  for (const folder of [EXPORTED_MODELS, join(SHARED_MODELS, "triton")]) {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (existsSync(join(path, "1"))) symlinkSync(path, join(root, name));
    }
  }
  return root;
}

/** Weights have to be files of the folder itself. */
function copyWeights(from: string, to: string): void {
  for (const file of readdirSync(from))
    if (file.endsWith(".bin")) copyFileSync(join(from, file), join(to, file));
}
