import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ModelConfigSchema } from "../../../../gen/assay/config/v1/model_config_pb.ts";
import { readConfigJson } from "../../../../src/model/config/config-json.ts";
import { configInEffect } from "../../../../src/model/config/model-settings.ts";
import { plansOf, SOURCE } from "../../../support/features/opened-features.ts";

test("what config.json leaves out has its default", () => {
  expect(plansOf(SOURCE)[0]).toMatchObject({
    store: { kind: "redis", key: "people:{id}" },
    maxAgeMs: 60_000,
    cacheMs: 60_000,
    timeoutMs: 50,
    onMissingKey: "REJECT",
    columns: [
      { name: "age", storedAs: "age" },
      { name: "city", storedAs: "city" },
    ],
  });
});

test.each([
  [{ columns: [{ name: "agee" }] }, 'columns[0].name: the model has no column "agee"; did you mean "age"?'],
  [{ keys: ["age"] }, 'columns[0].name: "age" is a key'],
  [{ on_missing_key: "DEFAULT" }, 'on_missing_key: DEFAULT, and column "age" has no default_value'],
  [{ on_unavailable: "MISSING" }, 'column "city" takes BYTES, which has no missing values'],
  [{ columns: [{ name: "age", default_value: "old" }] }, "default_value: it does not fit"],
  [{ cache_ms: 70_000 }, "cache_ms: 70000 came; values are used for 60000 ms at most"],
  [{ redis: { url: "http://h" } }, "redis.url: redis://HOST:PORT/DATABASE is expected"],
  [{ redis: {} }, "redis: exactly one of url and url_env is set"],
  [{ redis: { url: "redis://h", key: "p:{idd}" } }, '{idd} is none of the keys; did you mean "id"?'],
  [{ redis: { url: "redis://h", key: "p" } }, "{id} does not stand in it"],
])("%j is told at its place", (change, message) => {
  expect(() => plansOf({ ...SOURCE, ...change })).toThrow(message);
});

test("two sources cannot look up one column, nor have one name", () => {
  expect(() => plansOf(SOURCE, SOURCE)).toThrow(
    /two sources are called "people".*"age" is looked up in "people" already/,
  );
});

test("the configuration in docs/features.md is valid", () => {
  const page = readFileSync("docs/features.md", "utf8");
  const [, text] = /```json\n([\s\S]*?)```/.exec(page)!;
  expect(readConfigJson(ModelConfigSchema, text!, "config.json").featureSources).toHaveLength(1);
  for (const { name } of ModelConfigSchema.field.featureSources.message!.fields)
    expect(page).toContain(`\`${name}\``);
});

test("the configuration in effect shows no password", () => {
  const text =
    '{"feature_sources": [{"name": "a", "keys": ["k"], "columns": [{"name": "c"}], "redis": {"url": "redis://u:p@h/1"}}]}';
  const settings = {
    maxBatchSize: 1,
    maxQueueDelayMicroseconds: 0,
    maxQueueRows: 1,
    maxQueueBytes: 1,
    runTimeoutMs: 1,
  };
  const shown = configInEffect(readConfigJson(ModelConfigSchema, text, "config.json"), settings);
  expect(shown.featureSources[0]?.redis?.url).toBe("redis://…@h/1");
});
