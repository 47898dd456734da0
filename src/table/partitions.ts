/** Columns whose values stand in the names of folders, `year=2024/month=01/part.parquet`, as Hive, Spark and Polars write tables. */
import { BIGINT, DATE, DuckDBDateValue, type DuckDBType, type DuckDBValue, VARCHAR } from "@duckdb/node-api";
import { sqlText } from "./duckdb/sql-text.ts";
import { partitionNames, partitionValues } from "./path-patterns.ts";
import type { FileColumn, FileConstant, TableFile } from "./read/table-file.ts";

/**
 * The files with a column more for each name that the folders of all of them give a value to, behind their own; a name that is a column
 * of one of the files is left to it. A column is of integers or dates where all its values are.
 */
export function withPartitions(files: readonly TableFile[]): readonly TableFile[] {
  const own = new Set(files.flatMap(({ columns }) => columns.map(({ name }) => name.toLowerCase())));
  const names = partitionNames(files.map(({ name }) => name)).filter((name) => !own.has(name.toLowerCase()));
  if (names.length === 0) return files;
  const values = files.map(({ name }) => partitionValues(name));
  const kinds = new Map(names.map((name) => [name, kindOf(values.map((each) => each.get(name) ?? null))]));
  return files.map((file, index) => {
    const constants = names.map((name) => kinds.get(name)!(values[index]!.get(name) ?? null));
    return withConstants(file, names, constants);
  });
}

function withConstants(
  file: TableFile,
  names: readonly string[],
  constants: readonly FileConstant[],
): TableFile {
  const { columns, readApart } = file;
  const placed = (requests: readonly FileColumn[]): FileColumn[] =>
    requests.map((request) =>
      request.index < columns.length
        ? request
        : { index: -1, asDouble: false, constant: constants[request.index - columns.length]! },
    );
  return {
    ...file,
    columns: [
      ...columns,
      ...names.map((name, at) => ({ name, type: constants[at]!.type, isPartition: true })),
    ],
    read: (requests, fromRow) => file.read(placed(requests), fromRow),
    ...(readApart === undefined
      ? {}
      : { readApart: (requests, fromRow) => readApart(placed(requests), fromRow) }),
  };
}

type ConstantOf = (text: string | null) => FileConstant;

/** Integers may have leading zeros, as months have. */
const INTEGER = /^[+-]?\d{1,18}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MS_A_DAY = 86_400_000;

function kindOf(texts: readonly (string | null)[]): ConstantOf {
  const given = texts.filter((text) => text !== null);
  if (given.length === 0) return ofText;
  if (given.every((text) => INTEGER.test(text))) return ofInteger;
  return given.every(isDay) ? ofDay : ofText;
}

function isDay(text: string): boolean {
  const at = DAY.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

function ofText(text: string | null): FileConstant {
  return constant(VARCHAR, text, text);
}

function ofInteger(text: string | null): FileConstant {
  return constant(BIGINT, text, text === null ? null : BigInt(text.replace("+", "")));
}

function ofDay(text: string | null): FileConstant {
  return constant(DATE, text, text === null ? null : new DuckDBDateValue(Date.parse(text) / MS_A_DAY));
}

function constant(type: DuckDBType, text: string | null, value: DuckDBValue): FileConstant {
  return { type, sql: `CAST(${text === null ? "NULL" : sqlText(text)} AS ${type})`, value };
}
