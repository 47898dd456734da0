import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";

const LONG_MS = 300_000;
const MOST_MIB = 12;
const PROGRAM = `import { createConnectTransport as node, createGrpcTransport } from "@connectrpc/connect-node";
import { createConnectTransport as web } from "@connectrpc/connect-web";
import { Scorer, ScoringError } from "assay-client";
import { ScoringService } from "assay-client/v1/scoring_service";
import { ErrorInfoSchema } from "assay-client/google/rpc/error_details";

const baseUrl = process.argv[2]!;
const away = web({ baseUrl: "http://127.0.0.1:1" });
const good = { modelName: "iris", features: [5.1, 3.5, 1.4, 0.2] };
const bad = { modelName: "iris", features: [1] };
const transports = [web({ baseUrl }), web({ baseUrl, useBinaryFormat: true }), node({ baseUrl, httpVersion: "2" }), createGrpcTransport({ baseUrl }), [away, web({ baseUrl })]];
for (const transport of transports) {
  const scorer = new Scorer(transport);
  const { labels } = await scorer.predict(good);
  const refused = await scorer.predict(bad).catch((error: unknown) => error);
  if (!(refused instanceof ScoringError)) throw new Error("no refusal");
  const items: string[] = [];
  if (!Array.isArray(transport)) {
    for await (const { item, response, error } of scorer.predictRows([good, bad, good])) {
      items.push(\`\${item} \${response?.labels[0] ?? error?.reason} \${error?.violations[0]?.field ?? ""}\`);
    }
  }
  const { inputs } = await scorer.describe("iris");
  console.log(JSON.stringify({ labels, reason: refused.reason, field: refused.violations[0]?.field, items, input: inputs[0]?.name }));
}
console.log(ScoringService.typeName, ErrorInfoSchema.typeName);
`;
const home = mkdtempSync(join(tmpdir(), "assay-npm-"));
let server: ServerProcess;

beforeAll(async () => {
  const packed = await run(process.execPath, ["scripts/pack-client.ts", home], { cwd: ROOT });
  expect(packed, packed.stderr).toMatchObject({ status: 0 });
  const tarball = readdirSync(home).find((name) => name.endsWith(".tgz"))!;
  writeFileSync(join(home, "package.json"), '{"name": "user", "private": true, "type": "module"}');
  const args = ["install", "--no-audit", "--no-fund", "--prefer-offline", join(home, tarball)];
  const installed = await run(
    "npm",
    [...args, "@connectrpc/connect-web@2.2.0", "@connectrpc/connect-node@2.2.0"],
    {
      cwd: home,
      timeoutMs: LONG_MS,
    },
  );
  expect(installed, installed.stderr).toMatchObject({ status: 0 });
  server = await startServer(join(ROOT, "models"));
}, LONG_MS);

afterAll(async () => {
  await server?.stop();
  rmSync(home, { recursive: true });
});

test("the package brings descriptors and a client, and nothing of the server", () => {
  const names = readdirSync(join(home, "node_modules"));
  expect(names.filter((name) => !name.startsWith(".")).sort()).toEqual([
    "@bufbuild",
    "@connectrpc",
    "assay-client",
  ]);
  const files = readdirSync(join(home, "node_modules"), { recursive: true, encoding: "utf8" });
  const stats = files.map((file) => statSync(join(home, "node_modules", file)));
  const bytes = stats.reduce((sum, one) => sum + (one.isFile() ? one.size : 0), 0);
  expect(bytes / 2 ** 20).toBeLessThan(MOST_MIB);
});

test("its client scores over every transport of Connect, beside a bad item, and past a server that is away", async () => {
  writeFileSync(join(home, "call.ts"), PROGRAM);
  const called = await run(process.execPath, ["call.ts", `http://${server.address}`], { cwd: home });
  expect(called.stderr).toBe("");
  const lines = called.stdout.trim().split("\n");
  expect(lines.pop()).toBe("assay.v1.ScoringService google.rpc.ErrorInfo");
  const found = lines.map((line) => JSON.parse(line) as { items: string[] });
  expect(found).toHaveLength(5);
  for (const one of found) {
    expect(one).toMatchObject({
      labels: ["setosa"],
      reason: "INVALID_REQUEST",
      field: "features",
      input: "features",
    });
  }
  for (const { items } of found.slice(0, 4)) {
    expect(items).toEqual(["0 setosa ", "1 INVALID_REQUEST features", "2 setosa "]);
  }
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--skipLibCheck", "--target", "es2024"];
  const types = ["--types", "node", "--typeRoots", join(ROOT, "node_modules/@types"), "call.ts"];
  const checked = await run(join(ROOT, "node_modules/.bin/tsc"), [...options, ...types], { cwd: home });
  expect(checked).toMatchObject({ stdout: "", status: 0 });
});
