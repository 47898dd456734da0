import type { TableColumn } from "../../table/table-source.ts";
import { quotedList } from "../../wording/quoted-list.ts";

/** The name of a table, and what its files tell beside their columns. */
export interface TableNames {
  /** `csv`, …, or `sql`. */
  readonly format: string;
  /** In order; the first has the columns. */
  readonly files: readonly string[];
  /** Columns that the first file lacks, and a file that has them. */
  readonly elsewhere: ReadonlyMap<string, string>;
  /** Columns whose values stand in the names of folders, `year=2024`. */
  readonly partitions: readonly string[];
}

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const DELIMITERS = [",", ";", "\t", "|"];

/** Lines for inputs that found no column: the columns that there are, and why they may not be those that are meant. */
export function missingColumnLines(
  columns: readonly TableColumn[],
  missing: readonly string[],
  table: TableNames | undefined,
): string[] {
  if (table === undefined) return [];
  const [first = "the table"] = table.files;
  const more = table.files.length > 1 ? ` (the first of ${table.files.length} files)` : "";
  const names = columns.map(({ name }) => name);
  const lines = [`${first}${more} has the columns ${quotedList(names)}`];
  for (const name of missing) {
    const other = table.elsewhere.get(name);
    if (other !== undefined)
      lines.push(`${other} has a column ${JSON.stringify(name)}, and ${first} lacks it`);
  }
  const inFolders = missing.filter((name) => table.partitions.includes(name));
  if (inFolders.length > 0) lines.push(partitionAdvice(inFolders, first, table.format));
  if (table.format !== "csv") return lines;
  const sign = names.length === 1 ? DELIMITERS.find((each) => names[0]!.includes(each)) : undefined;
  if (sign !== undefined)
    lines.push(
      `all is one column, whose name has ${JSON.stringify(sign)}: --csv-delimiter says what splits it`,
    );
  else if (names.some((name) => NUMBER.test(name))) {
    lines.push(
      "some of these names are numbers: if the first line is a row already, --no-csv-header says so, and --by-position maps its columns",
    );
  }
  return lines;
}

function partitionAdvice(names: readonly string[], file: string, format: string): string {
  const reader = { csv: "read_csv", ndjson: "read_json", parquet: "read_parquet" }[format];
  const folders = file.split("/");
  const at = folders.findIndex((folder) => /^[^=]+=/.test(folder));
  const ending = /\.[^./]+(\.(gz|zst))?$/i.exec(file)?.[0] ?? "";
  const pattern = [...folders.slice(0, at), "**", `*${ending}`].join("/");
  const what = `${quotedList(names)} stand${names.length === 1 ? "s" : ""} in the names of the folders`;
  if (reader === undefined) return `${what}, which no column is made of`;
  return `${what}: --input "sql:SELECT * FROM ${reader}('${pattern}', hive_partitioning=true) ORDER BY ALL" makes columns of them`;
}
