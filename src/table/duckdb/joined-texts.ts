/** Texts of these lengths in bytes are joined: DuckDB's cells hold shorter ones themselves, and longer ones cost their copy. */
export const JOINED_BYTES = { least: 13, most: 64 } as const;

/** The sign between joined texts. */
export const JOINED_SEPARATOR = 0x1f;

/** The SQL of `ColumnRequest.joinedTexts` for these columns, given as SQL. */
export function joinedTextsSql(columns: readonly string[]): string {
  const { least, most } = JOINED_BYTES;
  const texts = columns.map(
    (column) =>
      `CASE WHEN strlen(${column}) BETWEEN ${least} AND ${most} THEN ${column}::VARCHAR ELSE '' END`,
  );
  return `concat_ws(chr(${JOINED_SEPARATOR}), ${texts.join(", ")})`;
}
