import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { TensorProtoSchema } from "../../../gen/onnx/onnx-ml_pb.ts";
import type { TensorData } from "../../tensor/tensor-data.ts";
import type { GoldenCase } from "../prepared-model.ts";
import { refusal } from "../refusal.ts";
import { readOnnxOutline } from "./onnx-outline.ts";
import { decodeTensor } from "./tensor-proto.ts";

/** What ONNX's own test runner allows, with a floor for values near zero. */
const TEST_DATA_TOLERANCE = { abs: 1e-5, rel: 1e-3 };

/**
 * Reads ONNX's `test_data_set_N/input_I.pb` and `output_I.pb` beside a model; the position I is that of the graph's inputs
 * and outputs. Throws MODEL_INVALID for files that are no tensors.
 */
export async function readTestDataSets(folder: string, modelBytes: Uint8Array): Promise<GoldenCase[]> {
  const sets = (await readdir(folder))
    .filter((name) => /^test_data_set_\d+$/.test(name))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (sets.length === 0) return [];
  const graph = graphNames(modelBytes);
  const cases: GoldenCase[] = [];
  for (const set of sets) {
    const inputs = await readTensors(join(folder, set), "input", graph.inputs, set);
    const outputs = await readTensors(join(folder, set), "output", graph.outputs, set);
    if (inputs.length > 0 && outputs.length > 0) {
      cases.push({ inputs, outputs, tolerance: TEST_DATA_TOLERANCE });
    }
  }
  return cases;
}

function graphNames(bytes: Uint8Array): { inputs: string[]; outputs: string[] } {
  try {
    const graph = readOnnxOutline(bytes).model.graph;
    const stored = new Set(graph?.initializer.map(({ name }) => name));
    const inputs = graph?.input.map(({ name }) => name).filter((name) => !stored.has(name)) ?? [];
    return { inputs, outputs: graph?.output.map(({ name }) => name) ?? [] };
  } catch {
    // What is wrong with the model itself is said when it is prepared.
    return { inputs: [], outputs: [] };
  }
}

async function readTensors(
  folder: string,
  role: "input" | "output",
  names: readonly string[],
  set: string,
): Promise<TensorData[]> {
  const pattern = new RegExp(`^${role}_(\\d+)\\.pb$`);
  const files = (await readdir(folder)).flatMap((file) => {
    const index = pattern.exec(file)?.[1];
    return index === undefined ? [] : [{ file, index: Number(index) }];
  });
  files.sort((a, b) => a.index - b.index);
  return Promise.all(
    files.map(async ({ file, index }) => {
      try {
        const tensor = fromBinary(TensorProtoSchema, await readFile(join(folder, file)));
        return decodeTensor(tensor, names[index] ?? tensor.name);
      } catch (cause) {
        throw refusal(`${set}/${file}: no tensor of a served type: ${(cause as Error).message}`, cause);
      }
    }),
  );
}
