import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, it } from "vitest";
import { ModelProtoSchema, TensorProtoSchema } from "../../../gen/onnx/onnx-ml_pb.ts";
import { noModelReason } from "../../../src/model/no-model.ts";
import type { FoundModel } from "../../../src/model/prepared-model.ts";
import { scanPath, scanRepository } from "../../../src/model/repository.ts";
import { testFolder } from "../../support/folders.ts";
import { runBare } from "../../support/models/bare-session.ts";
import { buildModel, node, storedTensor, tensorInfo } from "../../support/models/model-builder.ts";

let root: string;

beforeEach(async () => {
  root = testFolder();
});

const model = buildModel({
  inputs: [tensorInfo("x", "FLOAT", [null, 2])],
  outputs: [tensorInfo("y", "FLOAT", [null, 2])],
  nodes: [node("Mul", ["x", "w"], ["y"])],
  initializers: [storedTensor("w", [2], Float32Array.of(2, 3))],
});

/** The same with `w` in another file. */
function withExternalWeights(location: string, length = 8): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, model);
  const weights = proto.graph!.initializer[0]!;
  weights.rawData = new Uint8Array(0);
  weights.dataLocation = 1;
  for (const [key, value] of Object.entries({ location, offset: "4", length: String(length) })) {
    weights.externalData.push({ $typeName: "onnx.StringStringEntryProto", key, value });
  }
  return toBinary(ModelProtoSchema, proto);
}

