import type { TableColumn } from "../../table/table-source.ts";
import { didYouMean } from "../../wording/nearest-name.ts";
import { quotedList } from "../../wording/quoted-list.ts";
import { columnKind } from "./column-kind.ts";
import type { TableProblems } from "./table-problems.ts";

/** The columns to pass through, without those that are missing, nested or named twice: each of them is a problem. */
export function checkKept(
  keep: readonly string[],
  columns: readonly TableColumn[],
  problems: TableProblems,
): string[] {
  const kept: string[] = [];
  for (const name of keep) {
    const column = columns.find((candidate) => candidate.name === name);
    const flag = `--keep ${JSON.stringify(name)}`;
    if (column === undefined) {
      const names = columns.map((candidate) => candidate.name);
      const hint = didYouMean(name, names) || `; it has ${quotedList(names)}`;
      problems.add(`${flag}: the table has no such column${hint}`);
    } else if (columnKind(column.type) === "nested") {
      problems.add(
        `${flag}: the column is ${column.type}, and nested columns are not passed through; take a field of it with sql:`,
      );
    } else if (kept.includes(name)) problems.add(`${flag}: the column is named twice`);
    else kept.push(name);
  }
  return kept;
}
