import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";

/** The columns of adult-census, whose file has no header. */
const CENSUS_HEADER =
  "age,workclass,fnlwgt,education,education-num,marital-status,occupation,relationship,race,sex," +
  "capital-gain,capital-loss,hours-per-week,native-country,income";

/** One of test/data. */
export function dataFile(name: string): string {
  return fileURLToPath(new URL(`../../data/${name}`, import.meta.url));
}

/** The first rows of adult-census as CSV with a header, without the spaces after the commas. */
export function censusCsv(rows: number): string {
  const lines = readFileSync(dataFile("adult-test.csv"), "utf8").trimEnd().split("\n");
  const some = lines.slice(0, rows).map((line) => line.replaceAll(", ", ",").replace(/\.$/, ""));
  return `${[CENSUS_HEADER, ...some].join("\n")}\n`;
}

/** Runs a query in a database of its own and returns its rows. */
export async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJS() as Record<string, unknown>[];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
