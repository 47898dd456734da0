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
  /** Names of CSV that are also values of their columns. */
  readonly namesAmongValues: readonly string[];
}

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const NO_HEADER =
  ": if the first line is a row already, --no-csv-header says so, and --by-position maps its columns";
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
  if (table.format !== "csv") return lines;
  const sign = names.length === 1 ? DELIMITERS.find((each) => names[0]!.includes(each)) : undefined;
  if (sign !== undefined)
    lines.push(
      `all is one column, whose name has ${JSON.stringify(sign)}: --csv-delimiter says what splits it`,
    );
  else if (names.some((name) => NUMBER.test(name))) lines.push(`some of these names are numbers${NO_HEADER}`);
  else if (table.namesAmongValues.length > 0) {
    const [is, their] = table.namesAmongValues.length === 1 ? ["is a value", "its"] : ["are values", "their"];
    lines.push(`${quotedList(table.namesAmongValues)} ${is} of ${their} column too${NO_HEADER}`);
  }
  return lines;
}
