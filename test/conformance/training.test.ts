import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GoldenCase, goldenCases } from "../golden-rows.ts";
import { run } from "../support/command.ts";
import { ROOT } from "./server-process.ts";
import { tool } from "./tool.ts";

const DATA = join(ROOT, "../shared/data");
/** `abs` and `rel`: how far another processor, which adds up in another order, may be. A network drifts most. */
const SCRIPTS = [
  { model: "census", table: "adult-census/adult.data", abs: 1e-4, rel: 1e-3 },
  { model: "housing", table: "california-housing/housing.csv", abs: 1, rel: 1e-3 },
  { model: "digits", table: "", abs: 0.1, rel: 0 },
  { model: "iris", table: "", abs: 1e-4, rel: 1e-3 },
];
const committed = goldenCases(join(ROOT, "models"));
let output: string;

beforeAll(() => {
  output = mkdtempSync(join(tmpdir(), "assay-training-"));
});

afterAll(() => {
  rmSync(output, { recursive: true, force: true });
});

describe("examples/training", () => {
  for (const { model, table, abs, rel } of SCRIPTS) {
    test(`${model}.py makes the committed model's golden rows again`, async (context) => {
      if (!existsSync(join(DATA, table))) context.skip(`no data set at ../shared/data/${table}`);
      const script = join(ROOT, `examples/training/${model}.py`);
      const finished = await run(tool("python-training"), [
        script,
        "--data",
        DATA,
        "--output",
        join(output, model),
      ]);
      expect(finished.status, finished.stderr).toBe(0);
      const again = goldenCases(join(output, model));
      const before = committed.filter((golden) => golden.model === model);
      expect(again.map((golden) => golden.inputs)).toEqual(before.map((golden) => golden.inputs));
      const numbers = outputNumbers(before);
      for (const [index, value] of outputNumbers(again).entries()) {
        const wanted = numbers[index]!;
        expect(Math.abs(value - wanted), `${value}, wanted ${wanted}`).toBeLessThanOrEqual(
          abs + rel * Math.abs(wanted),
        );
      }
    });
  }

  test("leaves no path of the training machine in a model", () => {
    for (const { model } of SCRIPTS) {
      const bytes = readFileSync(join(ROOT, "models", model, "1/model.onnx"), "latin1");
      expect(bytes).not.toMatch(/\/(work|home|root|tmp|Users)\/|\.py\b/);
    }
  });

  test("takes 8 to 16 different rows into each golden.json", () => {
    for (const { model } of SCRIPTS) {
      const rows = committed.filter((golden) => golden.model === model).flatMap(rowsOf);
      expect(new Set(rows).size).toBe(rows.length);
      expect(rows.length).toBeGreaterThanOrEqual(8);
      expect(rows.length).toBeLessThanOrEqual(16);
    }
  });
});

/** Every floating-point value that the cases expect, in order. */
function outputNumbers(cases: readonly GoldenCase[]): number[] {
  const floats = cases.flatMap((golden) => golden.outputs.filter((output) => output.datatype === "FP32"));
  return floats.flatMap((output) => output.data.map(Number));
}

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
