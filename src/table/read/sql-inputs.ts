import type { DuckdbSession } from "../duckdb/duckdb-session.ts";
import { sqlText } from "../duckdb/sql-text.ts";
import { tableError } from "../table-error.ts";

/** A query, as its syntax tells. */
export interface SqlQuery {
  /** Whether the outermost SELECT has an ORDER BY. */
  readonly isOrdered: boolean;
  /** Texts that may be paths or globs: table names, and texts given to table functions such as read_csv. */
  readonly mayBeFiles: readonly string[];
}

/** DuckDB's syntax tree, as far as it is looked at. */
interface Serialized {
  readonly error: boolean;
  readonly error_message?: string;
  readonly position?: string;
  readonly statements?: readonly { readonly node: { readonly modifiers?: readonly { type: string }[] } }[];
}

/** Parses a query with DuckDB's own parser. Throws a TABLE_INVALID where it is not one SELECT. */
export async function parseQuery(session: DuckdbSession, query: string): Promise<SqlQuery> {
  const text = (await session.rows(`SELECT json_serialize_sql(${sqlText(query)})`))[0]?.[0];
  const tree = JSON.parse(String(text)) as Serialized;
  if (tree.error) {
    const at = tree.position === undefined ? "" : ` at character ${Number(tree.position) + 1}`;
    const message = /Only SELECT/.test(tree.error_message ?? "")
      ? "it is not a SELECT, and nothing else is run"
      : `${tree.error_message}${at}`;
    throw tableError(`the query cannot be run: ${message}`);
  }
  const statements = tree.statements ?? [];
  if (statements.length !== 1) {
    throw tableError(`the query has ${statements.length} statements, and one SELECT is expected`);
  }
  const mayBeFiles = new Set<string>();
  collect(statements[0], false, mayBeFiles);
  const modifiers = statements[0]!.node.modifiers ?? [];
  return {
    isOrdered: modifiers.some(({ type }) => type === "ORDER_MODIFIER"),
    mayBeFiles: [...mayBeFiles],
  };
}

function collect(node: unknown, insideTableFunction: boolean, found: Set<string>): void {
  if (Array.isArray(node)) {
    for (const child of node) collect(child, insideTableFunction, found);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  const { type, table_name, schema_name, value } = node as Record<string, unknown>;
  if (type === "BASE_TABLE" && typeof table_name === "string" && !schema_name) found.add(table_name);
  if (insideTableFunction && type === "VALUE_CONSTANT") {
    const text = (value as { value?: unknown } | undefined)?.value;
    if (typeof text === "string") found.add(text);
  }
  const inside = insideTableFunction || type === "TABLE_FUNCTION";
  for (const child of Object.values(node)) collect(child, inside, found);
}
