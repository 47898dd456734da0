/**
 * The thread that reads floats: a DuckDB of its own gives the columns as they lie in the file, and the thread lays them row by row
 * in blocks, as tensors want them. It sends at most as many blocks ahead as it is told.
 */
import { parentPort, workerData } from "node:worker_threads";
import type { DuckDBDataChunk } from "@duckdb/node-api";
import { messageOf } from "../../errors.ts";
import { openDuckdbSession } from "../duckdb/duckdb-session.ts";
import { floatColumnOf } from "../duckdb/float-column.ts";
import {
  type FloatThreadData,
  type FloatThreadMessage,
  type FloatThreadOrder,
  groupOffsets,
} from "./float-messages.ts";
import { copyFloatRows } from "./float-rows.ts";

const port = parentPort!;
const { values, from, widths, blockRows, blocksAhead } = workerData as FloatThreadData;
const offsets = groupOffsets(widths, blockRows);
const spare: ArrayBuffer[] = [];
let mayBegin = blocksAhead;
let onOrder = (): void => {};
let isClosed = false;
let buffer: ArrayBuffer | undefined;
let filled = 0;
/** Of the block that is being filled. */
let areFinite = true;

function post(message: FloatThreadMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/** Waits until another block may be begun; undefined where the thread is to end. */
async function freeBuffer(): Promise<ArrayBuffer | undefined> {
  while (mayBegin === 0 && !isClosed) {
    await new Promise<void>((resolve) => {
      onOrder = resolve;
    });
  }
  if (isClosed) return undefined;
  mayBegin--;
  return spare.pop() ?? new ArrayBuffer(offsets.at(-1)! * 4);
}

function sendBlock(): void {
  if (buffer === undefined || filled === 0) return;
  post({ kind: "block", buffer, rowCount: filled, areFinite }, [buffer]);
  buffer = undefined;
  filled = 0;
  areFinite = true;
}

/** Lays a chunk's rows into blocks; false where the thread is to end. */
async function layRows(chunk: DuckDBDataChunk): Promise<boolean> {
  const { rowCount } = chunk;
  const floats = values.map((_, index) => floatColumnOf(chunk, index, rowCount));
  for (let row = 0; row < rowCount; ) {
    buffer ??= await freeBuffer();
    if (buffer === undefined) return false;
    const count = Math.min(rowCount - row, blockRows - filled);
    let first = 0;
    for (const [group, width] of widths.entries()) {
      const length = offsets[group + 1]! - offsets[group]!;
      const target = new Float32Array(buffer, offsets[group]! * 4, length);
      const columns = floats.slice(first, first + width);
      const sum = copyFloatRows(columns, row, count, { values: target, width, column: 0, row: filled });
      areFinite &&= Number.isFinite(sum);
      first += width;
    }
    row += count;
    filled += count;
    if (filled === blockRows) sendBlock();
  }
  return true;
}

async function readAll(): Promise<void> {
  const session = await openDuckdbSession();
  port.on("message", (order: FloatThreadOrder) => {
    if (order.kind === "close") {
      isClosed = true;
      session.close();
      port.close();
    } else {
      mayBegin++;
      if (order.buffer !== undefined) spare.push(order.buffer);
    }
    onOrder();
  });
  for await (const chunk of session.stream(values, from)) {
    if (!(await layRows(chunk))) return;
  }
  sendBlock();
  post({ kind: "end" });
}

readAll().catch((error: unknown) => post({ kind: "failure", message: messageOf(error) }));
