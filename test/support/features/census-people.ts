import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { score } from "../clients/score-command.ts";
import { censusCsv, query } from "../tables/tables.ts";

/** Columns of the census model that lie in the store, as the table spells them. */
const STORED = ["age", "workclass", "education-num", "capital-gain", "marital-status"];

/** People of the census in a table, of whom a request brings some columns and the rest is looked up. */
export interface CensusPeople {
  /** A repository with `census`, which looks up, and `iris`, which does not. */
  readonly models: string;
  /** The Parquet file: `person_id` and all columns. */
  readonly table: string;
  /** By id, what a request brings: the key and the columns that are not stored. */
  readonly brought: ReadonlyMap<number, Record<string, unknown>>;
  /** By id, all columns. */
  readonly whole: ReadonlyMap<number, Record<string, unknown>>;
  /** By id, the score that `assay score` gives to the table's row. */
  readonly scores: ReadonlyMap<number, number>;
}

/** Makes them in a folder; `source` says where the columns lie. */
export async function censusPeople(folder: string, source: object, rowCount = 200): Promise<CensusPeople> {
  const csv = join(folder, "people.csv");
  const table = join(folder, "people.parquet");
  writeFileSync(csv, censusCsv(rowCount));
  // Floats of both widths, which are to come back bit for bit.
  const from = `SELECT row_number() OVER () AS person_id, * REPLACE ("capital-gain" / 3::FLOAT AS "capital-gain") FROM read_csv('${csv}')`;
  await query(`COPY (${from}) TO '${table}' (FORMAT parquet)`);
  const models = join(folder, "models");
  mkdirSync(models, { recursive: true });
  for (const name of ["census", "iris"])
    cpSync(join("models", name), join(models, name), { recursive: true });
  const output = join(folder, "scores.ndjson");
  const run = await score(["--model", "census", "--input", table, "--output", output, "--keep", "person_id"]);
  if (run.code !== 0) throw new Error(run.stderr);
  writeSource(models, source);
  const rows = await query(`SELECT * FROM '${table}'`);
  const scored = await query(`SELECT person_id, score FROM '${output}'`);
  const whole = new Map(rows.map((row) => [Number(row.person_id), modelRow(row)]));
  const brought = new Map(
    Array.from(whole, ([id, row]) => {
      const rest = Object.entries(row).filter(([name]) => !STORED.includes(name));
      return [id, { person_id: id, ...Object.fromEntries(rest) }] as const;
    }),
  );
  const scores = new Map(scored.map((row) => [Number(row.person_id), Number(row.score)]));
  return { models, table, brought, whole, scores };
}

/** Says where the columns of `census` lie. */
function writeSource(models: string, source: object): void {
  const people = {
    name: "people",
    keys: ["person_id"],
    columns: STORED.map((name) => ({ name })),
    ...source,
  };
  writeFileSync(
    join(models, "census/1/config.json"),
    JSON.stringify({ feature_sources: [people] }, undefined, 2),
  );
}

const MODEL_COLUMNS = [...STORED, "hours-per-week", "capital-loss", "occupation", "relationship", "sex"];

function modelRow(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    MODEL_COLUMNS.map((name) => [name, typeof row[name] === "bigint" ? Number(row[name]) : row[name]]),
  );
}
