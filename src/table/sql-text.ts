/** A text as an SQL literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as an SQL identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A file's path as a literal for functions that read globs; it matches that file alone. */
export function quoteExactPath(path: string): string {
  return quoteText(path.replaceAll(/[*?[]/g, "[$&]"));
}
