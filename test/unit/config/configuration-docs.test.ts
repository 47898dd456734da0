import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ModelConfigSchema } from "../../../gen/assay/config/v1/model_config_pb.ts";
import { BENCH_FLAGS, CONSUME_FLAGS, FLAGS, SCORE_FLAGS } from "../../../src/config/flag-table.ts";
import { isServiceLink } from "../../../src/config/stray-variables.ts";
import { readConfigJson } from "../../../src/model/config/config-json.ts";

const page = readFileSync("docs/configuration.md", "utf8");

/** The rows of a page's table of flags. */
const flagRows = (text: string) => text.split("\n").filter((line) => line.startsWith("| `--"));
const asCode = (text: string) => (text === "" ? "" : `\`${text}\``);

test("docs/configuration.md lists every setting with its default", () => {
  const rows = FLAGS.map(
    (row) =>
      `| \`--${row.name}\` | \`${row.variable}\` | \`${row.field.name}\` | ${asCode(row.default)} | ${row.help} |`,
  );
  expect(flagRows(page)).toEqual(rows);
});

test.each([
  ["docs/benchmarking.md", "bench", BENCH_FLAGS],
  ["docs/kafka.md", "consume", CONSUME_FLAGS],
  ["docs/scoring-files.md", "score", SCORE_FLAGS],
])("%s lists every flag of assay %s with its default", (name, _, flags) => {
  const rows = flags.map(
    (row) => `| \`--${row.name}\` | ${asCode(row.default)} | ${row.help.replaceAll("|", "\\|")} |`,
  );
  expect(flagRows(readFileSync(name, "utf8"))).toEqual(rows);
});

test("every environment variable that the page names is a setting, or told to be none", () => {
  const known = new Set([...FLAGS.map((row) => row.variable), "ASSAY_CONFIG"]);
  const names = new Set(page.match(/\bASSAY_[A-Z0-9_]+/g));
  expect([...names].filter((name) => !known.has(name) && !isServiceLink(name, "10.0.0.1"))).toEqual([]);
  expect(names).toContain("ASSAY_CONFIG");
});

test("the config.json of the page is valid", () => {
  const [, text] = /```json\n([\s\S]*?)```/.exec(page)!;
  expect(readConfigJson(ModelConfigSchema, text!, "config.json").scoreOutput).toBe("probabilities");
});

test("every field of config.json is in docs/models.md or docs/configuration.md", () => {
  const pages = page + readFileSync("docs/models.md", "utf8");
  const fields = ModelConfigSchema.fields.map(({ name }) => name);
  expect(fields.filter((name) => !new RegExp(`\\b${name}\\b`).test(pages))).toEqual([]);
});

test.each([
  ["serve", FLAGS],
  ["score", SCORE_FLAGS],
  ["bench", BENCH_FLAGS],
  ["consume", CONSUME_FLAGS],
])("every flag of assay %s stands under a heading of its help, and no letter means two", (_, flags) => {
  expect(flags.filter(({ group }) => group === "").map(({ name }) => name)).toEqual([]);
  const letters = flags.map(({ short }) => short).filter((short) => short !== "");
  expect(letters).toEqual([...new Set(letters)]);
});
