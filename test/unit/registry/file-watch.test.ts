import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readSourceFile } from "../../../src/model/source-file.ts";
import { createFileWatch, type FileWatch } from "../../../src/registry/file-watch.ts";
import { testFolder } from "../../support/folders.ts";

let folder: string;
let watch: FileWatch;
beforeEach(() => {
  folder = testFolder();
  watch = createFileWatch(5);
});
afterEach(() => {
  watch.close();
});

/** Watches files by name; each answer is the next list of changed ones. */
async function watched(...names: string[]): Promise<() => Promise<readonly string[]>> {
  const files = await Promise.all(names.map((name) => readSourceFile(name, join(folder, name))));
  const told: (readonly string[])[] = [];
  let onTold = (): void => {};
  watch.add(files, (changed) => {
    told.push(changed);
    onTold();
  });
  return async () => {
    if (told.length === 0) {
      await new Promise<void>((resolve) => {
        onTold = resolve;
      });
    }
    return told.shift()!;
  };
}

test("a file of other bytes is told once, and told as the same once its bytes are back", async () => {
  writeFileSync(join(folder, "a"), "one");
  const next = await watched("a");
  writeFileSync(join(folder, "a"), "two");
  expect(await next()).toEqual(["a"]);
  writeFileSync(join(folder, "a"), "one");
  expect(await next()).toEqual([]);
});

test("a file that is touched or copied over itself is no other file", async () => {
  writeFileSync(join(folder, "a"), "one");
  writeFileSync(join(folder, "b"), "one");
  const next = await watched("a", "b");
  utimesSync(join(folder, "a"), 1, 1);
  writeFileSync(join(folder, "b"), "three");
  expect(await next()).toEqual(["b"]);
});

test("a file that comes and one that goes are told", async () => {
  writeFileSync(join(folder, "b"), "one");
  const next = await watched("a", "b");
  writeFileSync(join(folder, "a"), "");
  expect(await next()).toEqual(["a"]);
  rmSync(join(folder, "b"));
  expect(await next()).toEqual(["a", "b"]);
});
