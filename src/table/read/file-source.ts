import { didYouMean } from "../../wording/nearest-name.ts";
import { type InferredType, inferredType, type TypeCounts } from "../inferred-types.ts";
import { tableError } from "../table-error.ts";
import type {
  ColumnRequest,
  SourceInput,
  TableChunk,
  TableColumn,
  TableFormat,
  TableSource,
} from "../table-source.ts";
import type { FileColumn, FileRows, TableFile } from "./table-file.ts";

/** The parts of a source over files. */
export interface FileSourceOptions {
  readonly format: TableFormat;
  /** One for each file, in the same order. */
  readonly inputs: readonly SourceInput[];
  readonly files: readonly TableFile[];
  close(): void;
}

/**
 * One table out of files that follow one another, with the columns of the first. Reading throws a TABLE_INVALID that names
 * file and column where a column that is read is not, by name and type, that of the first; the order of columns may differ,
 * and so may those that nobody reads.
 */
export function createFileSource(options: FileSourceOptions): TableSource {
  const { files } = options;
  const columns = files[0]!.columns;
  const check = (requests: readonly ColumnRequest[]) => {
    for (const file of files.slice(1)) checkColumns(files[0]!, file, requests);
  };
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
    columnsElsewhere: columnsElsewhere(files),
    namesAmongValues: files[0]!.namesAmongValues ?? [],
    check,
    ...(options.format === "csv" || options.format === "ndjson"
      ? { inferTypes: (names: readonly string[]) => inferTypes(files, names) }
      : {}),
    async *read(requests, fromRow) {
      check(requests);
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
        for await (const rows of readRows(file, fileColumns(file, requests), before)) {
          const { chunk } = rows;
          const read: TableChunk = { ...rows, fromRow: first + row, file: file.name, fileRow: row + 1 };
          const faults = await file.faults?.of(row, chunk.rowCount);
          row += chunk.rowCount;
          yield faults === undefined || faults.size === 0 ? read : { ...read, faults };
        }
        first += row;
      }
    },
    close: options.close,
  };
}

async function inferTypes(
  files: readonly TableFile[],
  names: readonly string[],
): Promise<Map<string, InferredType>> {
  const texts = names.filter(
    (name) => files[0]!.columns.find((column) => column.name === name)?.isPartition !== true,
  );
  if (texts.length === 0) return new Map();
  const requests = texts.map((name) => ({ name }));
  const counts: TypeCounts[][] = [];
  for (const file of files) {
    const indexes = fileColumns(file, requests).map(({ index }) => index);
    counts.push(await file.countTypes!(indexes));
  }
  const found = new Map<string, InferredType>();
  for (const [index, name] of texts.entries()) {
    const type = inferredType(counts.map((ofFile) => ofFile[index]!));
    if (type !== undefined) found.set(name, type);
  }
  return found;
}

async function* readRows(
  file: TableFile,
  columns: readonly FileColumn[],
  fromRow: number,
): AsyncGenerator<FileRows> {
  const apart = file.readApart?.(columns, fromRow);
  if (apart !== undefined) yield* apart;
  else for await (const chunk of file.read(columns, fromRow)) yield { chunk };
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
  return requests.map(({ name, asDouble = false, as, joinedTexts, packedFloats }) => {
    if (joinedTexts !== undefined) return { index: -1, asDouble, joined: joinedTexts.map(indexOf) };
    if (packedFloats !== undefined) return { index: -1, asDouble, packed: packedFloats.map(indexOf) };
    return { index: indexOf(name), asDouble, as };
  });
}

/** Columns that the first file lacks, and the first of the others that has each. */
function columnsElsewhere(files: readonly TableFile[]): ReadonlyMap<string, string> {
  const known = new Set(files[0]!.columns.map(({ name }) => name));
  const elsewhere = new Map<string, string>();
  for (const file of files.slice(1)) {
    for (const { name } of file.columns) {
      if (!known.has(name) && !elsewhere.has(name)) elsewhere.set(name, file.name);
    }
  }
  return elsewhere;
}

function checkColumns(first: TableFile, file: TableFile, requests: readonly ColumnRequest[]): void {
  const wanted = new Map(first.columns.map((column) => [column.name, column]));
  const found = new Map(file.columns.map((column) => [column.name, column]));
  const names = requests.flatMap(
    ({ name, joinedTexts, packedFloats }) => joinedTexts ?? packedFloats ?? [name],
  );
  for (const name of new Set(names)) {
    const column = wanted.get(name);
    const other = found.get(name);
    if (column === undefined) throw tableError(`${first.name} has no column ${JSON.stringify(name)}`);
    if (other === undefined) {
      throw tableError(
        `${file.name} has no column ${JSON.stringify(name)}, which ${first.name} has and this run reads` +
          `${didYouMean(name, found.keys())}; score the files apart, or leave this one out`,
      );
    }
    if (typeText(other) !== typeText(column)) {
      throw tableError(
        `${file.name} has ${typeText(other)} in the column ${JSON.stringify(name)}, ` +
          `and ${first.name} ${typeText(column)}; score them apart, or cast with --input "sql:SELECT …"`,
      );
    }
  }
}

function typeText(column: TableColumn): string {
  return column.type.alias ?? column.type.toString();
}
