import { type FileHandle, open } from "node:fs/promises";
import {
  listBytes,
  numberBytes,
  numberOf,
  structBytes,
  THRIFT,
  type ThriftField,
  ThriftReader,
} from "./thrift-copy.ts";

/** Field numbers of Parquet's footer: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift */
const FILE = { schema: 2, rowCount: 3, rowGroups: 4 } as const;
const GROUP = { columns: 1, fileOffset: 5, ordinal: 7 } as const;
const COLUMN = { fileOffset: 2, metadata: 3, offsetIndex: 4, columnIndex: 6 } as const;
/** Pages of data, of an index and of a dictionary, and the bloom filter. */
const METADATA_OFFSETS: ReadonlySet<number> = new Set([9, 10, 11, 14]);

const MAGIC = Buffer.from("PAR1");
const TAIL_BYTES = 8;
const COPIED_BYTES = 4 << 20;

/** The footer of a piece, and where its row groups end. */
interface Piece {
  readonly path: string;
  readonly bodyEnd: number;
  readonly fields: readonly ThriftField[];
}

/**
 * Writes one Parquet file of the row groups of several, which are copied as they are: only the footer is made anew. Returns false, and
 * what it wrote is of no use, where the files differ in their columns or have page indexes, whose places are not only in the footer.
 */
export async function joinParquetPieces(paths: readonly string[], path: string): Promise<boolean> {
  const pieces: Piece[] = [];
  for (const each of paths) pieces.push(await readPiece(each));
  const [first] = pieces;
  if (first === undefined || !pieces.every((piece) => haveSameColumns(first, piece))) return false;
  const groups: Uint8Array[] = [];
  let rowCount = 0n;
  let end = MAGIC.length;
  for (const { fields, bodyEnd } of pieces) {
    const shift = BigInt(end - MAGIC.length);
    for (const group of new ThriftReader(fieldOf(fields, FILE.rowGroups).bytes).structs()) {
      const moved = movedGroup(group, shift);
      if (moved === undefined) return false;
      groups.push(moved);
    }
    rowCount += numberOf(fieldOf(fields, FILE.rowCount));
    end += bodyEnd - MAGIC.length;
  }
  const footer = structBytes(
    first.fields.map((field) => {
      if (field.id === FILE.rowCount) return { ...field, bytes: numberBytes(rowCount) };
      return field.id === FILE.rowGroups ? { ...field, bytes: listBytes(groups) } : field;
    }),
  );
  const tail = Buffer.alloc(TAIL_BYTES);
  tail.writeUInt32LE(footer.length);
  tail.set(MAGIC, 4);
  const file = await open(path, "w");
  try {
    await file.writev([MAGIC]);
    for (const piece of pieces) await copyBody(piece, file);
    await file.writev([footer, tail]);
  } finally {
    await file.close();
  }
  return true;
}

async function readPiece(path: string): Promise<Piece> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const tail = await bytesAt(file, size - TAIL_BYTES, TAIL_BYTES);
    const bodyEnd = size - TAIL_BYTES - tail.readUInt32LE(0);
    if (!tail.subarray(4).equals(MAGIC) || bodyEnd < MAGIC.length)
      throw new RangeError(`${path} is no whole Parquet file`);
    const footer = await bytesAt(file, bodyEnd, size - TAIL_BYTES - bodyEnd);
    return { path, bodyEnd, fields: new ThriftReader(footer).fields() };
  } finally {
    await file.close();
  }
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw new RangeError(`${bytesRead} bytes came for ${length}`);
  return buffer;
}

async function copyBody({ path, bodyEnd }: Piece, to: FileHandle): Promise<void> {
  const from = await open(path, "r");
  try {
    const buffer = Buffer.alloc(Math.min(COPIED_BYTES, bodyEnd));
    for (let position = MAGIC.length; position < bodyEnd; ) {
      const length = Math.min(buffer.length, bodyEnd - position);
      const { bytesRead } = await from.read(buffer, 0, length, position);
      if (bytesRead === 0) throw new RangeError(`${path} became shorter while it was copied`);
      await to.writev([buffer.subarray(0, bytesRead)]);
      position += bytesRead;
    }
  } finally {
    await from.close();
  }
}

function haveSameColumns(first: Piece, piece: Piece): boolean {
  return Buffer.from(fieldOf(first.fields, FILE.schema).bytes).equals(
    fieldOf(piece.fields, FILE.schema).bytes,
  );
}

function fieldOf(fields: readonly ThriftField[], id: number): ThriftField {
  const field = fields.find((each) => each.id === id);
  if (field === undefined) throw new RangeError(`a Parquet footer has no field ${id}`);
  return field;
}

/** A row group that begins `shift` bytes further on; undefined where it has page indexes. */
function movedGroup(group: Uint8Array, shift: bigint): Uint8Array | undefined {
  const fields: ThriftField[] = [];
  for (const field of new ThriftReader(group).fields()) {
    if (field.id === GROUP.columns) {
      const columns: Uint8Array[] = [];
      for (const column of new ThriftReader(field.bytes).structs()) {
        const moved = movedColumn(column, shift);
        if (moved === undefined) return undefined;
        columns.push(moved);
      }
      fields.push({ ...field, bytes: listBytes(columns) });
    } else if (field.id === GROUP.fileOffset) fields.push(movedNumber(field, shift));
    // Its place among the groups of its own file; readers count for themselves.
    else if (field.id !== GROUP.ordinal) fields.push(field);
  }
  return structBytes(fields);
}

function movedColumn(column: Uint8Array, shift: bigint): Uint8Array | undefined {
  const fields = new ThriftReader(column).fields();
  if (fields.some(({ id }) => id === COLUMN.offsetIndex || id === COLUMN.columnIndex)) return undefined;
  return structBytes(
    fields.map((field) => {
      if (field.id === COLUMN.fileOffset) return movedNumber(field, shift);
      if (field.id !== COLUMN.metadata) return field;
      const metadata = new ThriftReader(field.bytes).fields();
      const moved = metadata.map((each) => (METADATA_OFFSETS.has(each.id) ? movedNumber(each, shift) : each));
      return { ...field, bytes: structBytes(moved) };
    }),
  );
}

/** 0 stands for no place. */
function movedNumber(field: ThriftField, shift: bigint): ThriftField {
  const value = numberOf(field);
  return field.type < THRIFT.i16 || value === 0n ? field : { ...field, bytes: numberBytes(value + shift) };
}
