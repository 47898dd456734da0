import { createRequire } from "node:module";
import type { Run } from "../../../src/model/gate/coupling-check.ts";
import type { PreparedModel } from "../../../src/model/prepared-model.ts";
import { sessionName } from "../../../src/model/repair/session-names.ts";
import { DATATYPE_NAMES, type NumericArray, rowOf } from "../../../src/tensor/datatype.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";

// onnxruntime-node takes float16 as Uint16Array only where this is absent when the first tensor is made.
Reflect.deleteProperty(globalThis, "Float16Array");
const ort = createRequire(import.meta.url)("onnxruntime-node") as typeof import("onnxruntime-node");

/** A session of onnxruntime-node without anything of Assay's between; whoever makes it calls `release`. */
export interface BareSession {
  readonly run: Run;
  readonly outputNames: readonly string[];
  release(): Promise<void>;
}

/** Opens a session on one thread, silent. `folder` holds external data. */
export async function openBareSession(bytes: Uint8Array, folder?: string): Promise<BareSession> {
  const extra =
    folder === undefined
      ? {}
      : { extra: { session: { model_external_initializers_file_folder_path: folder } } };
  const options = { logSeverityLevel: 4 as const, intraOpNumThreads: 1, ...extra };
  const session = await ort.InferenceSession.create(bytes, options);
  return {
    outputNames: session.outputNames,
    release: () => session.release(),
    async run(inputs) {
      const feeds: Record<string, InstanceType<typeof ort.Tensor>> = Object.create(null);
      for (const { name, datatype, shape, data } of inputs) {
        feeds[name] = new ort.Tensor(rowOf(datatype).sessionType as "float32", data as Float32Array, shape);
      }
      const results = await session.run(feeds);
      return session.outputNames.flatMap((name) => {
        const tensor = Object.hasOwn(results, name) ? results[name] : undefined;
        return tensor === undefined ? [] : [fromOrt(name, tensor)];
      });
    },
  };
}

/** Runs a model once, in a session of its own. */
export async function runBare(
  bytes: Uint8Array,
  inputs: readonly TensorData[],
  folder?: string,
): Promise<readonly TensorData[]> {
  const session = await openBareSession(bytes, folder);
  try {
    return await session.run(inputs);
  } finally {
    await session.release();
  }
}

/** Opens a session of a prepared model that is fed and fetched by the model's own names. */
export async function openPreparedSession(model: PreparedModel): Promise<BareSession> {
  const session = await openBareSession(model.bytes);
  const names = new Map(model.signature.outputs.map(({ name }) => [sessionName(name), name]));
  return {
    ...session,
    async run(inputs) {
      const outputs = await session.run(inputs.map((input) => ({ ...input, name: sessionName(input.name) })));
      return outputs.map((output) => ({ ...output, name: names.get(output.name) ?? output.name }));
    },
  };
}

function fromOrt(name: string, tensor: InstanceType<typeof ort.Tensor>): TensorData {
  const datatype = DATATYPE_NAMES.find((key) => rowOf(key).sessionType === tensor.type)!;
  return { name, datatype, shape: tensor.dims, data: tensor.data as unknown as NumericArray };
}
