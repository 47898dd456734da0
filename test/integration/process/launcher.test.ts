import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { beforeEach, expect, test } from "vitest";
import manifest from "../../../package.json" with { type: "json" };
import { testFolder } from "../../support/folders.ts";

let folder: string;
beforeEach(() => {
  folder = testFolder();
  writeFileSync(
    join(folder, "old.cjs"),
    'Object.defineProperty(process, "versions", { value: { node: "20.19.0" } });',
  );
});

/** Runs a launcher on a Node that says it is version 20. */
function onOldNode(launcher: string, ...args: string[]) {
  const argv = ["--require", join(folder, "old.cjs"), launcher, ...args];
  return spawnSync(process.execPath, argv, { encoding: "utf8" });
}

test("an old Node goes on with the newer one that npm installed beside it", () => {
  const { status, stdout, stderr } = onOldNode(resolve("bin/assay.cjs"), "--version");
  expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: `${manifest.version}\n` });
});

test("without a newer Node it says in one line what is missing", () => {
  mkdirSync(join(folder, "bin"));
  copyFileSync("bin/assay.cjs", join(folder, "bin/assay.cjs"));
  const { status, stderr } = onOldNode(join(folder, "bin/assay.cjs"), "--version");
  expect(status).toBe(1);
  expect(stderr.trimEnd().split("\n")).toEqual([
    expect.stringMatching(/^assay needs Node 24 or newer and runs on v/),
  ]);
});

test("the newer Node is found where npm puts it for an installed package", () => {
  const installed = join(folder, "node_modules/assay/bin");
  mkdirSync(installed, { recursive: true });
  copyFileSync("bin/assay.cjs", join(installed, "assay.cjs"));
  writeFileSync(join(folder, "node_modules/assay/package.json"), '{"type": "module"}');
  mkdirSync(join(folder, "node_modules/assay/dist"), { recursive: true });
  writeFileSync(join(folder, "node_modules/assay/dist/main.js"), "console.log(process.versions.node);");
  const name = `node-${process.platform}-${process.arch}`;
  const beside = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  symlinkSync(beside, join(folder, "node_modules", name));
  expect(onOldNode(join(installed, "assay.cjs")).stdout).toMatch(/^24\./);
});
