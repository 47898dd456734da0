import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ChildServer, startChildServer } from "../../support/clients/child-process.ts";
import { countAnswers, items, LOOP_ATTACKS, wideModel } from "../../support/clients/loop-attacks.ts";
import { fileFolder } from "../../support/folders.ts";

/** Fifty and the collector's work, with room for a slow machine; what is meant to be found takes seconds. */
const LONGEST_STALL_MS = 300;
const TRIES = 3;
const CALL_TIMEOUT_MS = 2000;

const folder = fileFolder();
let server: ChildServer;
beforeAll(async () => {
  cpSync(new URL("../../../models", import.meta.url), folder, { recursive: true });
  const version = join(folder, "wide", "1");
  mkdirSync(version, { recursive: true });
  writeFileSync(join(version, "model.onnx"), wideModel().bytes);
  server = await startChildServer({ models: folder, "call-timeout-ms": String(CALL_TIMEOUT_MS) });
});
afterAll(async () => {
  await server.close();
});

/** The shortest of some stalls: what others on the machine add is not the server's. */
async function shortestStall(attack: () => Promise<void>): Promise<number> {
  let shortest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIES && shortest > LONGEST_STALL_MS; i++) {
    await server.longestStallMs();
    await attack();
    shortest = Math.min(shortest, await server.longestStallMs());
  }
  return shortest;
}

test.each(LOOP_ATTACKS)(
  "others are answered during $title",
  { timeout: 120_000 },
  async ({ run, answer }) => {
    const stallMs = await shortestStall(async () => expect(await run(server.url)).toMatch(answer));
    expect(stallMs).toBeLessThan(LONGEST_STALL_MS);
  },
);

test("others are answered while the deadlines of 80,000 items ring", { timeout: 120_000 }, async () => {
  const messages = items("iris", 4000);
  const stallMs = await shortestStall(async () => {
    server.command({ kind: "pause", ms: 3 * CALL_TIMEOUT_MS });
    const streams = Array.from({ length: 20 }, () => countAnswers(server.url, messages));
    expect(await Promise.all(streams)).toEqual(streams.map(() => 4000));
  });
  expect(stallMs).toBeLessThan(LONGEST_STALL_MS);
});
