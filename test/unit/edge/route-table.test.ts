import { expect, test } from "vitest";
import { type Route, RouteTable } from "../../../src/edge/route-table.ts";

const row = (pattern: string, ...methods: string[]): Route => ({
  pattern,
  methods: methods.length === 0 ? undefined : methods,
  servers: [],
});

const table = new RouteTable([
  row("/a.v1.Scoring/Predict"),
  row("/a.v1.Scoring/PredictRows"),
  row("/predict", "POST"),
  row("/predict/{model}", "POST"),
  row("/v2/models/{model}/versions/{version}/infer", "POST"),
  row("/livez", "GET", "HEAD"),
]);

const found = (path: string) => {
  const match = table.find(path);
  return match === undefined ? undefined : [match.route.pattern, match.path, match.params];
};

test.each([
  ["/predict", ["/predict", "/predict", {}]],
  ["/predict/", ["/predict", "/predict", {}]],
  ["/predict/iris", ["/predict/{model}", "/predict/iris", { model: "iris" }]],
  ["/predict/iris/", ["/predict/{model}", "/predict/iris", { model: "iris" }]],
  ["/predict/a%20b%2Fc", ["/predict/{model}", "/predict/a%20b%2Fc", { model: "a b/c" }]],
  ["/predict/50%", ["/predict/{model}", "/predict/50%", { model: "50%" }]],
  ["/livez//", ["/livez", "/livez", {}]],
  ["/a.v1.Scoring/Predict", ["/a.v1.Scoring/Predict", "/a.v1.Scoring/Predict", {}]],
  [
    "/v2/models/iris/versions/1/infer",
    [
      "/v2/models/{model}/versions/{version}/infer",
      "/v2/models/iris/versions/1/infer",
      { model: "iris", version: "1" },
    ],
  ],
])("%s is served by its row", (path, expected) => {
  expect(found(path)).toEqual(expected);
});

test.each([
  "/",
  "",
  "/predictions",
  "/predict/a/b",
  "/v1/predict",
  "/Predict",
  // A procedure has one name.
  "/a.v1.Scoring/Predict/",
  "/v2/models//versions/1/infer",
])("nothing is served at %j", (path) => {
  expect(found(path)).toBeUndefined();
});

test("what is served is told by its names", () => {
  expect(table.served()).toEqual({
    services: new Map([["a.v1.Scoring", ["Predict", "PredictRows"]]]),
    plain: [
      "POST /predict",
      "POST /predict/{model}",
      "POST /v2/models/{model}/versions/{version}/infer",
      "GET /livez",
    ],
  });
});
