import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seeded } from "../../../bench/models/tree-models.ts";
import { run } from "../../support/clients/command.ts";
import { startCuttingProxy } from "../../support/clients/cutting-proxy.ts";
import { markdownBlocks } from "../../support/markdown-blocks.ts";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";
import { expectScores, streamRows } from "../../support/tables/stream-rows.ts";

const blocks = markdownBlocks(readFileSync("docs/streaming.md", "utf8"));
let server: AppServer;
let folder: string;
let program: string;

beforeAll(async () => {
  server = await startAppServer("models");
  // Where Node finds the packages that the program imports.
  folder = mkdtempSync("node_modules/.streaming-docs-");
  program = join(folder, "stream.mjs");
  writeFileSync(program, blocks.find(({ info }) => info.join(" ") === "js program")!.text);
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.app.close();
});

test("the Node program of docs/streaming.md scores every row once and leaves out those that are refused", async () => {
  const rows = streamRows(3000, (row) => row % 700 === 7 || (row >= 512 && row < 768));
  const finished = await run(process.execPath, [program, server.address, "iris", "features"], {
    input: rows.text,
  });
  expect(finished.stderr).toBe("");
  await expectScores(server.url, rows, finished.stdout);
});

const SEEDS = [1, 2, Date.now() % 2 ** 31];
test.each(SEEDS)(
  "its connection cut at random points, every row still comes out once (seed %d)",
  async (seed) => {
    const random = seeded(seed);
    // Few connections last: from the middle of the preface to a good part of the rows.
    let connections = 0;
    const proxy = await startCuttingProxy(server.app.address.port, () =>
      ++connections > 12 ? Number.POSITIVE_INFINITY : Math.floor(random() ** 2 * 60_000) + 1,
    );
    try {
      const rows = streamRows(20_000, (row) => row % 1000 === 3);
      const finished = await run(process.execPath, [program, proxy.address, "iris", "features"], {
        input: rows.text,
      });
      expect(finished.stderr).toBe("");
      await expectScores(server.url, rows, finished.stdout);
      expect(proxy.cutCount).toBeGreaterThan(5);
    } finally {
      await proxy.close();
    }
  },
);
