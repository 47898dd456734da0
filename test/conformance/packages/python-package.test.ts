import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { ASSAY, ROOT } from "../server-process.ts";
import { tool } from "../tool.ts";

const SOURCE = join(ROOT, "python");
const LONG_MS = 300_000;
let folder: string;
let installed: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-python-"));
  const copy = join(folder, "python");
  cpSync(SOURCE, copy, { recursive: true, filter: (path) => !/__pycache__|_cache$|\/dist$/.test(path) });
  const built = await run(tool("python-assay"), ["-m", "build", "--wheel", "--no-isolation", copy]);
  expect(built, built.stderr).toMatchObject({ status: 0 });
  const [wheel] = readdirSync(join(copy, "dist"));
  expect(wheel).toMatch(/^assay_client-[\d.]+-py3-none-any\.whl$/);
  installed = join(folder, "installed");
  const args = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", installed];
  const put = await run(tool("python-assay"), [...args, join(copy, "dist", wheel!)]);
  expect(put, put.stderr).toMatchObject({ status: 0 });
}, LONG_MS);

afterAll(() => rmSync(folder, { recursive: true }));

test("the wheel holds the generated code, says that it is typed, and nothing that is called buf", () => {
  for (const name of ["py.typed", "v1/scoring_service_pb2.py", "v1/scoring_service_pb2.pyi", "client.py"]) {
    expect(existsSync(join(installed, "assay", name)), name).toBe(true);
  }
  expect(readdirSync(installed).filter((name) => !name.includes("dist-info"))).toEqual(["assay"]);
});

test("its generated code is that of proto/", async () => {
  const bin = dirname(tool("python-assay"));
  const root = join(folder, "generate");
  cpSync(join(ROOT, "proto"), join(root, "proto"), { recursive: true });
  cpSync(join(ROOT, "buf.yaml"), join(root, "buf.yaml"));
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  const generated = await run(
    join(ROOT, "node_modules/.bin/buf"),
    ["generate", "--template", join(SOURCE, "buf.gen.yaml")],
    {
      cwd: root,
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
    },
  );
  expect(generated, generated.stderr).toMatchObject({ status: 0 });
  for (const room of ["v1", "config/v1"]) {
    const made = join(root, "python/src/assay", room);
    const files = readdirSync(made).filter((name) => /_pb2\.pyi?$/.test(name));
    expect(files.length).toBeGreaterThan(1);
    for (const name of files) {
      const kept = readFileSync(join(SOURCE, "src/assay", room, name), "utf8");
      expect(readFileSync(join(made, name), "utf8"), `${name}: run python/generate.sh`).toBe(kept);
    }
  }
});

test(
  "its own tests pass with the wheel, against servers that are killed, drained and lose their workers",
  async () => {
    const tested = await run(
      tool("python-assay"),
      ["-m", "pytest", "-q", "-p", "no:cacheprovider", join(folder, "python/tests")],
      {
        cwd: folder,
        timeoutMs: LONG_MS,
        env: {
          ...process.env,
          PYTHONPATH: installed,
          PYTHONDONTWRITEBYTECODE: "1",
          TESTED_COMMAND: JSON.stringify([process.execPath, ASSAY, "serve"]),
          TESTED_MODELS: join(ROOT, "models"),
        },
      },
    );
    expect(tested, tested.stdout.slice(-6000)).toMatchObject({ status: 0 });
  },
  LONG_MS,
);

test(
  "its types hold, as strictly as mypy looks",
  async () => {
    const checked = await run(tool("python-assay"), ["-m", "mypy", "--cache-dir", join(folder, "mypy")], {
      cwd: join(folder, "python"),
      timeoutMs: LONG_MS,
    });
    expect(checked, checked.stdout).toMatchObject({ status: 0 });
  },
  LONG_MS,
);
