import type { ResultColumns } from "../../../src/table/result-rows.ts";

/** The input of the runs that are killed: numbers, texts and nulls. */
export const ROWS_SQL = (rows: number) =>
  `SELECT range AS id, CASE WHEN range % 3 <> 0 THEN 'kept text no. ' || range END AS text FROM range(${rows})`;

/** What their outputs have beside it. */
export const SINK_COLUMNS: Partial<ResultColumns> = { hasLabel: true, probabilities: ["even", "odd"] };
