import { expect, test } from "vitest";
import { readKeyLines } from "../../../../src/edge/identity/key-file.ts";

const DIGEST = "A".repeat(64);
const line = (more: object) => JSON.stringify({ id: "a", sha256: DIGEST, models: ["m"], ...more });
const refusal = (text: string): string => {
  try {
    readKeyLines(text, "keys.jsonl");
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

test("a line says whose key it is, its digest, and what it may", () => {
  const text = `# keys of the team\n\n${line({ requests_per_second: 5 })}\r\n{"id":"ops","certificate":"ops.example.com","admin":true}\n`;
  expect(readKeyLines(text, "keys.jsonl")).toEqual([
    {
      id: "a",
      sha256: DIGEST.toLowerCase(),
      certificate: undefined,
      models: ["m"],
      isAdmin: false,
      readsMetrics: false,
      requestsPerSecond: 5,
      rowsPerSecond: undefined,
    },
    {
      id: "ops",
      sha256: undefined,
      certificate: "ops.example.com",
      models: [],
      isAdmin: true,
      readsMetrics: true,
      requestsPerSecond: undefined,
      rowsPerSecond: undefined,
    },
  ]);
});

test("a key may stand beside the next one of the same id, while callers change over", () => {
  expect(readKeyLines(`${line({})}\n${line({ sha256: "b".repeat(64) })}`, "k")).toHaveLength(2);
});

test.each([
  [line({ sha256: "the-key-itself" }), "line 1: sha256: the digest of the key is expected"],
  [line({ certificate: "x" }), "line 1: one of sha256, for a key, and certificate is expected"],
  [line({ modles: [] }), 'line 1: no member is called "modles"; did you mean "models"?'],
  [line({ models: "*" }), "line 1: models: a list of names is expected"],
  [line({ models: [] }), "line 1: models: none came"],
  [line({ id: "two words" }), "line 1: id: 1 to 64 letters"],
  [line({ admin: "yes" }), "line 1: admin: true or false is expected"],
  [line({ rows_per_second: 0 }), "line 1: rows_per_second: a number from 0.001 to 1e9 is expected"],
  [`\n${line({})}\n${line({})}`, "line 3: its key has line 2"],
  ["[]", "line 1: a JSON object is expected"],
  ['{"id": "the-key-itself', "line 1: it is no JSON"],
  ["# nothing", "it holds no key"],
])("%s is refused by its line, and nothing of a key is shown", (text, what) => {
  expect(refusal(text)).toContain(what);
  expect(refusal(text)).not.toContain("the-key-itself");
});

test("all that is wrong is told at once, twenty at most", () => {
  const problems = refusal(Array(50).fill("{").join("\n")).split("\n");
  expect(problems).toHaveLength(21);
  expect(problems.at(-1)).toBe("keys.jsonl: and 30 more");
});
