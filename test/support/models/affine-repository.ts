import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import {
  type PredictRequest,
  PredictRequestSchema,
  type PredictResponse,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { affineModel } from "./onnx-model.ts";

/** A model repository with one model, `affine`: `y = 2x + 1`. Whoever made it removes it. */
export interface AffineRepository {
  readonly folder: string;
  /** Puts another file in the place of version 1, which serves the same. */
  changeFile(): void;
  remove(): void;
}

const ROWS_OF_A_REQUEST = 64;
const COLUMNS = 16;

/** Writes the repository to a new folder. */
export function writeAffineRepository(): AffineRepository {
  const folder = mkdtempSync(join(tmpdir(), "assay-affine-"));
  const version = join(folder, "affine", "1");
  mkdirSync(version, { recursive: true });
  const { bytes } = affineModel(COLUMNS);
  writeFileSync(join(version, "model.onnx"), bytes);
  return {
    folder,
    changeFile() {
      // doc_string, field 6 of ModelProto.
      writeFileSync(join(version, "model.onnx"), Buffer.concat([bytes, Buffer.of((6 << 3) | 2, 1, 0x61)]));
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Request number `index`; no two have a row in common. */
export function affineRequest(index: number, rows = ROWS_OF_A_REQUEST): PredictRequest {
  const values = Float32Array.from(
    { length: rows * COLUMNS },
    (_, i) => index * 1000 + Math.floor(i / COLUMNS),
  );
  return create(PredictRequestSchema, {
    modelName: "affine",
    modelVersion: "1",
    inputs: [
      {
        name: "x",
        datatype: "FP32",
        shape: [BigInt(rows), BigInt(COLUMNS)],
        rawContents: new Uint8Array(values.buffer),
      },
    ],
  });
}

/** Whether a response is the answer to request number `index`, row by row. */
export function isAffineAnswer(index: number, response: PredictResponse, rows = ROWS_OF_A_REQUEST): boolean {
  const raw = response.outputs[0]?.rawContents;
  if (raw?.length !== rows * COLUMNS * 4) return false;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  for (let i = 0; i < rows * COLUMNS; i++) {
    const expected = 2 * (index * 1000 + Math.floor(i / COLUMNS)) + 1;
    if (view.getFloat32(i * 4, true) !== expected) return false;
  }
  return true;
}
