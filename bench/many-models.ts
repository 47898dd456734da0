/**
 * Ready time, memory and threads of a server with many small models, on Linux: `node bench/many-models.ts`. Each set of models is
 * served with threads that light models share (isolation auto) and with a thread for each (isolation thread), in turns; the median
 * of three rounds.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startServerProcess } from "../test/support/servers/server-process.ts";
import { median } from "./statistics.ts";

const ROUNDS = 3;
const COPIES = 100;
const EXAMPLES = fileURLToPath(new URL("../models", import.meta.url));
const POLL_MS = 10;

interface Footprint {
  readonly readyMs: number;
  readonly memoryMiB: number;
  readonly threads: number;
}

async function footprint(models: string, isolation: string): Promise<Footprint> {
  const startedAt = performance.now();
  const server = await startServerProcess(models, "--isolation", isolation);
  try {
    while (!(await fetch(`${server.url}/readyz`)).ok)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const readyMs = performance.now() - startedAt;
    const status = readFileSync(`/proc/${server.processId}/status`, "utf8");
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
    return { readyMs, memoryMiB: field("VmRSS") / 1024, threads: field("Threads") };
  } finally {
    await server.terminate();
  }
}

const folder = mkdtempSync(join(tmpdir(), "assay-many-models-"));
try {
  for (let copy = 0; copy < COPIES; copy++)
    cpSync(join(EXAMPLES, "iris"), join(folder, `iris-${copy}`), { recursive: true });
  const sets = [
    ["the four example models", EXAMPLES],
    [`${COPIES} copies of iris`, folder],
  ] as const;
  for (const [name, models] of sets) {
    const found = new Map<string, Footprint[]>([
      ["auto", []],
      ["thread", []],
    ]);
    for (let round = 0; round < ROUNDS; round++)
      for (const [isolation, prints] of found) prints.push(await footprint(models, isolation));
    for (const [isolation, prints] of found) {
      const middle = (field: keyof Footprint) => median(prints.map((print) => print[field])).toFixed(0);
      console.log(
        `${name}, isolation ${isolation}: ready after ${middle("readyMs")} ms, ${middle("memoryMiB")} MiB, ${middle("threads")} threads`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
