import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openPreparedSession } from "../../support/models/bare-session.ts";
import { prepared } from "../../support/models/prepare.ts";
import { SCORE_PATTERNS } from "../../support/models/score-patterns.ts";
import { documentedPatterns, gated, patternRow } from "../../support/models/score-reading.ts";

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
