import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { fileFolder } from "../support/folders.ts";

const folder = fileFolder();
let table: string;
beforeAll(() => {
  mkdirSync(join(folder, "tmp"));
  table = join(folder, "t.csv");
  const rows = Array.from({ length: 60_000 }, (_, row) => `${row},${row % 977}.5,2,3,4\n`);
  writeFileSync(table, `id,a,b,c,d\n${rows.join("")}`);
});

/** Runs where no file may be larger than 32 KiB (64 blocks), which stands for a disk that is full. */
function scoreOnFullDisk(args: readonly string[]) {
  const command = ["bin/assay.cjs", "score", "--model", "iris", "--by-position", "--keep", "id", ...args];
  return spawnSync(
    "sh",
    ["-c", 'trap "" XFSZ; ulimit -f 64; exec "$@"', "sh", process.execPath, ...command],
    {
      encoding: "utf8",
      env: { ...process.env, TMPDIR: join(folder, "tmp") },
      input: args.includes("-") ? Buffer.from(`id,a,b,c,d\n${"1,2,3,4,5\n".repeat(60_000)}`) : "",
    },
  );
}

test.each(["csv", "parquet", "ndjson", "arrow"])(
  "a %s output that the disk has no room for is told so in one line",
  (ending) => {
    const output = join(folder, `o.${ending}`);
    const { status, stderr } = scoreOnFullDisk(["--input", table, "--output", output]);
    expect(stderr).toContain(
      `assay score: cannot write ${output}: the file would be larger than is allowed here`,
    );
    expect(stderr).not.toMatch(/ {4}at |ENOENT/);
    expect(status).toBe(1);
    expect(readdirSync(folder).sort()).toEqual(["t.csv", "tmp"]);
  },
);

test.each([
  ["standard input", ["--input", "-", "--input-format", "csv", "--output", "OUT"]],
  ["Parquet to standard output", ["--input", "TABLE", "--output", "-", "--output-format", "parquet"]],
  ["CSV to standard output", ["--input", "TABLE", "--output", "-", "--output-format", "csv"]],
])("a full folder for temporary files is named: %s", (_, args) => {
  const filled = args.map((arg) => arg.replace("TABLE", table).replace("OUT", join(folder, "o.csv")));
  const { status, stderr } = scoreOnFullDisk(filled);
  expect(stderr).toMatch(
    /assay score: cannot write .*tmp\/assay-(input|output)-.*: the file would be larger/,
  );
  if (!args.includes("parquet")) expect(stderr).toMatch(/TMPDIR names another place/);
  expect(stderr).not.toMatch(/ {4}at /);
  expect(status).toBe(1);
  // ONNX Runtime leaves logs of its own there.
  expect(readdirSync(join(folder, "tmp")).filter((name) => name.startsWith("assay-"))).toEqual([]);
});
