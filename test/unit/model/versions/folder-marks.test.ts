import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { marksOf, versionMarks } from "../../../../src/model/versions/folder-marks.ts";
import { testFolder } from "../../../support/folders.ts";

let folder: string;
beforeEach(() => {
  folder = testFolder();
  mkdirSync(join(folder, "1"));
  mkdirSync(join(folder, "2"));
  writeFileSync(join(folder, "1", "model.onnx"), "one");
});

/** Whether the marks are other ones after `change`. */
async function changes(change: () => void, marks = () => marksOf(folder)): Promise<boolean> {
  const before = await marks();
  change();
  return (await marks()) !== before;
}

test("what is written, put there, renamed or taken away anywhere below changes the marks; a look does not", async () => {
  const file = join(folder, "1", "model.onnx");
  expect(await changes(() => {})).toBe(false);
  expect(await changes(() => writeFileSync(file, "two"))).toBe(true);
  expect(await changes(() => utimesSync(file, 1, 1))).toBe(true);
  expect(await changes(() => writeFileSync(join(folder, "1", "weights"), ""))).toBe(true);
  expect(await changes(() => renameSync(join(folder, "1", "weights"), join(folder, "1", "more")))).toBe(true);
  expect(await changes(() => rmSync(join(folder, "2"), { recursive: true }))).toBe(true);
  expect(await changes(() => rmSync(folder, { recursive: true }))).toBe(true);
});

test("names that begin with a dot are not looked at", async () => {
  expect(await changes(() => writeFileSync(join(folder, ".copy"), "half"))).toBe(false);
});

test("a link that leads elsewhere by now changes the marks, and one that leads to nothing has some", async () => {
  const link = join(folder, "current");
  symlinkSync(join(folder, "1"), link);
  const relink = () => {
    rmSync(link);
    symlinkSync(join(folder, "2"), link);
  };
  expect(await changes(relink, () => marksOf(link))).toBe(true);
  expect(
    await changes(
      () => rmSync(join(folder, "2"), { recursive: true }),
      () => marksOf(link),
    ),
  ).toBe(true);
});

test("a version's marks are those of its folder and of the files beside it, not of other versions", async () => {
  const place = { modelName: "m", modelVersion: "1", folder: join(folder, "1"), modelFolder: folder };
  const marks = () => versionMarks(place);
  expect(await changes(() => writeFileSync(join(folder, "2", "model.onnx"), "two"), marks)).toBe(false);
  expect(await changes(() => writeFileSync(join(folder, "config.json"), "{}"), marks)).toBe(true);
  expect(await changes(() => writeFileSync(join(folder, "1", "model.onnx"), "one!"), marks)).toBe(true);
});
