import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seeded } from "../../../bench/models/tree-models.ts";
import { run } from "../../support/clients/command.ts";
import { startCuttingProxy } from "../../support/clients/cutting-proxy.ts";
import { markdownBlocks } from "../../support/markdown-blocks.ts";
import { expectScores, streamRows } from "../../support/tables/stream-rows.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";

const GENERATE = `
import sys
from pathlib import Path
import grpc_tools
from grpc_tools import protoc
proto, out = sys.argv[1:]
files = [str(path) for folder in ("assay", "buf") for path in sorted(Path(proto, folder).rglob("*.proto"))]
paths = [f"--proto_path={folder}" for folder in (proto, Path(grpc_tools.__file__).parent / "_proto")]
sys.exit(protoc.main(["protoc", *paths, f"--python_out={out}", f"--grpc_python_out={out}", *files]))
`;
const blocks = markdownBlocks(readFileSync(join(ROOT, "docs/streaming.md"), "utf8"));
let folder: string;
let server: ServerProcess;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-streaming-"));
  const generated = join(folder, "generated");
  mkdirSync(generated);
  writeFileSync(join(folder, "generate.py"), GENERATE);
  const args = [join(folder, "generate.py"), join(ROOT, "proto"), generated];
  expect(await run(tool("python-clients"), args)).toMatchObject({ status: 0 });
  writeFileSync(
    join(folder, "stream.py"),
    blocks.find(({ info }) => info.join(" ") === "python program")!.text,
  );
  env = { ...process.env, PYTHONPATH: generated };
  server = await startServer(join(ROOT, "models"));
});

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

function score(address: string, input: string) {
  const args = [join(folder, "stream.py"), address, "iris", "features"];
  return run(tool("python-clients"), args, { input, env });
}

test("the Python program of docs/streaming.md scores every row once and leaves out those that are refused", async () => {
  const rows = streamRows(3000, (row) => row % 700 === 7 || (row >= 512 && row < 768));
  const finished = await score(server.address, rows.text);
  expect(finished.stderr).toBe("");
  await expectScores(`http://${server.address}`, rows, finished.stdout);
});

test.each([1, Date.now() % 2 ** 31])(
  "its connection cut at random points, every row still comes out once (seed %d)",
  async (seed) => {
    const random = seeded(seed);
    let connections = 0;
    const proxy = await startCuttingProxy(Number(server.address.split(":")[1]), () =>
      ++connections > 6 ? Number.POSITIVE_INFINITY : Math.floor(random() ** 2 * 60_000) + 1,
    );
    try {
      const rows = streamRows(20_000, (row) => row % 1000 === 3);
      const finished = await score(proxy.address, rows.text);
      expect(finished.stderr).toBe("");
      await expectScores(`http://${server.address}`, rows, finished.stdout);
      expect(proxy.cutCount).toBeGreaterThan(3);
    } finally {
      await proxy.close();
    }
  },
);
