import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { smallRepository } from "../../support/clients/command-process.ts";
import { testFolder } from "../../support/folders.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const server = await fileServer(smallRepository());

function assay(...argv: string[]) {
  return run(process.execPath, ["bin/assay.cjs", ...argv]);
}

test("assay try scores the example row of the only model, and shows the call to paste", async () => {
  const { status, stdout, stderr } = await assay("try", "-s", server.url);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(
    /^iris version 1 on http:\/\/127\.0\.0\.1:\d+ answered in [\d.]+ ms\n {2}request {2}\{"model_name":"iris"/,
  );
  expect(stdout).toMatch(/ {2}answer {3}\{"model_name":"iris","model_version":"1","scores":\[/);
  expect(stdout).toMatch(/ {2}curl -s .*\n {2}grpcurl -plaintext .*\n$/);
});

test("assay try --json prints the answer alone", async () => {
  const { stdout } = await assay("try", "iris:1", "--server", server.url, "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    modelName: "iris",
    modelVersion: "1",
    scores: [expect.any(Number)],
  });
});

test.each([
  [["try", "irs"], 1, /the server has no model "irs".*iris/],
  [["try", "iris", "other"], 2, /^other came, and one model is tried at a time\nsee assay try --help\n$/],
  [["try", "iris", "--sever", "x"], 2, /^--sever is not known; did you mean --server\?/],
])("assay %j says what is wrong", async (argv, code, message) => {
  const { status, stdout, stderr } = await assay(...argv, "-s", server.url);
  expect({ status, stdout }).toEqual({ status: code, stdout: "" });
  expect(stderr).toMatch(message);
});

test("assay score without --model lists those of the repository", async () => {
  const models = testFolder();
  for (const name of ["b", "a"]) mkdirSync(join(models, name));
  writeFileSync(join(models, "notes.txt"), "");
  const { status, stderr } = await assay("score", "--models", models, "-i", "x.csv", "-o", "y.csv");
  expect(status).toBe(2);
  expect(stderr).toBe(
    `--model is missing: model to score with (NAME, NAME:VERSION or NAME:LABEL)\n${models} has a, b\n`,
  );
});
