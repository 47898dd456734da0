import type { ResultRows } from "./result-rows.ts";
import type { TableChunk } from "./table-source.ts";

/** The rows that a sink has taken for good. */
export interface WrittenRows {
  /** Rows of the input whose results will not be lost: where a run goes on. */
  readonly inputRows: number;
  /** Rows written; fewer where rows with errors are left out. */
  readonly rows: number;
  readonly errorRows: number;
}

/** Takes results in the order of the input. Whoever opened it calls `finish` or `abort`, once. */
export interface TableSink {
  /** What an earlier run left, and this one's parts so far. */
  readonly written: WrittenRows;
  /** Resolves when more may come. */
  append(chunk: TableChunk, results: ResultRows): Promise<void>;
  /** Makes the whole output appear under its name. */
  finish(): Promise<WrittenRows>;
  /** Stops; what was written for good stays for the next run. */
  abort(): Promise<void>;
}
