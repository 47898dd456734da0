import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import type { FoundModel } from "../../../src/model/prepared-model.ts";
import { scanRepository } from "../../../src/model/repository.ts";
import { testFolder } from "../../support/folders.ts";
import { buildModel, node, tensorInfo } from "../../support/models/model-builder.ts";

/** What happens right after the count-th reading of `model.onnx`. */
let afterReading: (count: number) => Promise<void> = async () => {};
let readings = 0;

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const readFile = async (path: string, ...rest: [BufferEncoding]) => {
    const bytes = await real.readFile(path, ...rest);
    if (path.endsWith("model.onnx")) await afterReading(++readings);
    return bytes;
  };
  return { ...real, readFile };
});

let root: string;
let folder: string;

beforeEach(async () => {
  root = testFolder();
  folder = join(root, "half/1");
  readings = 0;
  await mkdir(folder, { recursive: true });
});

const model = buildModel({
  inputs: [tensorInfo("x", "FLOAT", [null, 2])],
  outputs: [tensorInfo("y", "FLOAT", [null, 2])],
  nodes: [node("Relu", ["x"], ["y"])],
});

async function scanned(): Promise<FoundModel> {
  const [one] = await scanRepository(root);
  return one!;
}

test("a folder whose model file is half written when it is read first is read again", async () => {
  await writeFile(join(folder, "model.onnx"), model.subarray(0, 40));
  afterReading = async (count) => {
    if (count === 1) await appendFile(join(folder, "model.onnx"), model.subarray(40));
  };
  expect(await scanned()).toMatchObject({ kind: "prepared", model: { modelName: "half" } });
  expect(readings).toBe(2);
});

test("a config.json that comes while the model is read counts", async () => {
  await writeFile(join(folder, "model.onnx"), model);
  afterReading = async (count) => {
    if (count === 1) await writeFile(join(folder, "config.json"), '{"max_batch_size": 7}');
  };
  expect(await scanned()).toMatchObject({ kind: "prepared", model: { config: { maxBatchSize: 7 } } });
  expect(readings).toBe(2);
});

test.each([
  ["whole", model],
  ["half written", model.subarray(0, 40)],
])(
  "a folder that is written to for as long as it is read is refused by name, its model file %s",
  async (_, bytes) => {
    await writeFile(join(folder, "model.onnx"), bytes);
    afterReading = (count) => writeFile(join(folder, "golden.json"), " ".repeat(count));
    expect(await scanned()).toMatchObject({
      kind: "refused",
      reason: expect.stringMatching(/written to while they were read: load them again once they are whole/),
    });
    expect(readings).toBe(3);
  },
);

test("a model file that was cut off, and that nobody writes to, is refused at once for what it is", async () => {
  await writeFile(join(folder, "model.onnx"), model.subarray(0, 40));
  afterReading = async () => {};
  expect(await scanned()).toMatchObject({ kind: "refused", reason: expect.not.stringMatching(/written/) });
  expect(readings).toBe(1);
});
