/**
 * What a message costs the client of `assay score --server`: items of 2,048 rows of 30 FP32 over one stream or several, to a
 * server in a process of its own that answers at once. `--url` and `--model` score on a server of Assay instead.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { create } from "@bufbuild/protobuf";
import { PredictRequestSchema } from "../gen/assay/v1/scoring_service_pb.ts";
import { openServerScorer } from "../src/scorer/remote/server-scorer.ts";
import type { Scorer } from "../src/scorer/scorer.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    model: { type: "string", default: "lr" },
    rows: { type: "string", default: "10000000" },
    streams: { type: "string", default: "1" },
  },
});
const ROWS = 2048;
const COLUMNS = 30;
const data = Float32Array.from({ length: ROWS * COLUMNS }, () => Math.random());

async function scoreRows(scorer: Scorer, rows: number): Promise<void> {
  const { modelName, modelVersion } = scorer.model;
  const name = scorer.model.inputs[0]?.name ?? "X";
  const shape = [BigInt(ROWS), BigInt(COLUMNS)];
  let left = Math.ceil(rows / ROWS);
  const lane = async () => {
    while (left > 0) {
      left--;
      const input = { name, datatype: "FP32", shape, rawContents: new Uint8Array(data.buffer) };
      await scorer.score(create(PredictRequestSchema, { modelName, modelVersion, inputs: [input] }));
    }
  };
  await Promise.all(Array.from({ length: scorer.requestsInFlight }, lane));
}

async function measure(url: string): Promise<void> {
  const scorer = await openServerScorer({ url, modelName: values.model, streams: Number(values.streams) });
  await scoreRows(scorer, 500_000);
  const rows = Number(values.rows);
  const cpu = process.cpuUsage();
  const started = performance.now();
  await scoreRows(scorer, rows);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const messages = Math.ceil(rows / ROWS);
  const rss = Math.round(process.memoryUsage.rss() / 1_048_576);
  console.log(
    `${(rows / seconds / 1e6).toFixed(1)} M rows/s; client ${Math.round((user + system) / messages)} µs of CPU a message ` +
      `(${Math.round(user / messages)} user), ${rss} MiB`,
  );
  await scorer.close();
}

if (values.url !== undefined) await measure(values.url);
else {
  const server = spawn(
    process.execPath,
    [new URL("./programs/answering-server.ts", import.meta.url).pathname],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const [port] = (await once(server.stdout, "data")) as [Buffer];
  await measure(`http://127.0.0.1:${String(port).trim()}`);
  server.kill();
}
