import { expect, test } from "vitest";
import { unservedPath } from "../../../src/edge/route-table.ts";

const SERVED = {
  services: new Map([
    ["a.v1.Scoring", ["Predict", "PredictRows"]],
    ["a.v1.Models", ["GetModel"]],
  ]),
  plain: ["POST /predict", "GET /livez"],
};
const THERE =
  "there is POST /predict, GET /livez, and the services a.v1.Scoring, a.v1.Models at /{service}/{method}";

test.each([
  [
    "/a.v1.Scoring/Predictt",
    '; a.v1.Scoring has no method "Predictt"; did you mean "Predict"?; it has Predict, PredictRows',
  ],
  ["/a.v1.Scoring/X", '; a.v1.Scoring has no method "X"; it has Predict, PredictRows'],
  ["/a.v1.Scoring/Predict//", "; without the slash at its end /a.v1.Scoring/Predict is"],
  [
    "/a.v1.Scorin/Predict",
    '; there is no service "a.v1.Scorin"; did you mean "a.v1.Scoring"?; there is a.v1.Scoring, a.v1.Models',
  ],
  ["/lives", `; did you mean "/livez"?; ${THERE}`],
  ["/", `; ${THERE}`],
  ["/q/w/e", `; ${THERE}`],
])("%s", (path, hint) => expect(unservedPath(path, SERVED)).toBe(`nothing is served at ${path}${hint}`));

test("a long path is cut", () => {
  expect(unservedPath(`/${"x".repeat(10_000)}`, SERVED).length).toBeLessThan(400);
});
