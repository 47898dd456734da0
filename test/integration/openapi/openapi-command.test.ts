import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openapi } from "../../../src/cli/openapi.ts";
import { fileFolder } from "../../support/folders.ts";
import { startAppServer } from "../../support/servers/app-server.ts";

const folder = fileFolder();
const two = join(folder, "two");
for (const name of ["census", "iris"]) cpSync(`models/${name}`, join(two, name), { recursive: true });

async function written(...args: string[]) {
  const printed = { stdout: "", stderr: "" };
  const to = (name: "stdout" | "stderr") => ({
    write(text: string) {
      printed[name] += text;
    },
  });
  const status = await openapi(args, {}, { stdout: to("stdout"), stderr: to("stderr") });
  return { status, ...printed };
}

test("writes what a server over the same models answers, for all and for one", async () => {
  const { app, url } = await startAppServer(two);
  try {
    const all = await written("--models", two);
    expect(all).toEqual({ status: 0, stderr: "", stdout: await (await fetch(`${url}/openapi.json`)).text() });
    const one = await written("--models", two, "--model", "census");
    const served = await (await fetch(`${url}/v2/models/census/docs`)).text();
    expect(one).toEqual({ status: 0, stderr: "", stdout: served });
  } finally {
    await app.close();
  }
});

test("models that are named one by one are described; what cannot be served is told and left out", async () => {
  const named = await written("flowers=models/iris");
  expect(named.status).toBe(0);
  expect(JSON.parse(named.stdout).paths).toHaveProperty(["/predict/flowers"]);
  const repository = join(folder, "models");
  cpSync("models/iris", join(repository, "iris"), { recursive: true });
  mkdirSync(join(repository, "broken/1"), { recursive: true });
  writeFileSync(join(repository, "broken/1/model.onnx"), "no model");
  const broken = await written("--models", repository);
  expect(broken).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^broken version 1 is not described: /),
  });
  const { paths } = JSON.parse(broken.stdout);
  expect(paths).toHaveProperty(["/predict/iris"]);
  expect(paths).not.toHaveProperty(["/predict/broken"]);
});

test("a model that there is not, and arguments that there are not, are refused", async () => {
  await expect(written("--models", "models", "--model", "cencus")).rejects.toThrow(
    'there is no model "cencus"; did you mean "census"?',
  );
  await expect(written("--modles", "models")).rejects.toThrow(
    "--modles is not known; did you mean --models?",
  );
});
