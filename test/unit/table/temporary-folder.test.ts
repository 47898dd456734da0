import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pidNamespace, thisProcess } from "../../../src/table/process-identity.ts";
import { makeTemporaryFolder } from "../../../src/table/temporary-folder.ts";
import { fileFolder } from "../../support/folders.ts";

const parent = fileFolder();

/** Above every process's number (Linux: at most 2^22). */
const NO_PROCESS = 2 ** 30;

function left(name: string, owner: object): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "owner.json"), JSON.stringify(owner));
  return folder;
}

test("folders of runs that were killed are removed by the next run, and no others", async () => {
  const here = { ...thisProcess(), pidNamespace: pidNamespace() };
  const killed = left("assay-input-killed", { ...here, pid: NO_PROCESS });
  const kept = [
    left("assay-input-running", here),
    left("assay-output-foreign", { ...here, pid: NO_PROCESS, host: "another" }),
    left("assay-input-container", { ...here, pid: NO_PROCESS, pidNamespace: "pid:[1]" }),
    left("other-program", { ...here, pid: NO_PROCESS }),
  ];
  mkdirSync(join(parent, "assay-input-unknown"));
  const made = await makeTemporaryFolder("input", parent);
  expect(existsSync(killed)).toBe(false);
  expect(kept.filter((folder) => !existsSync(folder))).toEqual([]);
  expect(readdirSync(parent)).toContain("assay-input-unknown");
  expect(readdirSync(made)).toEqual(["owner.json"]);
});

test("a place that cannot be written is named, with the variable that names another", async () => {
  await expect(makeTemporaryFolder("output", join(parent, "none"))).rejects.toThrow(
    /cannot write .*none: the folder does not exist .*TMPDIR/,
  );
});
