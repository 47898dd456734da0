import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createFuzzTarget } from "../../fuzz/http2-run.ts";

const seeds: number[] = JSON.parse(
  readFileSync(new URL("../../fuzz/http2-seeds.json", import.meta.url), "utf8"),
);

test("the committed fuzz cases and two hundred more neither hang nor throw nor leave a stream", async () => {
  const target = await createFuzzTarget();
  const all = [...seeds, ...Array.from({ length: 200 }, (_, i) => 1_000_000 + i)];
  for (const seed of all) await target.run(seed);
  await target.stop();
  expect(target.engine.counters.connectionsAccepted).toBe(all.length);
  expect(target.engine.counters.streamsCompleted).toBeGreaterThan(all.length / 4);
});
