import type { TableChunk } from "../../table/table-source.ts";
import type { ColumnMapping, MappedColumn } from "../columns/column-mapping.ts";
import { type JoinedTexts, splitJoinedTexts } from "./joined-texts.ts";
import { createTextCells, type TextCells } from "./text-cells.ts";

/** Opens the texts of one column of a chunk. */
export type ChunkTexts = (column: MappedColumn) => TextCells;

/** The texts of a chunk's columns; what was read joined is split once, when a column first needs it. */
export function chunkTexts({ chunk }: TableChunk, joined: ColumnMapping["joined"]): ChunkTexts {
  const { rowCount } = chunk;
  let split: JoinedTexts | undefined;
  const texts = () => {
    const { vectorIndex, columns } = joined!;
    split ??= splitJoinedTexts(chunk.getColumnVector(vectorIndex), rowCount, columns.length);
    return split;
  };
  return ({ column, vectorIndex }) => {
    const position = joined?.columns.indexOf(column) ?? -1;
    const own = position < 0 ? undefined : { texts, position };
    return createTextCells(chunk.getColumnVector(vectorIndex), rowCount, own);
  };
}
