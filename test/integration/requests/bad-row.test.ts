import { afterEach, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { Batcher, Entry } from "../../../src/batcher/batcher.ts";
import type { AssayError } from "../../../src/errors.ts";
import { lookupModel } from "../../support/models/onnx-model.ts";
import { type Core, stageTimes, startCore } from "../../support/servers/scoring-core.ts";

let core: Core;
afterEach(() => core.close());

function lookUp(batcher: Batcher, indices: readonly number[]): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const entry: Entry = {
      rowCount: indices.length,
      byteCount: indices.length * 8,
      inputs: [{ name: "index", datatype: "INT64", tailShape: [] }],
      shapeKey: "index",
      lane: "interactive",
      deadlineAt: Number.POSITIVE_INFINITY,
      outputNames: ["value"],
      times: stageTimes(),
      write(writer, fromRow, rowCount) {
        const target = writer.numeric(0);
        for (let row = 0; row < rowCount; row++) target[row] = BigInt(indices[fromRow + row]!);
      },
      onOutputs: ([output]) => resolve(Array.from(output!.data, Number)),
      onError: reject,
    };
    batcher.enqueue(entry);
  });
}

test("a row that the model cannot take fails its own caller and nobody it shared a batch with", async () => {
  core = await startCore({ model: lookupModel() });
  const asked = Array.from({ length: 50 }, (_, caller) => [
    caller % 10,
    caller === 17 || caller === 40 ? 99 : 1,
  ]);
  const results = await Promise.allSettled(asked.map((indices) => lookUp(core.batcher, indices)));
  for (const [caller, result] of results.entries()) {
    if (caller === 17 || caller === 40) {
      expect(result.status).toBe("rejected");
      const { reason } = result as PromiseRejectedResult;
      expect((reason as AssayError).reason).toBe(Reason.RUN_FAILED);
      expect((reason as AssayError).message).toMatch(/^the model failed on these rows: .*indices/);
      expect((reason as AssayError).message).not.toMatch(/\.cc|onnxruntime_src/);
    } else {
      expect(result).toEqual({ status: "fulfilled", value: asked[caller] });
    }
  }
  expect(core.pool.instances).toMatchObject([{ state: "idle", restarts: 0 }]);
});
