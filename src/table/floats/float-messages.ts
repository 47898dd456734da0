import { MOST_CHUNK_ROWS } from "../table-source.ts";

/** What the thread that reads floats is started with. */
export interface FloatThreadData {
  /** The columns to read as SQL values, those of the first group first. */
  readonly values: readonly string[];
  /** What stands after FROM. */
  readonly from: string;
  /** How many columns each group has. */
  readonly widths: readonly number[];
  /** The most rows of a block. */
  readonly blockRows: number;
  /** Blocks that the thread may send before the first of them is used up. */
  readonly blocksAhead: number;
}

/** Rows of all groups: those of group `g` lie row by row from `groupOffsets(...)[g]` on. NaN stands for NULL. */
export interface FloatBlock {
  readonly kind: "block";
  readonly buffer: ArrayBuffer;
  readonly rowCount: number;
  /** None of them is NaN or infinite; false: some may be. */
  readonly areFinite: boolean;
}

/** From the thread: rows in the order of the input, then either the end or a failure. */
export type FloatThreadMessage =
  | FloatBlock
  | { readonly kind: "end" }
  | { readonly kind: "failure"; readonly message: string };

/** To the thread: a block has been used up, so that it may send another, in the memory of an older one where one is free; or it ends. */
export type FloatThreadOrder =
  | { readonly kind: "next"; readonly buffer: ArrayBuffer | undefined }
  | { readonly kind: "close" };

/** Where each group begins in a block's buffer, in floats, and at last its length. */
export function groupOffsets(widths: readonly number[], blockRows: number): number[] {
  const offsets = [0];
  for (const width of widths) offsets.push(offsets.at(-1)! + width * blockRows);
  return offsets;
}

const BLOCK_BYTES = 4 << 20;
const CHUNK_ROWS = 2048;
const MOST_CHUNKS = 16;

/**
 * Rows of a block of at most 4 MiB: whole chunks of the most rows that a chunk may have, or else one chunk of a multiple of 2,048 rows,
 * or of fewer. So all chunks but the last have the same rows, and a reading that begins where a chunk did cuts as the first one.
 */
export function rowsOfBlock(widths: readonly number[]): number {
  const rowBytes = 4 * widths.reduce((sum, width) => sum + width, 0);
  const chunks = Math.floor(BLOCK_BYTES / (rowBytes * CHUNK_ROWS));
  if (chunks === 0) return Math.max(1, Math.floor(BLOCK_BYTES / rowBytes));
  const whole = MOST_CHUNK_ROWS / CHUNK_ROWS;
  return CHUNK_ROWS * (chunks < whole ? chunks : Math.min(MOST_CHUNKS, chunks - (chunks % whole)));
}
