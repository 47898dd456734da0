import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { inspect } from "../../../src/cli/inspect.ts";
import { fileFolder } from "../../support/folders.ts";
import { zipMapClassifier } from "../../support/models/model-builder.ts";
import { doublingConfig, doublingModel, writeFiles } from "../../support/triton/triton-folder.ts";

const root = fileFolder();

beforeAll(() => {
  mkdirSync(join(root, "good/3"), { recursive: true });
  mkdirSync(join(root, "empty/1"), { recursive: true });
  writeFileSync(join(root, "good/3/model.onnx"), zipMapClassifier(["a", "b", "c"]));
  writeFileSync(join(root, "empty/1/model.onnx"), "");
});

async function report(...args: string[]): Promise<{ status: number; text: string }> {
  let text = "";
  const status = await inspect(args, { write: (part: string) => (text += part) });
  return { status, text };
}

test("the table shows signature, labels, opset and repairs", async () => {
  const { status, text } = await report(join(root, "good"));
  expect(status).toBe(0);
  expect(text).toMatch(/^good version 3\n/);
  expect(text).toMatch(/inputs +X {2}FP32 \[-1, 4\]/);
  expect(text).toMatch(/output_probability {2}FP32 \[-1, 3\] {2}labels a, b, c/);
  expect(text).toMatch(/opset +ai.onnx 17, ai.onnx.ml 3; IR version 8/);
  expect(text).toMatch(/score +output_probability: the highest class; label from output_label/);
  expect(text).toMatch(/repairs +zipmap_removed \(output_probability\)/);
});

test("--json gives the same to programs, with an example request", async () => {
  const { status, text } = await report("--json", join(root, "good/3/model.onnx"));
  expect(status).toBe(0);
  const [model] = JSON.parse(text) as Record<string, unknown>[];
  expect(model).toMatchObject({
    state: "SERVED",
    labels: ["a", "b", "c"],
    score: { output: "output_probability", kind: "highest-class" },
    repairs: [{ kind: "zipmap_removed" }],
  });
  expect(model?.exampleRequest).toMatchObject({ features: expect.any(Array) });
});

test("what cannot be served is shown with its reason, and the exit status is 1", async () => {
  const { status, text } = await report(root);
  expect(status).toBe(1);
  expect(text).toMatch(/empty version 1\n {2}refused +model\.onnx: the file is empty/);
  expect(text).toContain("good version 3");
});

test("a check that runs the model may add what only a run shows, or refuse", async () => {
  let text = "";
  const stdout = { write: (part: string) => (text += part) };
  const notice = "rows influence each other";
  await inspect([join(root, "good")], stdout, async (model) => ({
    kind: "prepared",
    model: { ...model, notices: [notice] },
  }));
  expect(text).toMatch(/notices +rows influence each other/);
  const status = await inspect([join(root, "good")], stdout, async ({ modelName, modelVersion }) => ({
    kind: "refused",
    modelName,
    modelVersion,
    reason: "it missed its golden rows",
  }));
  expect(status).toBe(1);
  expect(text).toContain("it missed its golden rows");
});

test.each([
  ["no path", [], /0 paths came, expected one/, 2],
  ["an unknown option", ["x", "--yaml"], /unknown option --yaml/, 2],
  ["a path that is not there", ["/nowhere/at/all"], /there is no "\/nowhere\/at\/all"/, 1],
])("%s is said", async (_, args, pattern, expected) => {
  const { status, text } = await report(...args);
  expect(status).toBe(expected);
  expect(text).toMatch(pattern);
});

test("what is read of config.pbtxt is shown, and what has no effect", async () => {
  writeFiles(root, {
    "owned/config.pbtxt": doublingConfig(
      "dynamic_batching { max_queue_delay_microseconds: 100 preferred_batch_size: 4 } instance_group { count: 2 kind: KIND_CPU }",
    ),
    "owned/2/model.onnx": doublingModel(),
    "owned/3/model.onnx": doublingModel(),
  });
  const { status, text } = await report(join(root, "owned"));
  expect(status).toBe(0);
  const lines = text.split("\n").map((line) => line.slice(12));
  expect(text).toMatch(/^owned version 3\n/);
  for (const line of [
    "max_batch_size 8",
    "inputs listed: 1",
    "version_policy latest 1, the default",
    "dynamic_batching max_queue_delay_microseconds 100",
    "instance_group 2 × KIND_CPU",
    "without effect: dynamic_batching.preferred_batch_size in line 5",
  ])
    expect(lines).toContain(line);
  const [model] = JSON.parse((await report("--json", join(root, "owned/2"))).text) as Record<
    string,
    unknown
  >[];
  expect(model).toMatchObject({
    modelVersion: "2",
    tritonConfig: { max_batch_size: 8, dynamic_batching: { preferred_batch_size: [4] } },
    tritonUnused: ["dynamic_batching.preferred_batch_size in line 5"],
  });
});
