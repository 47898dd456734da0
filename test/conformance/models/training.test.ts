import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileFolder } from "../../support/folders.ts";
import { type GoldenCase, goldenCases } from "../../support/models/golden-rows.ts";
import { ROOT } from "../server-process.ts";
import { expectTrainedAgain } from "./training-script.ts";

/** The scripts whose data comes with scikit-learn; those that read a table are run by `npm run test:shared`. */
const SCRIPTS = [
  // A network drifts most.
  { model: "digits", arguments: [], abs: 0.1, rel: 0 },
  { model: "iris", arguments: [], abs: 1e-4, rel: 1e-3 },
];
const MODELS = ["census", "housing", "digits", "iris"];
const committed = goldenCases(join(ROOT, "models"));
const output = fileFolder();

describe("examples/training", () => {
  test.each(SCRIPTS)("$model: its script makes the committed model's golden rows again", async (script) => {
    await expect(expectTrainedAgain(script, output)).resolves.toBeUndefined();
  });

  test("leaves no path of the training machine in a model", () => {
    for (const model of MODELS) {
      const bytes = readFileSync(join(ROOT, "models", model, "1/model.onnx"), "latin1");
      expect(bytes).not.toMatch(/\/(work|home|root|tmp|Users)\/|\.py\b/);
    }
  });

  test("takes 8 to 16 different rows into each golden.json", () => {
    for (const model of MODELS) {
      const rows = committed.filter((golden) => golden.model === model).flatMap(rowsOf);
      expect(new Set(rows).size).toBe(rows.length);
      expect(rows.length).toBeGreaterThanOrEqual(8);
      expect(rows.length).toBeLessThanOrEqual(16);
    }
  });
});

/** Each row of a case's inputs as text. */
function rowsOf(golden: GoldenCase): string[] {
  const count = golden.inputs[0]?.shape[0] ?? 0;
  return Array.from({ length: count }, (_, row) =>
    JSON.stringify(
      golden.inputs.map(({ data }) =>
        data.slice((row * data.length) / count, ((row + 1) * data.length) / count),
      ),
    ),
  );
}
