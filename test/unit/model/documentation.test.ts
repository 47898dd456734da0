import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ModelConfigSchema } from "../../../gen/assay/config/v1/model_config_pb.ts";
import { readConfigJson } from "../../../src/model/config/config-json.ts";
import { readGoldenFile } from "../../../src/model/gate/golden-file.ts";

const page = readFileSync("docs/models.md", "utf8");
const blocks = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => match[1]!);

test("the golden rows and the configuration in docs/models.md are valid", () => {
  expect(blocks).toHaveLength(2);
  expect(readGoldenFile(blocks[0]!)).toHaveLength(1);
  expect(readConfigJson(ModelConfigSchema, blocks[1]!, "config.json").labels).toEqual(["stays", "leaves"]);
});

test("docs/models.md names every kind of repair", () => {
  const files = globSync("src/model/**/*.ts");
  const source = files.map((name) => readFileSync(name, "utf8")).join();
  const kinds = new Set([...source.matchAll(/kind: "(\w+_\w+)"/g)].map((match) => match[1]!));
  expect(kinds.size).toBeGreaterThan(5);
  for (const kind of kinds) expect(page).toContain(`\`${kind}\``);
});
