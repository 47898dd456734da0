import { DuckDBDataChunk, INTEGER } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../../src/errors.ts";
import { runScoreJob, type ScoreJob } from "../../../src/job/score-job.ts";
import type { ResultRows } from "../../../src/table/result-rows.ts";
import type { TableSink, WrittenRows } from "../../../src/table/table-sink.ts";
import type { TableChunk, TableSource } from "../../../src/table/table-source.ts";

const CHUNK_ROWS = 10;

/** A table of `rows` rows that counts how many chunks were read and not yet written. */
function tableOf(rows: number) {
  const state = { held: 0, mostHeld: 0, readFrom: -1 };
  const source: TableSource = {
    format: "csv",
    inputs: [],
    columns: [],
    rowCount: rows,
    notResumable: undefined,
    async *read(_columns, fromRow) {
      state.readFrom = fromRow;
      for (let row = fromRow; row < rows; row += CHUNK_ROWS) {
        const chunk = DuckDBDataChunk.create([INTEGER], Math.min(CHUNK_ROWS, rows - row));
        state.held++;
        state.mostHeld = Math.max(state.mostHeld, state.held);
        yield { chunk, fromRow: row, file: "t.csv", fileRow: row + 1 };
      }
    },
    close() {},
  };
  return { source, state };
}

function resultsOf(chunk: TableChunk, errors: ReadonlyMap<number, string> = new Map()): ResultRows {
  const rowCount = chunk.chunk.rowCount;
  const scores = Float64Array.from({ length: rowCount }, (_, row) => chunk.fromRow + row);
  return { rowCount, scores, labels: [], probabilities: new Float64Array(), errors };
}

/** A sink that keeps every score, and how it ended. */
function sinkFrom(inputRows: number, onAppend: () => void = () => {}) {
  const kept: number[] = [];
  const ended: string[] = [];
  const written = (): WrittenRows => ({ inputRows, rows: kept.length, errorRows: 0 });
  const sink: TableSink = {
    written: written(),
    async append(_chunk, results) {
      kept.push(...results.scores);
      onAppend();
    },
    async finish() {
      ended.push("finished");
      return written();
    },
    async abort() {
      ended.push("aborted");
    },
  };
  return { sink, kept, ended };
}

function job(parts: Partial<ScoreJob> & Pick<ScoreJob, "source" | "sink">): ScoreJob {
  return {
    columns: [],
    scoreChunk: async (chunk) => resultsOf(chunk),
    chunksInFlight: 4,
    failOnError: true,
    signal: new AbortController().signal,
    onRows() {},
    ...parts,
  };
}

test("answers in any order reach the sink in the order of the input, and few chunks are held", async () => {
  const { source, state } = tableOf(1005);
  const { sink, kept, ended } = sinkFrom(0, () => state.held--);
  const waiting: (() => void)[] = [];
  const scoreChunk = (chunk: TableChunk) =>
    new Promise<ResultRows>((resolve) => {
      waiting.push(() => resolve(resultsOf(chunk)));
      // The last that came is answered first, as soon as no more can come.
      setImmediate(() => waiting.pop()?.());
    });
  const counted: number[] = [];
  await runScoreJob(job({ source, sink, scoreChunk, onRows: (rows) => counted.push(rows) }));
  expect(kept).toEqual(Array.from({ length: 1005 }, (_, row) => row));
  expect(ended).toEqual(["finished"]);
  expect(state.mostHeld).toBeLessThanOrEqual(5);
  expect(counted.at(-1)).toBe(1005);
});

test("a run goes on after the rows that the sink has", async () => {
  const { source, state } = tableOf(100);
  const { sink, kept } = sinkFrom(70);
  await runScoreJob(job({ source, sink }));
  expect(state.readFrom).toBe(70);
  expect(kept).toEqual(Array.from({ length: 30 }, (_, row) => 70 + row));
});

test("the first row that fails ends the run by file and row, and the sink is aborted", async () => {
  const { source } = tableOf(100);
  const { sink, kept, ended } = sinkFrom(0);
  const scoreChunk = async (chunk: TableChunk) =>
    resultsOf(chunk, chunk.fromRow === 20 ? new Map([[7, "b"], [3, "a"]]) : new Map()); // biome-ignore format: rows in one line
  await expect(runScoreJob(job({ source, sink, scoreChunk }))).rejects.toThrow(
    "t.csv row 24: a (and 1 more in the rows read with it)\n--on-error keep",
  );
  expect(kept).toHaveLength(20);
  expect(ended).toEqual(["aborted"]);
});

test("failed rows are passed on where they do not end the run", async () => {
  const { source } = tableOf(100);
  const { sink, ended } = sinkFrom(0);
  const scoreChunk = async (chunk: TableChunk) => resultsOf(chunk, new Map([[0, "bad"]]));
  let failed = 0;
  const onRows = (_rows: number, errorRows: number) => {
    failed = errorRows;
  };
  await runScoreJob(job({ source, sink, scoreChunk, failOnError: false, onRows }));
  expect(failed).toBe(10);
  expect(ended).toEqual(["finished"]);
});

test("a scorer that is gone ends the run with its reason, whatever else is in flight", async () => {
  const { source } = tableOf(1000);
  const { sink, kept, ended } = sinkFrom(0);
  const scoreChunk = async (chunk: TableChunk) => {
    if (chunk.fromRow >= 50) throw new AssayError(Reason.MODEL_NOT_READY, "the server is gone");
    return resultsOf(chunk);
  };
  await expect(runScoreJob(job({ source, sink, scoreChunk }))).rejects.toThrow("the server is gone");
  expect(kept).toHaveLength(50);
  expect(ended).toEqual(["aborted"]);
});

test("an interrupted run ends at the next chunk and keeps what was written", async () => {
  const { source } = tableOf(1000);
  const { sink, ended } = sinkFrom(0);
  const controller = new AbortController();
  const onRows = (rows: number) => {
    if (rows === 100) controller.abort();
  };
  await expect(runScoreJob(job({ source, sink, onRows, signal: controller.signal }))).rejects.toMatchObject({
    reason: Reason.CANCELLED,
  });
  expect(ended).toEqual(["aborted"]);
});

test("what is scored is written while the source is waited for", async () => {
  const { source } = tableOf(30);
  const waiting = Promise.withResolvers<void>();
  const slow: TableSource = {
    ...source,
    async *read(columns, fromRow) {
      yield* source.read(columns, fromRow);
      await waiting.promise;
    },
  };
  // The third chunk is written though no more comes and more could be in flight.
  const { sink, kept } = sinkFrom(0, () => {
    if (kept.length === 30) waiting.resolve();
  });
  await runScoreJob(job({ source: slow, sink, chunksInFlight: 100 }));
  expect(kept).toHaveLength(30);
});
