import { join } from "node:path";
import { expect, test } from "vitest";
import { expectTrainedAgain } from "../conformance/models/training-script.ts";
import { fileFolder } from "../support/folders.ts";
import { SHARED } from "./shared-models.ts";

const output = fileFolder();

test.each([
  { model: "census", table: "adult-census/adult.data", abs: 1e-4, rel: 1e-3 },
  { model: "housing", table: "california-housing/housing.csv", abs: 1, rel: 1e-3 },
])("$model.py makes the committed model's golden rows again", async ({ model, table, abs, rel }) => {
  const script = { model, arguments: ["--data", join(SHARED, "data", table)], abs, rel };
  await expect(expectTrainedAgain(script, output)).resolves.toBeUndefined();
});
