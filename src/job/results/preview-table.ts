import type { ResultColumns, ResultRows } from "../../table/result-rows.ts";
import type { TableChunk } from "../../table/table-source.ts";

const MOST_CHARACTERS = 40;

/** A chunk's rows with their results, as a table for a terminal: numbers to the right, long texts cut. */
export function previewTable({ chunk }: TableChunk, columns: ResultColumns, results: ResultRows): string {
  const rows = Array.from({ length: results.rowCount }, (_, row) => row);
  const hasErrors = rows.some((row) => results.errors.has(row));
  const shown: { readonly name: string; readonly cells: readonly string[] }[] = columns.keep.map(
    ({ name, vectorIndex }) => {
      const vector = chunk.getColumnVector(vectorIndex);
      return { name, cells: rows.map((row) => cell(vector.getItem(row))) };
    },
  );
  const scored = (value: (row: number) => unknown) =>
    rows.map((row) => (results.errors.has(row) ? "" : cell(value(row))));
  if (columns.hasScore) shown.push({ name: "score", cells: scored((row) => results.scores[row]) });
  if (columns.hasLabel) shown.push({ name: "label", cells: scored((row) => results.labels[row]) });
  const classes = columns.probabilities.length;
  for (const [index, name] of columns.probabilities.entries()) {
    const cells = scored((row) => results.probabilities[row * classes + index]);
    shown.push({ name: `probability_${name}`, cells });
  }
  if (hasErrors) shown.push({ name: "score_error", cells: rows.map((row) => results.errors.get(row) ?? "") });
  const lines = shown.map(({ name, cells }) => padded(name, cells));
  return `${[0, 1, ...rows.map((row) => row + 2)]
    .map((line) =>
      lines
        .map((column) => column[line])
        .join("  ")
        .trimEnd(),
    )
    .join("\n")}\n`;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "number" ? String(Number(value.toPrecision(7))) : String(value);
  const line = text.replaceAll(/[\r\n\t]+/g, " ");
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 1)}…` : line;
}

/** Name, rule and cells, all as wide as the widest; an error, which stands last, is not cut. */
function padded(name: string, cells: readonly string[]): string[] {
  const isNumeric = cells.every((text) => text === "" || Number.isFinite(Number(text)));
  const width = Math.max(name.length, ...cells.map((text) => text.length));
  const pad = (text: string) => (isNumeric ? text.padStart(width) : text.padEnd(width));
  return [pad(name), "-".repeat(width), ...cells.map(pad)];
}
