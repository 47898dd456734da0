import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testFolder } from "../../support/folders.ts";

const buf = join(process.cwd(), "node_modules/.bin/buf");

function copyOfSchema(): string {
  const folder = testFolder();
  for (const name of ["proto", "buf.yaml", "buf.gen.yaml"])
    cpSync(name, join(folder, name), { recursive: true });
  // Its plugins are programs of the tree.
  symlinkSync(join(process.cwd(), "scripts"), join(folder, "scripts"));
  return folder;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort();
}

test("gen is what the schema generates today", () => {
  const folder = copyOfSchema();
  const path = `${join(process.cwd(), "node_modules/.bin")}:${process.env.PATH}`;
  execFileSync(buf, ["generate"], { cwd: folder, env: { ...process.env, PATH: path } });
  const fresh = filesBelow(join(folder, "gen"));
  expect(filesBelow("gen")).toEqual(fresh);
  for (const name of fresh) {
    expect(readFileSync(join("gen", name), "utf8"), name).toBe(
      readFileSync(join(folder, "gen", name), "utf8"),
    );
  }
});

test("a deleted field is a breaking change", () => {
  const folder = copyOfSchema();
  const against = ["breaking", "--against", "proto/released.binpb"];
  expect(spawnSync(buf, against, { cwd: folder }).status).toBe(0);
  const file = join(folder, "proto/assay/v1/scoring_service.proto");
  const text = readFileSync(file, "utf8");
  const without = text.replace(/ {2}repeated string labels = 5;\n/, "");
  expect(without).not.toBe(text);
  writeFileSync(file, without);
  const result = spawnSync(buf, against, { cwd: folder, encoding: "utf8" });
  expect(result.status).not.toBe(0);
  expect(result.stdout).toContain('"labels"');
});

test("a setting may go, as long as its number and its name stay reserved", () => {
  const folder = copyOfSchema();
  const against = ["breaking", "--against", "proto/released.binpb"];
  const file = join(folder, "proto/assay/config/v1/server_config.proto");
  const text = readFileSync(file, "utf8");
  for (const [what, reserved] of [
    ["number", "30"],
    ["name", '"http2_engine"'],
  ]) {
    writeFileSync(file, text.replace(`  reserved ${reserved};\n`, ""));
    const result = spawnSync(buf, against, { cwd: folder, encoding: "utf8" });
    expect(result.status).not.toBe(0);
    expect(result.stdout).toContain(`without reserving the ${what}`);
  }
});
