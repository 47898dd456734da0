import fc from "fast-check";
import { expect, test } from "vitest";
import { AssayError } from "../../../src/errors.ts";
import { prepareModel } from "../../../src/model/prepare-model.ts";
import {
  buildModel,
  node,
  storedTensor,
  tensorInfo,
  zipMapClassifier,
} from "../../support/models/model-builder.ts";

const models = [
  zipMapClassifier(["a", "b", "c"]),
  zipMapClassifier([0n, 1n, 2n], 1),
  buildModel({
    inputs: [tensorInfo("x", "FLOAT", [1, 2]), tensorInfo("d", "FLOAT", [1, 2])],
    outputs: [tensorInfo("y", "FLOAT", [1, 2]), tensorInfo("__proto__", "FLOAT", [1, 2])],
    nodes: [node("Add", ["x", "d"], ["y"]), node("Neg", ["x"], ["__proto__"])],
    initializers: [storedTensor("d", [1, 2], Float32Array.of(3, 4))],
    metadata: { feature_names: '["a","b"]' },
  }),
];

const damage = fc.record({
  bytes: fc.constantFrom(...models),
  flips: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
  cut: fc.option(fc.nat(), { freq: 4 }),
});

test("a damaged file is prepared or refused with a reason, and nothing else is thrown", () => {
  let refused = 0;
  fc.assert(
    fc.property(damage, ({ bytes, flips, cut }) => {
      const damaged = bytes.slice(0, cut === null ? bytes.length : cut % bytes.length);
      for (const [at, value] of flips) if (damaged.length > 0) damaged[at % damaged.length] = value;
      const found = prepareModel({
        modelName: "m",
        modelVersion: "1",
        bytes: damaged,
        configText: undefined,
        goldenText: undefined,
        testDataCases: [],
        findExternal: () => ({ path: "", byteLength: 0 }),
      });
      if (found.kind === "prepared") return;
      refused++;
      expect(found.reason.length).toBeGreaterThan(10);
      expect(found.cause).toBeInstanceOf(AssayError);
    }),
    // The example turns the tag of an initializer into that of an unknown field.
    { numRuns: 3000, examples: [[{ bytes: models[2]!, flips: [[302582081, 41]], cut: null }]] },
  );
  expect(refused).toBeGreaterThan(100);
});
