/** A text as an SQL literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as an SQL identifier. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A file's path as a literal for DuckDB's readers, which take globs: it matches that file alone, whatever its name has. */
export function sqlPath(path: string): string {
  // DuckDB reads ~ at the start as a shell does.
  const plain = path.startsWith("~") ? `./${path}` : path;
  return sqlText(plain.replaceAll(/[*?[]/g, "[$&]"));
}
