import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import type { Pool } from "./pool.ts";

/**
 * Runs tensors as one batch on an idle instance and copies the outputs: for golden rows and probes, before a batcher has
 * the pool. Rejects with the pool's AssayError.
 */
export function runTensors(
  pool: Pool,
  inputs: readonly TensorData[],
  outputNames: readonly string[] = [],
): Promise<TensorData[]> {
  return new Promise((resolve, reject) => {
    if (pool.idleCount === 0)
      throw new AssayError(Reason.INSTANCE_LOST, "no instance is up to run these rows");
    pool.run({
      inputs,
      outputNames,
      write(memory) {
        for (const [index, input] of inputs.entries()) {
          if (input.datatype === "BYTES") memory.appendStrings(index, input.data as readonly string[]);
          else (memory.numeric(index) as Uint8Array).set(input.data as Uint8Array);
        }
      },
      onOutputs: (outputs) => resolve(outputs.map((output) => ({ ...output, data: output.data.slice() }))),
      onError: reject,
    });
  });
}
