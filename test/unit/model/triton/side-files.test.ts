import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FoundModel } from "../../../../src/model/prepared-model.ts";
import { scanRepository } from "../../../../src/model/repository.ts";
import { testFolder } from "../../../support/folders.ts";
import { doublingConfig, doublingModel, writeFiles } from "../../../support/triton/triton-folder.ts";

const labelled = (fileName: string) =>
  doublingConfig().replace('{ name: "y"', `{ label_filename: "${fileName}" name: "y"`);

async function scan(root: string): Promise<FoundModel> {
  return (await scanRepository(root))[0]!;
}

test("config.pbtxt and the files that it names are among those that are watched", async () => {
  const root = testFolder();
  const first =
    'model_warmup { batch_size: 1 inputs { key: "x" value { data_type: TYPE_FP32 dims: 4 input_data_file: "a" } } }';
  writeFiles(root, {
    "m/config.pbtxt": `${labelled("labels.txt")}${first}`,
    "m/labels.txt": "a\n\nc\nd",
    "m/warmup/a": new Uint8Array(16),
    "m/1/model.onnx": doublingModel(),
  });
  const found = await scan(root);
  if (found.kind === "refused") throw new Error(found.reason);
  expect(found.model.files.map(({ name, sha256 }) => `${name} ${sha256 !== undefined}`)).toEqual([
    "model.onnx true",
    "config.json false",
    "golden.json false",
    "../config.json false",
    "../golden.json false",
    "../config.pbtxt true",
    "../labels.txt true",
    "../warmup/a true",
  ]);
  expect(found.model.triton?.labels.get("y")).toEqual(["a", "", "c", "d"]);
});

test("what is not there, or leads out of the model's folder, is refused with its line", async () => {
  const root = testFolder();
  writeFiles(root, {
    "m/config.pbtxt": labelled("../other.txt"),
    "other.txt": "a",
    "m/1/model.onnx": doublingModel(),
  });
  expect(await scan(root)).toMatchObject({
    reason: expect.stringMatching(
      /^config\.pbtxt: line 4: output\[0\]\.label_filename: "\.\.\/other\.txt" leads out of the model's folder/,
    ),
  });
  symlinkSync(join(root, "other.txt"), join(root, "m/linked.txt"));
  writeFiles(root, { "m/config.pbtxt": labelled("linked.txt") });
  expect(await scan(root)).toMatchObject({ reason: expect.stringMatching(/"linked\.txt" leads out/) });
  writeFiles(root, { "m/config.pbtxt": labelled("none.txt") });
  expect(await scan(root)).toMatchObject({ reason: expect.stringMatching(/there is no file "none\.txt"/) });
  writeFiles(root, { "m/config.pbtxt": labelled("1") });
  expect(await scan(root)).toMatchObject({ reason: expect.stringMatching(/"1" is no regular file/) });
});

test("a first run's octets are one row, the same for each; too few are refused", async () => {
  const root = testFolder();
  const first =
    'model_warmup { batch_size: 3 inputs { key: "x" value { data_type: TYPE_FP32 dims: 4 input_data_file: "a" } } }';
  writeFiles(root, {
    "m/config.pbtxt": doublingConfig(first),
    "m/warmup/a": new Uint8Array(15),
    "m/1/model.onnx": doublingModel(),
  });
  expect(await scan(root)).toMatchObject({
    reason: expect.stringMatching(
      /model_warmup\[0\]\.inputs: input "x": input_data_file has 15 bytes; expected 16/,
    ),
  });
});
