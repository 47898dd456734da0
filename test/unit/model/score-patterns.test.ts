import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readLabels } from "../../../src/service/answer/row-scores.ts";
import { openPreparedSession } from "../../support/models/bare-session.ts";
import { prepared } from "../../support/models/prepare.ts";
import { bothWeighted, SCORE_PATTERNS } from "../../support/scores/score-patterns.ts";
import { documentedPatterns, gated, patternRow } from "../../support/scores/score-reading.ts";

const documented = documentedPatterns();
const trained = readFileSync("test/conformance/python/score-patterns.py", "utf8");

test.each(SCORE_PATTERNS)(
  "$library, $model: read as docs/models.md says",
  async ({ library, model, bytes }) => {
    const found = prepared(bytes);
    const session = await openPreparedSession(found);
    try {
      const { signature, notices } = await gated(found, session);
      expect(documented.get(`${library}: ${model}`)).toEqual(patternRow(library, model, signature));
      const names = signature.outputs.map(({ name }) => name);
      for (const notice of notices.filter((text) => text.startsWith("no score"))) {
        expect(notice).toContain('"score_output" in config.json');
        expect(names.some((name) => notice.includes(JSON.stringify(name)))).toBe(true);
      }
    } finally {
      await session.release();
    }
  },
);

test("every row of the table is built here or trained in test/conformance", () => {
  const built = new Set(SCORE_PATTERNS.map(({ library, model }) => `${library}: ${model}`));
  const others = [...documented].filter(([key]) => !built.has(key)).map(([, row]) => row);
  expect(others.length).toBeGreaterThan(20);
  expect(others.filter(([library, model]) => !trained.includes(library) || !trained.includes(model))).toEqual(
    [],
  );
});

test("trees with weights for both of two classes give the classes of the file, not their positions", async () => {
  const found = prepared(bothWeighted([5n, 9n]));
  const session = await openPreparedSession(found);
  try {
    const { signature } = await gated(found, session);
    const x = {
      name: "x",
      datatype: "FP32" as const,
      shape: [3, 2],
      data: Float32Array.of(1, 0, -1, 0, 2, 0),
    };
    expect(readLabels(await session.run([x]), signature, undefined)).toEqual(["9", "5", "9"]);
    expect(signature.score).toEqual({ output: "p", kind: "second-class" });
  } finally {
    await session.release();
  }
});
