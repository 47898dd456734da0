/** What the code of a kernel is made for: the numbers that stand in its instructions, and the records that it reads. */
export interface KernelShape {
  /** Bytes of a score: 4, or 8 where sums are of double precision. */
  readonly scoreBytes: 4 | 8;
  readonly combine: "add" | "min" | "max";
  readonly targetCount: number;
  readonly planeCount: number;
  /** How many of the planes are columns as they come, how many have infinity for NaN; flags follow. */
  readonly valueCount: number;
  readonly highCount: number;
}

/** Rows that are walked side by side. */
export const BLOCK_ROWS = 8;
/** Bytes of one plane of a block: a float a row. */
export const PLANE_BYTES = BLOCK_ROWS * 4;
/** Rows whose leaves are found by bits at once, a byte each in a vector. */
export const BIT_ROWS = 16;
/** The most leaves of a tree that are found by bits. */
export const MAX_BIT_LEAVES = 64;

/** A node is its threshold, then its word; this is set in the word of a leaf, whose threshold is a NaN with the leaf's number in its low bits. */
export const LEAF_BIT = 1;
export const LEAF_NAN = 0x7fc00000;
export const LEAF_MASK = 0x3fffff;

/** Words: where its nodes begin, where its tables' records begin and end. */
export const WALK_TREE_BYTES = 12;
/** Words: where its bytes' records begin and end, where its tables' do. */
export const BIT_TREE_BYTES = 16;
/** Words: where its entries end, and four times the number of its first leaf. */
export const BIT_BYTE_BYTES = 8;
/** A word: the offset of the byte plane; a byte: the threshold; a byte: the leaves that go where it is exceeded. */
export const BIT_ENTRY_BYTES = 8;
/** Entries are read in pairs. */
export const BIT_ENTRY_STEP = 2;
/** Words: the offset of the target among the scores of a block, and where the table begins. */
export const TABLE_BYTES = 8;
/** Words: the offset of the plane, where its cuts begin and end (or the first step). */
export const BYTE_PLANE_BYTES = 12;
/** Words: the offset of the column, that of the plane, and what the column is compared with. */
export const FLAG_BYTES = 12;

/** The low bits of a node's word, for the offset of its plane; the bits above are for the place of its left child. */
export function planeBits(planeCount: number): number {
  return Math.max(5, Math.ceil(Math.log2(planeCount * PLANE_BYTES)));
}

/** Bytes of the planes of a block. */
export function blockPlaneBytes({ planeCount }: Pick<KernelShape, "planeCount">): number {
  return planeCount * PLANE_BYTES;
}

/** Bytes of the scores of a block: by target, then by row. */
export function blockScoreBytes({ targetCount, scoreBytes }: KernelShape): number {
  return targetCount * BLOCK_ROWS * scoreBytes;
}
