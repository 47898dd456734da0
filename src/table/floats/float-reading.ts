import { Worker } from "node:worker_threads";
import { entryUrl } from "../../package-files.ts";
import type { FloatChunk } from "../table-source.ts";
import {
  type FloatBlock,
  type FloatThreadData,
  type FloatThreadMessage,
  type FloatThreadOrder,
  groupOffsets,
  rowsOfBlock,
} from "./float-messages.ts";

/** Columns to read as floats, laid row by row. */
export interface FloatQuery {
  /** SQL values of each group, whose rows lie together; all FLOAT. */
  readonly groups: readonly (readonly string[])[];
  /** What stands after FROM. */
  readonly from: string;
}

/** Rows of floats that a thread of its own reads ahead; whoever opened it closes it. */
export interface FloatReading {
  /** At most `most` of the next rows; undefined after the last. Rejects with what the thread failed with. */
  next(most: number): Promise<TakenRows | undefined>;
  /** The next `count` rows; fewer at the end. */
  exactly(count: number): Promise<TakenRows>;
  close(): void;
}

/** Rows that were taken, one piece for each group. */
export interface TakenRows extends Pick<FloatChunk, "areFinite" | "release"> {
  readonly rowCount: number;
  readonly groups: readonly Float32Array<ArrayBuffer>[];
}

const BLOCKS_AHEAD = 3;
const SPARE_BUFFERS = 4;

/** A block that rows are taken from. */
interface OpenBlock extends FloatBlock {
  taken: number;
  /** Pieces that somebody still reads. */
  readers: number;
}

/** Starts the thread. */
export function openFloatReading({ groups, from }: FloatQuery): FloatReading {
  const widths = groups.map((group) => group.length);
  const blockRows = rowsOfBlock(widths);
  const offsets = groupOffsets(widths, blockRows);
  const data: FloatThreadData = {
    values: groups.flat(),
    from,
    widths,
    blockRows,
    blocksAhead: BLOCKS_AHEAD,
  };
  const worker = new Worker(entryUrl("table/floats/float-thread"), {
    workerData: data,
    name: "assay reader",
  });
  const arrived: FloatBlock[] = [];
  const spare: ArrayBuffer[] = [];
  let open: OpenBlock | undefined;
  let hasEnded = false;
  let failure: Error | undefined;
  let onArrival = (): void => {};

  worker.on("message", (message: FloatThreadMessage) => {
    if (message.kind === "block") arrived.push(message);
    else if (message.kind === "end") hasEnded = true;
    else failure ??= new Error(message.message);
    onArrival();
  });
  worker.on("error", (error: Error) => {
    failure ??= error;
    onArrival();
  });
  worker.on("exit", () => {
    if (!hasEnded) failure ??= new Error("the thread that reads it has ended");
    onArrival();
  });

  function order(message: FloatThreadOrder, transfer: ArrayBuffer[] = []): void {
    worker.postMessage(message, transfer);
  }

  /** The block that the next row lies in; undefined after the last. */
  async function block(): Promise<OpenBlock | undefined> {
    if (open !== undefined) return open;
    while (arrived.length === 0) {
      if (failure !== undefined) throw failure;
      if (hasEnded) return undefined;
      await new Promise<void>((resolve) => {
        onArrival = resolve;
      });
    }
    open = { ...arrived.shift()!, taken: 0, readers: 0 };
    return open;
  }

  function taken(from: OpenBlock, rowCount: number): TakenRows {
    const first = from.taken;
    from.taken += rowCount;
    from.readers++;
    if (from.taken === from.rowCount) {
      open = undefined;
      const buffer = spare.pop();
      order({ kind: "next", buffer }, buffer === undefined ? [] : [buffer]);
    }
    let isHeld = true;
    return {
      rowCount,
      areFinite: from.areFinite,
      groups: widths.map(
        (width, group) =>
          new Float32Array(from.buffer, (offsets[group]! + first * width) * 4, rowCount * width),
      ),
      release() {
        if (!isHeld) return;
        isHeld = false;
        from.readers--;
        if (from.readers > 0 || from.taken < from.rowCount) return;
        if (spare.length < SPARE_BUFFERS) spare.push(from.buffer);
      },
    };
  }

  async function next(most: number): Promise<TakenRows | undefined> {
    const from = await block();
    return from && taken(from, Math.min(most, from.rowCount - from.taken));
  }

  return {
    next,
    async exactly(count) {
      const pieces: TakenRows[] = [];
      let rowCount = 0;
      while (rowCount < count) {
        const piece = await next(count - rowCount);
        if (piece === undefined) break;
        pieces.push(piece);
        rowCount += piece.rowCount;
      }
      return pieces.length === 1 ? pieces[0]! : joined(pieces, rowCount, widths);
    },
    close() {
      order({ kind: "close" });
      worker.unref();
    },
  };
}

function joined(pieces: readonly TakenRows[], rowCount: number, widths: readonly number[]): TakenRows {
  const groups = widths.map((width, group) => {
    const rows = new Float32Array(rowCount * width);
    let at = 0;
    for (const piece of pieces) {
      rows.set(piece.groups[group]!, at);
      at += piece.groups[group]!.length;
    }
    return rows;
  });
  for (const piece of pieces) piece.release();
  return { rowCount, groups, areFinite: pieces.every((piece) => piece.areFinite), release: () => {} };
}