async function put(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

const short = (found: readonly FoundModel[]) =>
  found.map((one) =>
    one.kind === "prepared"
      ? `${one.model.modelName}/${one.model.modelVersion}`
      : `${one.modelName}/${one.modelVersion}: ${one.reason}`,
  );

describe("scanRepository", () => {
  it("finds every version in the order of names and numbers", async () => {
    for (const version of ["10", "9", "2"]) await put(`b/${version}/model.onnx`, model);
    await put("a/1/model.onnx", model);
    expect(short(await scanRepository(root))).toEqual(["a/1", "b/2", "b/9", "b/10"]);
  });

  it("reads config.json and golden.json beside the file, else one folder up", async () => {
    const golden = JSON.stringify({
      inputs: { x: { datatype: "FP32", shape: [1, 2], data: [1, 1] } },
      outputs: { y: { datatype: "FP32", shape: [1, 2], data: [2, 3] } },
    });
    await put("m/config.json", '{"max_batch_size": 7}');
    await put("m/golden.json", golden);
    await put("m/1/model.onnx", model);
    await put("m/2/model.onnx", model);
    await put("m/2/config.json", '{"max_batch_size": 9}');
    const found = await scanRepository(root);
    const models = found.flatMap((one) => (one.kind === "prepared" ? [one.model] : []));
    expect(models.map(({ config }) => config.maxBatchSize)).toEqual([7, 9]);
    expect(models.map(({ goldenCases }) => goldenCases.length)).toEqual([1, 1]);
  });

  it("reads ONNX's own test data sets in the order of their numbers", async () => {
    const tensor = (values: number[]) =>
      toBinary(
        TensorProtoSchema,
        create(TensorProtoSchema, {
          dims: [1n, 2n],
          dataType: 1,
          rawData: new Uint8Array(Float32Array.from(values).buffer),
        }),
      );
    await put("m/1/model.onnx", model);
    await put("m/1/test_data_set_0/input_0.pb", tensor([1, 2]));
    await put("m/1/test_data_set_0/output_0.pb", tensor([2, 6]));
    for (const set of [10, 2]) {
      await put(`m/1/test_data_set_${set}/input_0.pb`, tensor([set, set]));
      await put(`m/1/test_data_set_${set}/output_0.pb`, tensor([2 * set, 3 * set]));
    }
    const [found] = await scanRepository(root);
    const cases = found?.kind === "prepared" ? found.model.goldenCases : [];
    expect(cases).toMatchObject([
      { inputs: [{ name: "x", data: Float32Array.of(1, 2) }], outputs: [{ name: "y", shape: [1, 2] }] },
      { inputs: [{ data: Float32Array.of(2, 2) }] },
      { inputs: [{ data: Float32Array.of(10, 10) }] },
    ]);
  });

  it("follows links to model folders", async () => {
    await put("elsewhere/1/model.onnx", model);
    await mkdir(join(root, "repository"));
    await symlink(join(root, "elsewhere"), join(root, "repository", "m"));
    expect(short(await scanRepository(join(root, "repository")))).toEqual(["m/1"]);
  });

  it.each([
    [
      "m/model.onnx",
      model,
      "m/: model.onnx lies in the model's folder; expected a version folder: move it to m/1/model.onnx",
    ],
    ["m.onnx", model, "m/: m.onnx lies in the repository itself; expected m/1/model.onnx"],
    ["m/1/classifier.onnx", model, "m/1: classifier.onnx came; expected model.onnx: rename it"],
    ["m/1/model.pkl", "cos\nsystem\n", "m/1: model.pkl is a Python pickle, which is never opened"],
    ["m/1/model.joblib", "x", "m/1: model.joblib is a Python pickle"],
    ["m/1/model.pt", "x", "m/1: model.pt came; expected model.onnx: export the model with torch.onnx.export"],
    ["m/1/notes.txt", "x", "m/1: the version folder has no model.onnx"],
    ["m/notes.txt", "x", "m/: the folder has no version folder; expected m/1/model.onnx"],
    ["m/v1/model.onnx", model, 'm/v1: the version folder "v1" is no positive number'],
    ["m/0/model.onnx", model, 'm/0: the version folder "0" is no positive number'],
    ["m/-1/model.onnx", model, 'm/-1: the version folder "-1" is no positive number'],
    ["m/1.5/model.onnx", model, 'm/1.5: the version folder "1.5" is no positive number'],
    ["m/latest/model.onnx", model, 'm/latest: the version folder "latest" is no positive number'],
    ["m/1/model.onnx", "", "m/1: model.onnx: the file is empty"],
  ])("reports %s by name and reason, and finds the others", async (path, content, reason) => {
    await put(path, content);
    await put("z/1/model.onnx", model);
    const found = short(await scanRepository(root));
    expect(found[0]).toContain(reason);
    expect(found[1]).toBe("z/1");
  });

  it("reports a configuration that is wrong with file, line and field", async () => {
    await put("m/1/model.onnx", model);
    await put("m/1/config.json", '{\n"max_batch": 1}');
    expect(short(await scanRepository(root))[0]).toContain("config.json: line 2: max_batch: no such field");
  });

  it("reports a folder that cannot be read, and finds the others", async () => {
    await put("m/1/model.onnx", model);
    await put("a/1/model.onnx", model);
    await symlink(join(root, "a/1/config.json"), join(root, "a/1/config.json"));
    await mkdir(join(root, "b/1/model.onnx"), { recursive: true });
    expect(short(await scanRepository(root))).toEqual([
      "a/1",
      "b/1: model.onnx is no regular file: put the exported file there",
      "m/1",
    ]);
  });

  it("skips hidden folders and files that are no models", async () => {
    await put(".git/1/model.onnx", model);
    await put("README.md", "x");
    expect(await scanRepository(root)).toEqual([]);
  });

  it("leaves alone what systems and tools put beside models, and says why", async () => {
    await put("m/1/model.onnx", model);
    for (const name of ["lost+found", "__pycache__", "@eaDir", "System Volume Information"]) {
      await put(`${name}/file.pyc`, "x");
    }
    await put("m/__pycache__/train.pyc", "x");
    await mkdir(join(root, "empty/.hidden"), { recursive: true });
    await put("scripts/train.py", "x");
    await put(".DS_Store", "x");
    const ignored: string[] = [];
    const found = await scanRepository(root, (name, why) => ignored.push(`${name}: ${why}`));
    expect(short(found)).toEqual(["m/1"]);
    expect(ignored).toEqual([
      "@eaDir: it is a Synology disk station's own folder",
      "System Volume Information: it is Windows' own folder",
      "__pycache__: it is Python's own folder",
      "empty: it is empty",
      "lost+found: it is a file system's own folder",
      "scripts: it holds no model, only train.py",
    ]);
  });

  it("reports what looks like a model, and a link that leads to nothing", async () => {
    await put("a/config.json", "{}");
    await mkdir(join(root, "b/1"), { recursive: true });
    await symlink(join(root, "gone"), join(root, "c"));
    expect(short(await scanRepository(root))).toEqual([
      "a/: the folder has no version folder; expected a/1/model.onnx",
      "b/1: the version folder has no model.onnx: put the exported file there",
      "c/: the link leads to nothing: mend it, or take it away",
    ]);
  });

  it("takes a folder that cannot be read for a model, unless its name tells what it is", async () => {
    const unreadable = () => Promise.reject(new Error("EACCES"));
    expect(await noModelReason("churn", unreadable)).toBeUndefined();
    expect(await noModelReason("lost+found", unreadable)).toBe("it is a file system's own folder");
  });

  it("serves weights in another file of the folder", async () => {
    await put("m/1/model.onnx", withExternalWeights("weights.bin"));
    await put("m/1/weights.bin", new Uint8Array(Float32Array.of(0, 5, 7).buffer));
    const [found] = await scanRepository(root);
    if (found?.kind !== "prepared") throw new Error("refused");
    expect(found.model.externalData.map(({ location }) => location)).toEqual(["weights.bin"]);
    const x = { name: "x", datatype: "FP32" as const, shape: [1, 2], data: Float32Array.of(1, 1) };
    const [y] = await runBare(found.model.bytes, [x], join(root, "m/1"));
    expect(y?.data).toEqual(Float32Array.of(5, 7));
  });

  it.each([
    ["one folder up", "../weights.bin", "expected a file inside the version folder"],
    ["at an absolute place", "/etc/passwd", "expected a file inside the version folder"],
    ["by a link that leads outside", "link.bin", "no file of the version folder itself"],
    ["that is not there", "gone.bin", "is not in the version folder"],
    ["that is too short", "short.bin", "the file was cut off"],
  ])("refuses weights in a file %s", async (_, location, reason) => {
    await put("m/weights.bin", new Uint8Array(12));
    await put("m/1/short.bin", new Uint8Array(8));
    await symlink(join(root, "m/weights.bin"), join(root, "m/1/link.bin"));
    await put("m/1/model.onnx", withExternalWeights(location));
    expect(short(await scanRepository(root))[0]).toContain(reason);
  });

  it("throws for a repository that is not there", async () => {
    await expect(scanRepository(join(root, "gone"))).rejects.toThrow(/gone" does not exist/);
  });
});

describe("scanPath", () => {
  it.each([["m/1/model.onnx"], ["m/1"], ["m"], ["."]])("finds the model at %s", async (path) => {
    await put("m/1/model.onnx", model);
    const found = await scanPath(join(root, path));
    expect(found).toMatchObject([{ kind: "prepared" }]);
  });
});
