import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createResponse } from "../../../src/service/answer/response.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";
import { run } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { openPreparedSession } from "../../support/models/bare-session.ts";
import { prepared } from "../../support/models/prepare.ts";
import { documentedPatterns, gated, patternRow } from "../../support/scores/score-reading.ts";
import { ROOT } from "../server-process.ts";
import { tool } from "../tool.ts";

/** What the training library says of the rows in `inputs`; null for what it does not give. */
interface Truth {
  readonly name: string;
  readonly inputs: readonly { name: string; datatype: "FP32" | "FP64"; shape: number[]; data: number[] }[];
  readonly labels: readonly string[] | null;
  readonly scores: readonly number[] | null;
}

/** Trees compare in float32, and decision functions add up in it. */
const TOLERANCE = 2e-3;
const folder = fileFolder();

beforeAll(async () => {
  const script = join(ROOT, "test/conformance/python/score-patterns.py");
  const finished = await run(tool("python-training"), [script, folder]);
  expect(finished.status, finished.stderr).toBe(0);
}, 300_000);

describe("what is read of trained models", () => {
  test("scores and labels are those of the training library, and docs/models.md says which outputs they are", async () => {
    const documented = documentedPatterns();
    const names = readdirSync(folder);
    expect(names.length).toBeGreaterThan(40);
    for (const name of names) {
      const truth = JSON.parse(readFileSync(join(folder, name, "truth.json"), "utf8")) as Truth;
      const model = prepared(readFileSync(join(folder, name, "1/model.onnx")));
      const session = await openPreparedSession(model);
      const { signature } = await gated(model, session);
      const [library = "", ...rest] = truth.name.split(": ");
      expect(documented.get(truth.name)).toEqual(patternRow(library, rest.join(": "), signature));
      const rowCount = truth.inputs[0]!.shape[0]!;
      const response = createResponse(await session.run(truth.inputs.map(tensor)), signature, {
        modelName: name,
        modelVersion: "1",
        requestId: "",
        rowCount,
        outputNames: [],
        raw: false,
      });
      await session.release();
      expect(response.labels.map(plain), truth.name).toEqual((truth.labels ?? []).map(plain));
      expect(response.scores.length, truth.name).toBe(truth.scores === null ? 0 : rowCount);
      for (const [row, score] of (truth.scores ?? []).entries()) {
        const allowed = TOLERANCE * (1 + Math.abs(score));
        expect(Math.abs(response.scores[row]! - score), `${truth.name}, row ${row}`).toBeLessThan(allowed);
      }
    }
  }, 300_000);
});

/** Python writes 1.0 where the label output has 1. */
function plain(label: string): string {
  return Number.isNaN(Number(label)) ? label : String(Number(label));
}

function tensor({ name, datatype, shape, data }: Truth["inputs"][number]): TensorData {
  return {
    name,
    datatype,
    shape,
    data: datatype === "FP64" ? Float64Array.from(data) : Float32Array.from(data),
  };
}
