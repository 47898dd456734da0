import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type DataType,
  Dictionary,
  Int32,
  type RecordBatch,
  Table,
  tableToIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import { beforeAll, expect, test } from "vitest";
import { score } from "../../support/clients/score-command.ts";
import { fileFolder } from "../../support/folders.ts";
import { censusCsv, query } from "../../support/tables/tables.ts";

/** More than a DuckDB vector holds. */
const ROWS = 2500;
const NUMBERS = ["age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"];
const DICTIONARIES = ["sex", "occupation", "relationship", "marital-status"];
const KEPT = ["age", "fnlwgt", "workclass", "marital-status", "occupation", "native-country", "note", "sex"];
const ARGS = ["--model", "census", "--keep", KEPT.join(",")];
const folder = fileFolder();
let arrow: Table;
let expected: Record<string, unknown>[];

beforeAll(async () => {
  const [header, ...lines] = censusCsv(ROWS).trimEnd().split("\n");
  const names = [...header!.split(","), "note"];
  const rows = lines.map((line, row) => {
    const cells: (string | null)[] = line.split(",");
    // No model input: neither a null here nor any length of text stops a row.
    if (row % 7 === 3) cells[names.indexOf("fnlwgt")] = null;
    return [...cells, row % 5 === 0 ? null : "a note of any length ".repeat(row % 3) + row];
  });
  const csv = [names, ...rows].map((cells) => cells.map((cell) => cell ?? "").join(","));
  writeFileSync(join(folder, "census.csv"), `${csv.join("\n")}\n`);
  arrow = new Table(
    Object.fromEntries(
      names.map((name, i) => [
        name,
        arrowColumn(
          name,
          rows.map((cells) => cells[i]!),
        ),
      ]),
    ),
  );
  expected = await scored(join(folder, "census.csv"));
}, 60_000);

function arrowColumn(name: string, cells: readonly (string | null)[]): Vector {
  if (NUMBERS.includes(name)) {
    return vectorFromArray(
      cells.map((cell) => (cell === null ? null : Number(cell))),
      new Int32(),
    );
  }
  const type: DataType = DICTIONARIES.includes(name) ? new Dictionary(new Utf8(), new Int32()) : new Utf8();
  return vectorFromArray(cells, type);
}

/** The rows that the command writes, numbers as numbers: of CSV it keeps their texts. */
async function scored(input: string, stdin?: Uint8Array): Promise<Record<string, unknown>[]> {
  const output = join(folder, "scores.parquet");
  const format = stdin === undefined ? [] : ["--input-format", "arrow"];
  const ran = await score(
    [...ARGS, "--input", input, ...format, "--output", output, "--overwrite"],
    stdin && Buffer.from(stdin),
  );
  expect(ran.code, ran.stderr).toBe(0);
  return query(`SELECT * REPLACE (age::INTEGER AS age, fnlwgt::INTEGER AS fnlwgt) FROM '${output}'`);
}

/** Exact but for the score, which may differ in its last bits with the batch it was in. */
function expectSame(rows: readonly Record<string, unknown>[]): void {
  expect(rows).toHaveLength(ROWS);
  for (const [row, { score: expectedScore, ...rest }] of expected.entries()) {
    expect(rows[row]).toMatchObject(rest);
    expect(rows[row]!.score).toBeCloseTo(expectedScore as number, 5);
  }
}

test("the rows as CSV have texts of all lengths, nulls and both labels", () => {
  expect(new Set(expected.map(({ label }) => label)).size).toBe(2);
  expect(expected[3]).toMatchObject({ fnlwgt: null, score_error: null });
  const lengths = expected.map(({ note }) => (note as string | null)?.length ?? -1);
  expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([-1, 46]);
  expect(expected.map(({ occupation }) => occupation)).toContain("Machine-op-inspct");
});

test("an Arrow file scores and keeps what the same rows as CSV do", async () => {
  const path = join(folder, "census.arrow");
  writeFileSync(path, tableToIPC(arrow, "file"));
  expectSame(await scored(path));
});

test("an Arrow stream on standard input, of batches of odd sizes, does as well", async () => {
  const [batch] = arrow.batches as [RecordBatch];
  const cuts = [0, 1, 1000, 1000 + 37, ROWS];
  const batches = cuts.slice(1).map((end, i) => batch.slice(cuts[i]!, end));
  expectSame(await scored("-", tableToIPC(new Table(arrow.schema, batches), "stream")));
});

test("a file that is cut off ends the command with an error that names it", async () => {
  const path = join(folder, "cut.arrow");
  const whole = tableToIPC(arrow, "file");
  writeFileSync(path, whole.subarray(0, whole.length / 2));
  const ran = await score([...ARGS, "--input", path, "--output", join(folder, "cut.csv")]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(`${path} cannot be read as Arrow IPC: it is cut off`);
});
