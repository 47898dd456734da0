import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectTrainedAgain } from "../conformance/models/training-script.ts";
import { SHARED } from "./shared-models.ts";

let output: string;

beforeAll(() => {
  output = mkdtempSync(join(tmpdir(), "assay-training-"));
});

afterAll(() => {
  rmSync(output, { recursive: true, force: true });
});

test.each([
  { model: "census", table: "adult-census/adult.data", abs: 1e-4, rel: 1e-3 },
  { model: "housing", table: "california-housing/housing.csv", abs: 1, rel: 1e-3 },
])("$model.py makes the committed model's golden rows again", async ({ model, table, abs, rel }) => {
  const script = { model, arguments: ["--data", join(SHARED, "data", table)], abs, rel };
  await expect(expectTrainedAgain(script, output)).resolves.toBeUndefined();
});
