import { counted } from "../counted.ts";
import { tableError } from "./table-error.ts";
import type { FileColumn, TableFile } from "./table-file.ts";
import type {
  ColumnRequest,
  SourceInput,
  TableChunk,
  TableColumn,
  TableFormat,
  TableSource,
} from "./table-source.ts";

/** What a source over files is made of. */
export interface FileSourceOptions {
  readonly format: TableFormat;
  /** One for each file, in the same order. */
  readonly inputs: readonly SourceInput[];
  readonly files: readonly TableFile[];
  close(): void;
}

/**
 * One table out of files that follow one another. Throws a TABLE_INVALID that names file and column where a file's
 * columns are not, by name and type, those of the first; their order may differ.
 */
export function createFileSource(options: FileSourceOptions): TableSource {
  const { files } = options;
  const columns = files[0]!.columns;
  for (const file of files.slice(1)) checkColumns(files[0]!, file);
  const counts = files.map((file) => file.rowCount);
  const rowCount = counts.includes(undefined)
    ? undefined
    : counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);

  return {
    format: options.format,
    inputs: options.inputs,
    columns,
    rowCount,
    notResumable: undefined,
    async *read(requests, fromRow) {
      let first = 0;
      for (const file of files) {
        const before = Math.max(0, fromRow - first);
        if (before > 0 && files.length > 1) {
          // Else a reading from the end of a file would have to read it to know where the next one begins.
          const count = await file.countRows();
          if (count <= before) {
            first += count;
            continue;
          }
        }
        let row = before;
        for await (const chunk of file.read(fileColumns(file, requests), before)) {
          const read: TableChunk = { chunk, fromRow: first + row, file: file.name, fileRow: row + 1 };
          row += chunk.rowCount;
          yield read;
        }
        first += row;
      }
    },
    close: options.close,
  };
}

/** Where the requested columns stand in a file. Throws where one is missing, or stands there twice. */
export function fileColumns(
  file: Pick<TableFile, "name" | "columns">,
  requests: readonly ColumnRequest[],
): FileColumn[] {
  const indexOf = (name: string) => {
    const index = file.columns.findIndex((column) => column.name === name);
    if (index < 0) throw tableError(`${file.name} has no column ${JSON.stringify(name)}`);
    if (file.columns.findLastIndex((column) => column.name === name) !== index) {
      throw tableError(
        `${file.name} has more than one column ${JSON.stringify(name)}; give one of them another name`,
      );
    }
    return index;
  };
  return requests.map(({ name, asDouble = false, joinedTexts, packedFloats }) => {
    if (joinedTexts !== undefined) return { index: -1, asDouble, joined: joinedTexts.map(indexOf) };
    if (packedFloats !== undefined) return { index: -1, asDouble, packed: packedFloats.map(indexOf) };
    return { index: indexOf(name), asDouble };
  });
}

function checkColumns(first: TableFile, file: TableFile): void {
  const names = (table: TableFile) => new Map(table.columns.map((column) => [column.name, column]));
  const wanted = names(first);
  const found = names(file);
  for (const [name, column] of wanted) {
    const other = found.get(name);
    if (other === undefined) {
      throw tableError(`${file.name} has no column ${JSON.stringify(name)}, which ${first.name} has`);
    }
    if (typeText(other) !== typeText(column)) {
      throw tableError(
        `${file.name} has ${typeText(other)} in the column ${JSON.stringify(name)}, ` +
          `and ${first.name} ${typeText(column)}; score them apart, or cast with --input "sql:SELECT …"`,
      );
    }
  }
  for (const name of found.keys()) {
    if (!wanted.has(name)) {
      throw tableError(`${file.name} has a column ${JSON.stringify(name)}, which ${first.name} has not`);
    }
  }
  if (file.columns.length !== first.columns.length) {
    throw tableError(
      `${file.name} has ${counted(file.columns.length, "column")}, and ${first.name} ${first.columns.length}: a name stands twice`,
    );
  }
}

function typeText(column: TableColumn): string {
  return column.type.alias ?? column.type.toString();
}
