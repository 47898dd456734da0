import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { markdownBlocks } from "../../support/markdown-blocks.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const server = await fileServer("models");
const blocks = markdownBlocks(readFileSync("docs/foreign-clients.md", "utf8"));

const PATHS: Readonly<Record<string, string>> = {
  v1: "/v1/models/iris:predict",
  mlflow: "/invocations/iris",
  predict: "/predict/iris",
};
const BODIES = blocks.flatMap(({ info: [language, form = ""], text }) =>
  language === "json"
    ? text
        .trim()
        .split("\n")
        .map((body) => [form, body] as const)
    : [],
);

test("docs/foreign-clients.md shows bodies of every form", () => {
  expect(BODIES.length).toBeGreaterThan(8);
  expect(new Set(BODIES.map(([form]) => form))).toEqual(new Set(Object.keys(PATHS)));
});

test.each(BODIES)("a body of %s in docs/foreign-clients.md is scored: %s", async (form, body) => {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${server.url}${PATHS[form]}`, { method: "POST", headers, body });
  const answer = (await response.json()) as { predictions?: unknown[]; scores?: unknown[] };
  expect(response.status).toBe(200);
  expect((answer.predictions ?? answer.scores ?? []).length).toBeGreaterThan(0);
});
