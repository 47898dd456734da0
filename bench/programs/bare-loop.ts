/**
 * The bound of the stream benchmark: `session.run()` in a loop, one ONNX Runtime thread, different rows. For each message
 * `{model, batch, rows}` from its parent it answers with the rows a second and
 * the CPU time a row.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { benchRows, COLUMNS } from "../models/bench-models.ts";

const folder = process.argv[2]!;
const distinct = 65_536;
const features = benchRows(distinct);
const sessions = new Map<string, InferenceSession>();

interface Speed {
  readonly rowsPerSecond: number;
  /** CPU time a row. */
  readonly cpuUs: number;
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function open(model: string): Promise<InferenceSession> {
  const bytes = readFileSync(join(folder, model, "1", "model.onnx"));
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  sessions.set(model, session);
  return session;
}

async function loop(model: string, batch: number, rows: number): Promise<Speed> {
  const session = sessions.get(model) ?? (await open(model));
  const startedAt = performance.now();
  const startedCpu = cpuUs();
  for (let row = 0; row < rows; row += batch) {
    const at = (row % distinct) * COLUMNS;
    const values = features.subarray(at, at + batch * COLUMNS);
    await session.run({ features: new Tensor("float32", values, [batch, COLUMNS]) });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  return { rowsPerSecond: rows / seconds, cpuUs: (cpuUs() - startedCpu) / rows };
}

process.on("message", async ({ model, batch, rows }: { model: string; batch: number; rows: number }) => {
  process.send?.(await loop(model, batch, rows));
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
