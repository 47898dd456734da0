import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { markdownBlocks } from "../../support/markdown-blocks.ts";
import { ASSAY, ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool, toolFolder } from "../tool.ts";

const LONG_MS = 300_000;
const AWAY = "http://127.0.0.1:1023";
const blocks = markdownBlocks(readFileSync(join(ROOT, "docs/clients.md"), "utf8"));
const home = mkdtempSync(join(tmpdir(), "assay-clients-"));
let server: ServerProcess;
let url: string;

/** The text of the block that opens with these words. */
function block(...info: string[]): string {
  const found = blocks.find((one) => one.info.join(" ") === info.join(" "));
  if (found === undefined) throw new Error(`docs/clients.md has no block ${info.join(" ")}`);
  return found.text;
}

beforeAll(async () => {
  const command = block("sh", "schema").trim().split(" ");
  expect(command.slice(0, 2)).toEqual(["npx", "assay"]);
  const written = await run(process.execPath, [ASSAY, ...command.slice(2)], { cwd: home });
  expect(written, written.stderr).toMatchObject({ status: 0 });
  server = await startServer(join(ROOT, "models"));
  url = `http://${server.address}`;
}, LONG_MS);

afterAll(async () => {
  await server?.stop();
  rmSync(home, { recursive: true });
});

test("the Python program scores, is told what is wrong, and passes a server that is away", async () => {
  writeFileSync(join(home, "program.py"), block("python", "program"));
  const env = { ...process.env, PYTHONPATH: join(ROOT, "python/src"), PYTHONDONTWRITEBYTECODE: "1" };
  const called = await run(tool("python-assay"), [join(home, "program.py"), AWAY, url], { env });
  expect(called.stderr).toBe("");
  expect(called.stdout).toBe(
    "['setosa', 'virginica']\nINVALID_REQUEST [(0, 'Infinity came; a finite number is expected')]\n" +
      "['setosa'] {}\n".repeat(3),
  );
});

test("grpcio's generator makes modules of the schema that can be imported", async () => {
  mkdirSync(join(home, "gen"));
  const command = block("sh", "python")
    .trim()
    .replace(/^python /, `${tool("python-assay")} `);
  const made = await run("sh", ["-c", command], { cwd: home });
  expect(made, made.stderr).toMatchObject({ status: 0 });
  const program =
    "from assay.v1 import scoring_service_pb2 as pb; print(pb.PredictRequest(model_name='iris'))";
  const env = { ...process.env, PYTHONPATH: join(home, "gen") };
  expect(await run(tool("python-assay"), ["-c", program], { env })).toMatchObject({
    status: 0,
    stdout: 'model_name: "iris"\n\n',
  });
});

test(
  "the TypeScript program scores in an empty folder with the packed client",
  async () => {
    const folder = join(home, "node");
    mkdirSync(folder);
    const packed = await run(process.execPath, ["scripts/pack-client.ts", folder], { cwd: ROOT });
    expect(packed, packed.stderr).toMatchObject({ status: 0 });
    const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
    writeFileSync(join(folder, "package.json"), '{"name": "user", "private": true, "type": "module"}');
    writeFileSync(join(folder, "program.ts"), block("ts", "program"));
    const flags = ["--no-audit", "--no-fund", "--prefer-offline"];
    const args = ["install", ...flags, join(folder, tarball), "@connectrpc/connect-web@2.2.0"];
    const installed = await run("npm", args, { cwd: folder, timeoutMs: LONG_MS });
    expect(installed, installed.stderr).toMatchObject({ status: 0 });
    const called = await run(process.execPath, ["program.ts", url], { cwd: folder });
    expect(called.stderr).toBe("");
    expect(called.stdout).toBe("[ 'setosa' ]\nINVALID_REQUEST features\n0 [ 'setosa' ]\n1 INVALID_REQUEST\n");
  },
  LONG_MS,
);

test(
  "the Go program is generated, built and scores",
  async () => {
    const folder = join(home, "go");
    mkdirSync(folder);
    cpSync(join(home, "proto"), join(folder, "proto"), { recursive: true });
    writeFileSync(join(folder, "buf.gen.yaml"), block("yaml", "go", "buf.gen.yaml"));
    writeFileSync(join(folder, "main.go"), block("go", "main.go"));
    for (const name of ["go.mod", "go.sum"]) {
      const kept = readFileSync(join(ROOT, "test/conformance/go-client", name), "utf8");
      writeFileSync(
        join(folder, name),
        kept.replace("module assay.test/go-client", "module example.com/scorer"),
      );
    }
    const bins = [dirname(tool("protoc-gen-go")), join(ROOT, "node_modules/.bin"), process.env.PATH];
    const env = { ...process.env, PATH: bins.join(delimiter), GOFLAGS: "-mod=mod -buildvcs=false" };
    const made = await run("sh", ["-c", block("sh", "go")], { cwd: folder, env });
    expect(made, made.stderr).toMatchObject({ status: 0 });
    const called = await run("go", ["run", ".", server.address], { cwd: folder, env, timeoutMs: LONG_MS });
    expect(called.stdout, called.stderr).toBe(
      '[setosa]\nINVALID_REQUEST\nfeatures 1 feature came; "features" takes 4\n',
    );
  },
  LONG_MS,
);

const ANSWERS = ["INVALID_REQUEST", 'features 1 feature came; "features" takes 4', ""];

/** A folder with the schema and the files of the page, by their paths in it. */
function project(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(home, name);
  cpSync(join(home, "proto"), join(folder, "proto"), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test(
  "the Java program is generated, built and scores",
  async () => {
    const path = "src/main/java/Scorer.java";
    const folder = project("java", {
      "pom.xml": block("xml", "java", "pom.xml"),
      [path]: block("java", path),
    });
    const command = block("sh", "java").replace("127.0.0.1:8080", server.address);
    const called = await run("sh", ["-c", command], { cwd: folder, timeoutMs: LONG_MS });
    expect(called.stdout.replaceAll("\u001b[0m", ""), called.stderr).toBe(
      ["[setosa]", "INVALID_ARGUMENT", ...ANSWERS].join("\n"),
    );
  },
  LONG_MS,
);

test(
  "the Rust program is generated, built and scores, and passes a server that is away",
  async () => {
    const paths = ["build.rs", "src/main.rs"];
    const lock = readFileSync(join(ROOT, "test/conformance/rust-recipe/Cargo.lock"), "utf8");
    const folder = project("rust", {
      "Cargo.toml": block("toml", "Cargo.toml"),
      "Cargo.lock": lock,
      ...Object.fromEntries(paths.map((path) => [path, block("rust", path)])),
    });
    const command = block("sh", "rust").replace("http://127.0.0.1:8080", `${AWAY} ${url}`);
    // What it stands on is built once for all runs.
    const env = { ...process.env, CARGO_TARGET_DIR: toolFolder("rust-recipe") };
    const called = await run("sh", ["-c", command], { cwd: folder, env, timeoutMs: 2 * LONG_MS });
    expect(called.stdout, called.stderr).toBe(['["setosa"]', ...ANSWERS].join("\n"));
    expect(called.stderr).toBe("");
  },
  2 * LONG_MS,
);
