import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BENCH_FLAGS } from "../../../src/config/flag-table.ts";

test("docs/benchmarking.md lists every flag of assay bench with its default", () => {
  const rows = BENCH_FLAGS.map((row) => {
    const fallback = row.default === "" ? "" : `\`${row.default}\``;
    return `| \`--${row.name}\` | ${fallback} | ${row.help.replaceAll("|", "\\|")} |`;
  });
  const page = readFileSync("docs/benchmarking.md", "utf8");
  expect(page.split("\n").filter((line) => line.startsWith("| `--"))).toEqual(rows);
});
