import { DuckDBDataChunk } from "@duckdb/node-api";
import type { DuckdbSession } from "../duckdb/duckdb-session.ts";
import {
  type FileColumn,
  type FileRows,
  type QueriedFile,
  queriedFile,
  unreadable,
} from "../read/table-file.ts";
import { tableError } from "../table-error.ts";
import { type FloatChunk, MOST_CHUNK_ROWS } from "../table-source.ts";
import { type FloatReading, openFloatReading, type TakenRows } from "./float-reading.ts";

/** A chunk without vectors, whose rows DuckDB's own limit of 2,048 does not concern. */
class BareChunk extends DuckDBDataChunk {
  #rowCount: number;

  constructor(rowCount: number) {
    super(DuckDBDataChunk.create([], 0).chunk);
    this.#rowCount = rowCount;
  }

  override get rowCount(): number {
    return this.#rowCount;
  }

  override set rowCount(rowCount: number) {
    this.#rowCount = rowCount;
  }
}

/**
 * Reads a file whose rows come in the same order each time: its packed floats by a thread of their own, all other columns by the
 * session, row for row beside them. Undefined where no packed floats are wanted.
 */
export function readFloatsApart(
  session: DuckdbSession,
  file: QueriedFile,
  columns: readonly FileColumn[],
  fromRow: number,
): AsyncGenerator<FileRows> | undefined {
  const packed = columns.flatMap((column, index) => (column.packed === undefined ? [] : [{ column, index }]));
  if (packed.length === 0) return undefined;
  const indices = packed.map(({ index }) => index);
  const own = packed.flatMap(({ column }) => column.packed!.map((index) => ({ index, asDouble: false })));
  const open = () =>
    openFloatReading({
      groups: packed.map(({ column }) => column.packed!.map((position) => `c${position}`)),
      from: file.from(own, fromRow),
    });
  return packed.length === columns.length
    ? floatsAlone(open, file, indices)
    : floatsBeside(open, session, file, columns, indices, fromRow);
}

async function* floatsAlone(
  open: () => FloatReading,
  file: QueriedFile,
  indices: readonly number[],
): AsyncGenerator<FileRows> {
  const reading = open();
  try {
    for (;;) {
      const rows = await reading.next(MOST_CHUNK_ROWS).catch((error: unknown) => {
        throw unreadable(file.name, error);
      });
      if (rows === undefined) return;
      yield { chunk: new BareChunk(rows.rowCount), floats: floatChunk(rows, indices) };
    }
  } finally {
    reading.close();
  }
}

async function* floatsBeside(
  open: () => FloatReading,
  session: DuckdbSession,
  file: QueriedFile,
  columns: readonly FileColumn[],
  indices: readonly number[],
  fromRow: number,
): AsyncGenerator<FileRows> {
  const others = columns.map((column) => (column.packed === undefined ? column : NOTHING));
  const reading = open();
  try {
    for await (const chunk of queriedFile(session, file).read(others, fromRow)) {
      const rows = await reading.exactly(chunk.rowCount).catch((error: unknown) => {
        throw unreadable(file.name, error);
      });
      if (rows.rowCount !== chunk.rowCount)
        throw tableError(
          `${file.name} changed while it was read: some of its columns have fewer rows than others`,
        );
      yield { chunk, floats: floatChunk(rows, indices) };
    }
  } finally {
    reading.close();
  }
}

/** Stands where a packed column's vector would: a list without values. */
const NOTHING: FileColumn = { index: -1, asDouble: false, packed: [] };

function floatChunk({ groups, areFinite, release }: TakenRows, indices: readonly number[]): FloatChunk {
  return { byVector: new Map(indices.map((index, group) => [index, groups[group]!])), areFinite, release };
}
