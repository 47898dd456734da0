import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onnxModel } from "../models/onnx-model.ts";

/** The file of a model that adds `plus` to each of its `columns` floats: an answer tells which file it came from. */
export function plusModel(plus: number, columns = 1): Uint8Array {
  return onnxModel("plus", {
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, columns] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [-1, columns] }],
    nodes: [{ op: "Add", inputs: ["x", "plus"], outputs: ["y"] }],
    initializers: [{ name: "plus", shape: [1], data: [plus] }],
  }).bytes;
}

/** A repository whose models `plus` and others change; `folder` is its owner's. */
export class ChangingRepository {
  readonly folder: string;
  private count = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Puts a version there, or another file in its place, as one should: a finished copy is renamed. */
  put(version: number | string, bytes: Uint8Array, model = "plus"): void {
    this.write(join(model, String(version), "model.onnx"), bytes);
  }

  /** Writes the model's config.json. */
  configure(config: unknown, model = "plus"): void {
    this.write(join(model, "config.json"), JSON.stringify(config));
  }

  /** Writes any file of the repository. */
  write(name: string, content: string | Uint8Array): void {
    const path = join(this.folder, name);
    mkdirSync(join(path, ".."), { recursive: true });
    const copy = join(this.folder, `.copy-${++this.count}`);
    writeFileSync(copy, content);
    renameSync(copy, path);
  }

  /** Takes a version away, or the whole model. */
  remove(version = "", model = "plus"): void {
    rmSync(join(this.folder, model, version), { recursive: true });
  }
}
