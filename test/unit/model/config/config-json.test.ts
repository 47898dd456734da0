import { describe, expect, it } from "vitest";
import { InputConfig_NanPolicy, ModelConfigSchema } from "../../../../gen/assay/config/v1/model_config_pb.ts";
import { readConfigJson } from "../../../../src/model/config/config-json.ts";

const read = (text: string) => readConfigJson(ModelConfigSchema, text, "config.json");
const mistake = (text: string) => {
  try {
    read(text);
  } catch (cause) {
    return (cause as Error).message;
  }
  return "no mistake";
};

describe("readConfigJson", () => {
  it("reads both spellings of a field, enums and 64-bit numbers", () => {
    const config = read(
      '{"max_batch_size": 8, "scoreOutput": "p", "max_queue_bytes": "2048", "inputs": [{"name": "x", "nan": "REJECT"}]}',
    );
    expect(config.maxBatchSize).toBe(8);
    expect(config.scoreOutput).toBe("p");
    expect(config.maxQueueBytes).toBe(2048n);
    expect(config.inputs[0]?.nan).toBe(InputConfig_NanPolicy.REJECT);
  });

  it("leaves unset what the file leaves out", () => {
    expect(read("{}").maxBatchSize).toBeUndefined();
  });

  it.each([
    [
      "an unknown field, with the nearest name",
      '{\n  "max_batchsize": 8\n}',
      /line 2: max_batchsize: no such field; did you mean "max_batch_size"/,
    ],
    [
      "an unknown field of a list's item",
      '{"inputs": [\n {"nam": "x"}]}',
      /line 2: inputs\[0\]\.nam: no such field/,
    ],
    [
      "a wrong type",
      '{\n\n "max_batch_size": "many"}',
      /line 3: max_batch_size: "many" came, expected a whole/,
    ],
    ["a fraction", '{"max_batch_size": 1.5}', /line 1: max_batch_size: 1.5 came/],
    ["text for a list", '{"labels": "a"}', /labels: "a" came, expected a list/],
    ["an unknown enum name", '{"inputs":[{"name":"x","nan":"REJET"}]}', /did you mean "REJECT"/],
    ["a value out of range", '{\n "max_batch_size": 0}', /line 2: max_batch_size: .*1/],
    [
      "a rule on a list's item",
      '{"inputs": [\n  {"name": "a"},\n  {"name": ""}]}',
      /line 3: inputs\[1\]\.name/,
    ],
    [
      "a field that stands twice",
      '{"labels": [],\n "labels": []}',
      /line 2: labels: stands here a second time/,
    ],
    ["a comma too many", '{"labels": [],\n}', /line 2, column 1: .*not JSON/],
    ["a file that ends too early", '{"labels": [', /not JSON/],
    ["a list at the top", "[]", /the whole file: a list came/],
    ["no text at all", "", /not JSON/],
  ])("names %s by file, line and field", (_, text, pattern) => {
    expect(mistake(text)).toMatch(pattern);
    expect(mistake(text)).toMatch(/^config\.json: /);
  });

  it("names every mistake at once", () => {
    expect(mistake('{"a": 1, "labels": 2, "max_batch_size": true}').split(";").length).toBeGreaterThan(3);
  });
});
