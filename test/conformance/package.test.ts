import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { collect, run } from "../support/clients/command.ts";
import { fileFolder } from "../support/folders.ts";
import { ROOT } from "./server-process.ts";

const INSTALL_MS = 300_000;
const folder = fileFolder();
let tarball: string;

beforeAll(async () => {
  const packed = await run("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: ROOT,
    timeoutMs: INSTALL_MS,
  });
  expect(packed, packed.stderr).toMatchObject({ status: 0 });
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz"))!);
}, INSTALL_MS);

/** What README.md says to type in an empty folder, with the older npm; `first-time/` does it with the one that is there, 11. */
describe.each(["10.9.4"])("installed with npm %s into an empty folder", (npmVersion) => {
  let home: string;
  beforeAll(async () => {
    home = join(folder, `npm-${npmVersion}`);
    mkdirSync(home);
    writeFileSync(join(home, "package.json"), '{"name": "user", "private": true, "type": "module"}');
    const args = [
      "--yes",
      `npm@${npmVersion}`,
      "install",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      tarball,
    ];
    const installed = await run("npx", args, { cwd: home, timeoutMs: INSTALL_MS });
    expect(installed, installed.stderr).toMatchObject({ status: 0 });
    cpSync(join(ROOT, "models/iris"), join(home, "mine/iris"), { recursive: true });
  }, INSTALL_MS);

  test("npx assay serve scores a row", async () => {
    const server = spawn("npx", ["assay", "serve", "--models", "mine", "--port", "0"], {
      cwd: home,
      detached: true,
    });
    const printed = collect(server);
    const ended = once(server, "close");
    try {
      const url = await printedUrl(server, printed);
      const response = await fetch(`${url}/predict`, {
        method: "POST",
        body: JSON.stringify({ features: [5.1, 3.5, 1.4, 0.2] }),
      });
      expect(await response.json()).toMatchObject({ model_name: "iris", labels: ["setosa"] });
    } finally {
      process.kill(-server.pid!, "SIGTERM");
    }
    await ended;
    expect(printed().stderr).toContain("draining");
  });

  test("a TypeScript program calls with the descriptors of the package", async () => {
    writeFileSync(
      join(home, "call.ts"),
      `import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ErrorInfoSchema } from "assay/google/rpc/error_details";
import { ScoringService } from "assay/v1/scoring_service";

const client = createClient(ScoringService, createGrpcTransport({ baseUrl: "http://127.0.0.1:1" }));
const call: Promise<{ scores: number[] }> = client.predict({ modelName: "iris", features: [1] });
call.catch(() => console.log(ScoringService.typeName, ErrorInfoSchema.typeName));
`,
    );
    const node = join(home, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
    const called = await run(node, ["call.ts"], { cwd: home });
    expect(called, called.stderr).toMatchObject({
      status: 0,
      stdout: "assay.v1.ScoringService google.rpc.ErrorInfo\n",
    });
    const tsc = join(ROOT, "node_modules/.bin/tsc");
    const options = [
      "--noEmit",
      "--strict",
      "--module",
      "nodenext",
      "--skipLibCheck",
      "--types",
      "",
      "call.ts",
    ];
    const checked = await run(tsc, [...options, "--lib", "es2024,dom"], { cwd: home });
    expect(checked.stdout).toBe("");
    expect(checked.status).toBe(0);
  });
});

test("the package holds no TypeScript source, no tests and no models", async () => {
  const listed = await run("tar", ["tzf", tarball]);
  const names = listed.stdout.trim().split("\n");
  expect(names).toContain("package/bin/assay.cjs");
  // The README links them.
  expect(names).toContain("package/docs/configuration.md");
  expect(names).toContain("package/examples/training/iris.py");
  expect(names).toContain("package/dist/worker-main.js");
  expect(names).toContain("package/dist/THIRD-PARTY.txt");
  expect(names.filter((name) => /^package\/(src|test|models|gen)\//.test(name))).toEqual([]);
  expect(manifest.bin.assay).toBe("bin/assay.cjs");
});

async function printedUrl(
  server: ReturnType<typeof spawn>,
  printed: () => { stdout: string; stderr: string },
): Promise<string> {
  for (;;) {
    const url = /on (http:\/\/\S+)/.exec(printed().stdout)?.[1];
    if (url !== undefined) return url;
    if (server.exitCode !== null) throw new Error(`it ended with ${server.exitCode}: ${printed().stderr}`);
    await Promise.race([once(server.stdout!, "data"), once(server, "close")]);
  }
}
