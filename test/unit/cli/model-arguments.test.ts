import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readModelArguments } from "../../../src/cli/model-arguments.ts";
import { testFolder } from "../../support/folders.ts";

test("a model is named before the first equals sign", () => {
  expect(readModelArguments(["churn=a/b.onnx", "x y=c=d"])).toEqual({
    named: [
      { name: "churn", path: "a/b.onnx" },
      { name: "x y", path: "c=d" },
    ],
    problems: [],
  });
});

test("every argument that names no model is told with what was most likely meant", () => {
  const folder = join(testFolder(), "models");
  mkdirSync(folder);
  const { named, problems } = readModelArguments([
    "churn.onnx",
    "1/model.onnx",
    folder,
    "=x",
    "a=",
    "a/b=c",
    "d=e",
    "d=f",
  ]);
  expect(named).toEqual([{ name: "d", path: "e" }]);
  expect(problems).toEqual([
    "churn.onnx came; expected NAME=PATH, churn=churn.onnx for one model; flags start with --",
    "1/model.onnx came; expected NAME=PATH, NAME=1/model.onnx for one model; flags start with --",
    `${folder} came; expected models=${folder} for one model, or --models ${folder} for a repository`,
    "=x came, without a name in front; expected NAME=PATH",
    "a= came, without a path; expected a=PATH, a file or a folder",
    "a/b=c came; a model's name has no slash and at most 256 characters",
    "d=f came, and d was named before it: give each model a name of its own",
  ]);
});
