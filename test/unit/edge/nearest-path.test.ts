import { expect, test } from "vitest";
import { nearestPath } from "../../../src/edge/nearest-path.ts";

const PATTERNS = [
  "/predict/{model}",
  "/v1/models/{model}:predict",
  "/v1/models/{model}/versions/{version}:predict",
  "/v1/models/{model}",
  "/v2/models/{model}/infer",
  "/v2/models/{model}/ready",
  "/v2/models/{model}/versions/{version}/infer",
  "/v2/health/ready",
  "/readyz",
];

test.each([
  ["/v1/models/census:predct", "/v1/models/census:predict"],
  ["/v1/models/census:Predict", "/v1/models/census:predict"],
  ["/v1/models/census/versions/1:prdict", "/v1/models/census/versions/1:predict"],
  ["/v1/model/a%20b:predict", "/v1/models/a%20b:predict"],
  ["/v1/census:predict", "/v1/models/census:predict"],
  ["/v2/models/census/infr", "/v2/models/census/infer"],
  ["/v2/model/census/infer/", "/v2/models/census/infer"],
  ["/v2/census/infer", "/v2/models/census/infer"],
  ["/models/census/infer", "/v2/models/census/infer"],
  ["/v2/models/census/version/1/infer", "/v2/models/census/versions/1/infer"],
  ["/v3/models/census/infer", "/v2/models/census/infer"],
  ["/v2/helth/ready", "/v2/health/ready"],
  ["/V2/Health/Ready", "/v2/health/ready"],
  ["/predct/census", "/predict/census"],
  ["/redyz", "/readyz"],
  ["/v2/models/census/explode", undefined],
  ["/favicon.ico", undefined],
  ["/", undefined],
  [`/v2/models/${"x".repeat(300)}/infr`, undefined],
  ["/a/b/c/d/e/f/g/h/i/j/k/l/m", undefined],
])("whoever wrote %s meant %s", (path, meant) => {
  expect(nearestPath(path, PATTERNS)).toBe(meant);
});
