import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { keyFile, keyLine } from "../../support/keys/keyed-server.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";

const KEY = "openapi-key";
const folder = fileFolder();
const keys = keyFile(keyLine(KEY, { id: "all", models: ["*"], admin: true }));
const documents = new Map<string, string>();
let server: ServerProcess;
let keyed: ServerProcess;

/** Asks a server for its documents, and keeps them as files under `name`. */
async function keepDocuments(name: string, address: string, headers: Record<string, string>): Promise<void> {
  for (const path of ["/openapi.json", "/v2/models/census/docs", "/v2/models/digits/versions/1/docs"]) {
    const file = join(folder, `${name}${path.replaceAll("/", "_")}.json`);
    const response = await fetch(`http://${address}${path}`, { headers });
    expect(response.status).toBe(200);
    writeFileSync(file, await response.text());
    documents.set(`${name}${path}`, file);
  }
}

beforeAll(async () => {
  const models = join(ROOT, "models");
  [server, keyed] = await Promise.all([
    startServer(models, ["--model-control", "explicit", "--load-model", "*"]),
    startServer(models, ["--keys", keys.path, "--model-control", "explicit", "--load-model", "*"]),
  ]);
  await keepDocuments("open", server.address, {});
  await keepDocuments("keyed", keyed.address, { authorization: `Bearer ${KEY}` });
});
afterAll(async () => {
  expect(await Promise.all([server.stop(), keyed.stop()])).toEqual([0, 0]);
});

test("with keys the document says that callers bring one, but for probes", () => {
  const { components, paths } = JSON.parse(readFileSync(documents.get("keyed/openapi.json")!, "utf8"));
  expect(components.securitySchemes).toMatchObject({ bearer: { type: "http", scheme: "bearer" } });
  expect(paths["/livez"].get.security).toEqual([]);
});

test("OpenAPI's own schema takes each document", async () => {
  const files = [...documents.values()];
  const code = "import sys; from openapi_spec_validator.__main__ import main; main(sys.argv[1:])";
  const judged = await run(tool("python-openapi"), ["-c", code, ...files]);
  expect(judged, judged.stdout + judged.stderr).toMatchObject({ status: 0 });
});

test("Redocly's linter finds nothing in any, with keys or without", async () => {
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
  const args = ["-c", code, "run", documents.get("open/openapi.json")!, "--no-color", ...options];
  const called = await run(tool("python-openapi"), args, { cwd: folder, timeoutMs: 400_000 });
  expect(called, called.stdout.slice(-20_000)).toMatchObject({ status: 0 });
  expect(called.stdout).toMatch(/Tested: \d\d/);
}, 420_000);
