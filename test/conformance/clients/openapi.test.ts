import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";

const folder = fileFolder();
const documents = new Map<string, string>();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(join(ROOT, "models"), ["--model-control", "explicit", "--load-model", "*"]);
  for (const path of ["/openapi.json", "/v2/models/census/docs", "/v2/models/digits/versions/1/docs"]) {
    const file = join(folder, `${path.replaceAll("/", "_")}.json`);
    writeFileSync(file, await (await fetch(`http://${server.address}${path}`)).text());
    documents.set(path, file);
  }
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

test("OpenAPI's own schema takes each document", async () => {
  const files = [...documents.values()];
  const code = "import sys; from openapi_spec_validator.__main__ import main; main(sys.argv[1:])";
  const judged = await run(tool("python-openapi"), ["-c", code, ...files]);
  expect(judged, judged.stdout + judged.stderr).toMatchObject({ status: 0 });
});

test("Redocly's linter finds nothing in any", async () => {
  const linted = await run(tool("redocly"), ["lint", "--extends=recommended", ...documents.values()]);
  expect(linted, linted.stdout + linted.stderr).toMatchObject({ status: 0 });
  expect(linted.stdout + linted.stderr).not.toMatch(/\d+ (warning|error)/);
});

const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "unsupported_method",
];

test("Schemathesis finds no 5xx, and no answer that is not described", async () => {
  const options = [
    ["--url", `http://${server.address}`],
    ["--checks", CHECKS.join(",")],
    ["--phases", "examples,coverage,fuzzing"],
    ["--max-examples", "3"],
    ["--seed", "864987400"],
    // While a model is unloaded, calls to it are answered with 503, as they should be.
    ["--exclude-path-regex", "/v2/repository/models/|RepositoryModel(Load|Unload)"],
    ["--max-failures", "20"],
  ].flat();
  const code = "from schemathesis.cli import schemathesis; schemathesis()";
  const args = ["-c", code, "run", documents.get("/openapi.json")!, "--no-color", ...options];
  const called = await run(tool("python-openapi"), args, { cwd: folder, timeoutMs: 400_000 });
  expect(called, called.stdout.slice(-20_000)).toMatchObject({ status: 0 });
  expect(called.stdout).toMatch(/Tested: \d\d/);
}, 420_000);
