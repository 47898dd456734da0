import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

/** What a process is to write, and when it is to die. */
export interface SinkTask {
  readonly outputPath: string;
  readonly format: "parquet" | "csv" | "ndjson" | "arrow";
  readonly rows: number;
  readonly partRows: number;
  /** Kills itself before its n-th change of the file system; 0 never. */
  readonly killBeforeStep: number;
}

const task = JSON.parse(process.argv[2]!) as SinkTask;
let steps = 0;

/** Each of these changes what a next run finds, or makes it last. */
const CHANGES = ["link", "mkdir", "open", "rename", "rm", "rmdir", "unlink", "writeFile"] as const;
const functions = fs as unknown as Record<string, (...parameters: unknown[]) => unknown>;
for (const name of CHANGES) {
  const change = functions[name]!;
  functions[name] = (...parameters) => {
    if (++steps === task.killBeforeStep) process.kill(process.pid, "SIGKILL");
    return change(...parameters);
  };
}
syncBuiltinESMExports();

const { openFileSink } = await import("../../../src/table/write/file-sink.ts");
const { appendRest, queryTable, resultColumns, sinkOptions } = await import("./sink-tables.ts");
const { ROWS_SQL, SINK_COLUMNS } = await import("./sink-rows.ts");
const table = await queryTable(ROWS_SQL(task.rows));
const { outputPath, format, partRows } = task;
const columns = resultColumns(table.names, SINK_COLUMNS);
steps = 0;
const sink = await openFileSink(sinkOptions(outputPath, table, { format, partRows, columns }));
await appendRest(
  {
    ...sink,
    written: sink.written,
    async append(chunk, results) {
      await sink.append(chunk, results);
      process.send?.({ appended: chunk.fromRow });
    },
  },
  table,
  1000,
);
process.send?.({ finishing: true });
await sink.finish();
process.send?.({ steps });
process.disconnect?.();
