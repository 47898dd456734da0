import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { fileFolder } from "../../support/folders.ts";
import { buildModel, node, storedTensor, tensorInfo } from "../../support/models/model-builder.ts";

const root = fileFolder();

/** Declares `[N]` and returns `[N,1]`, of which ONNX Runtime warns on every run. */
const misdeclared = buildModel({
  inputs: [tensorInfo("x", "FLOAT", [null, 2])],
  outputs: [tensorInfo("y", "FLOAT", [null])],
  nodes: [node("ReduceSum", ["x", "axis"], ["y"], { keepdims: 1n })],
  initializers: [storedTensor("axis", [1], BigInt64Array.of(1n))],
});

const missingOperator = buildModel({
  inputs: [tensorInfo("x", "FLOAT", [null, 2])],
  outputs: [tensorInfo("y", "FLOAT", [null, 2])],
  nodes: [node("NoSuchOperator", ["x"], ["y"])],
});

async function inspect(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ["src/main.ts", "inspect", ...args]);
  const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { code, stdout, stderr };
}

test("assay inspect runs each model, names what only a run shows, and keeps the runtime's own stderr silent", async () => {
  for (const [name, bytes] of Object.entries({ misdeclared, missingOperator })) {
    mkdirSync(join(root, name, "1"), { recursive: true });
    writeFileSync(join(root, name, "1/model.onnx"), bytes);
  }
  const { code, stdout, stderr } = await inspect(root, "--json");
  expect(stderr).toBe("");
  expect(code).toBe(1);
  const [shaped, refused] = JSON.parse(stdout) as Record<string, unknown>[];
  expect(shaped).toMatchObject({
    modelName: "misdeclared",
    state: "SERVED",
    outputs: [{ name: "y", shape: [-1, 1] }],
    repairs: [{ kind: "output_shape_corrected", target: "y" }],
    notices: [expect.stringContaining("no golden rows were run")],
  });
  expect(refused).toMatchObject({ modelName: "missingOperator", state: "REFUSED" });
  expect(refused?.reason).toMatch(/operator "NoSuchOperator", which does not exist in opset 17/);
  expect(refused?.reason).not.toMatch(/\.cc|onnxruntime::/);
});
