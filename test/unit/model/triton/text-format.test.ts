import { describe, expect, it } from "vitest";
import {
  DataType,
  type ModelConfig,
  ModelConfigSchema,
  ModelInstanceGroup_Kind,
} from "../../../../gen/inference/model_config_pb.ts";
import { readTextFormat } from "../../../../src/model/triton/text-format.ts";

const read = (text: string): ModelConfig => readTextFormat(ModelConfigSchema, text, "config.pbtxt").message;

function refused(text: string): string {
  try {
    read(text);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the text was not refused");
}

describe("text format", () => {
  it("an empty text is an empty message, with or without comments and a byte order mark", () => {
    expect(read("").input).toEqual([]);
    expect(read("\uFEFF# nothing\n  # more").name).toBe("");
  });

  it("colons before messages, lists, separators and kinds of brackets are a matter of taste", () => {
    const texts = [
      'input [ { name: "a" dims: [ 1, -1 ] }, { name: "b" dims: [ 2 ] } ]',
      'input { name: "a", dims: 1; dims: -1 } input: { name: "b" dims: 2 };',
      "input: [ < name: 'a' dims: [1,-1] >, < name: 'b' dims: [2] > ] # end",
      'input{name:"a"dims:[1,-\n1]}input<name:"b"dims:0x2>',
    ];
    for (const text of texts) {
      const { input } = read(text);
      expect(input.map(({ name, dims }) => [name, dims])).toEqual([
        ["a", [1n, -1n]],
        ["b", [2n]],
      ]);
    }
    expect(read("input [ ] output: []").output).toEqual([]);
  });

  it("strings lie side by side, in either quotes, with every escape", () => {
    expect(
      read(`name: "a" 'b"'\n  # between\n "\\n\\t\\\\\\'\\"\\?\\x41\\101\\u00e9\\U0001F600é"`).name,
    ).toBe('ab"\n\t\\\'"?AAé😀é');
    expect(read("name: '\\xc3\\xa9'").name).toBe("é");
    expect(refused('name: "\\q"')).toMatch(/line 1, column 8: a string has a wrong escape, "\\\\q/);
    expect(refused("name: '\\xff'")).toMatch(/name: the text is no UTF-8/);
    expect(refused('name: "a\nb"')).toMatch(/line 1, column 7: a string has no end on its line/);
    expect(refused('name: "\\ud800"')).toMatch(/wrong escape/);
    expect(refused('name: "\\400"')).toMatch(/wrong escape/);
  });

  it("whole numbers are decimal, octal or hexadecimal and stay in their type's range", () => {
    expect(read("max_batch_size: 0x10").maxBatchSize).toBe(16);
    expect(read("max_batch_size: 017").maxBatchSize).toBe(15);
    expect(read("max_batch_size: - 5").maxBatchSize).toBe(-5);
    const delay = read("dynamic_batching { max_queue_delay_microseconds: 18446744073709551615 }");
    expect(delay.schedulingChoice).toMatchObject({ value: { maxQueueDelayMicroseconds: 2n ** 64n - 1n } });
    expect(refused("max_batch_size: 2147483648")).toMatch(
      /line 1, column 17: max_batch_size: 2147483648 came; expected a whole number from -2147483648 to 2147483647/,
    );
    expect(refused("version_policy { latest { num_versions: -1 } }")).toMatch(/from 0 to 4294967295/);
    for (const wrong of ["8.0", "08", "1e3", "eight", '"8"', "true"])
      expect(refused(`max_batch_size: ${wrong}`)).toMatch(/came; expected a whole number/);
    expect(refused("max_batch_size: 8rows")).toMatch(/"8rows" came, which is no number/);
  });

  it("floats, switches and enums are written in each of their ways", () => {
    const buckets = (text: string) =>
      read(`model_metrics { metric_control { histogram_options { buckets: [ ${text} ] } } }`).modelMetrics
        ?.metricControl[0]?.metricOptions.value?.buckets;
    expect(buckets("1, .5, 1.5e-3f, -2., inf, -Infinity, nan, 0x10")).toEqual([
      1,
      0.5,
      0.0015,
      -2,
      Infinity,
      -Infinity,
      Number.NaN,
      16,
    ]);
    for (const yes of ["true", "True", "t", "1"])
      expect(read(`response_cache { enable: ${yes} }`).responseCache?.enable).toBe(true);
    for (const no of ["false", "False", "f", "0"])
      expect(read(`response_cache { enable: ${no} }`).responseCache?.enable).toBe(false);
    expect(refused("response_cache { enable: yes }")).toMatch(/"yes" came; expected true or false/);
    expect(read("instance_group { kind: KIND_CPU }").instanceGroup[0]?.kind).toBe(
      ModelInstanceGroup_Kind.CPU,
    );
    expect(read("instance_group { kind: 2 }").instanceGroup[0]?.kind).toBe(ModelInstanceGroup_Kind.CPU);
    expect(read("input { data_type: TYPE_FP32 }").input[0]?.dataType).toBe(DataType.TYPE_FP32);
    expect(refused("input { data_type: FP32 }")).toMatch(
      /input\[0\]\.data_type: "FP32" is none of .*did you mean "TYPE_FP32"/,
    );
    expect(refused("input { data_type: TYPE_FP23 }")).toMatch(/did you mean "TYPE_FP32"/);
    expect(refused('input { data_type: "TYPE_FP32" }')).toMatch(/in quotes; expected TYPE_FP32 without them/);
  });

  it("maps are entries, of which the last of a key counts", () => {
    const { parameters, metricTags } = read(
      'parameters { key: "a" value: { string_value: "1" } } parameters [ { key: "b", value < string_value: "2" > } ] metric_tags { value: "x" key: "k" } metric_tags { key: "k" value: "y" }',
    );
    expect(Object.entries(parameters).map(([key, value]) => [key, value.stringValue])).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
    expect(metricTags).toEqual({ k: "y" });
    expect(refused('parameters: { "a": "1" }')).toMatch(
      /line 1, column 15: ""a"" came|stands without quotes/,
    );
    expect(refused('parameters { key: "a" valeu: { } }')).toMatch(
      /parameters\.valeu: no such field; known: key, value/,
    );
    expect(read("metric_tags { value: 'x' }").metricTags).toEqual({ "": "x" });
  });

  it("every misspelt field is told at once, with its place and the nearest name", () => {
    const text = [
      'name: "m"',
      "max_batchsize: 8",
      "input [",
      '  { name: "x" datatype: TYPE_FP32 dims: [ 4 ] }',
      "]",
      "colour { a: [ { } ] }",
    ];
    expect(refused(text.join("\n"))).toBe(
      'config.pbtxt: line 2, column 1: max_batchsize: no such field; did you mean "max_batch_size"?; ' +
        'line 4, column 15: input[0].datatype: no such field; did you mean "data_type"?; ' +
        "line 6, column 1: colour: no such field; known: name, platform, backend, runtime, version_policy, max_batch_size, input, output, batch_input, batch_output, optimization, dynamic_batching, sequence_batching, ensemble_scheduling, instance_group, default_model_filename, cc_model_filenames, metric_tags, parameters, model_warmup, model_operations, model_transaction_policy, model_repository_agents, response_cache, model_metrics",
    );
  });

  it("a field that is no list comes once, and one of those that exclude each other", () => {
    expect(refused('name: "a"\nname: "b"')).toMatch(/line 2, column 1: name: stands here a second time/);
    expect(refused("version_policy { all { } latest { } }")).toMatch(
      /version_policy\.latest: stands beside all; expected one of the two/,
    );
  });

  it("what is no text format is told by its place", () => {
    for (const [text, message] of [
      [
        '{ "name": "m" }',
        /line 1, column 1: "{" came; expected a field's name: the whole file stands in no brackets/,
      ],
      ['"name": "m"', /a field's name stands without quotes: this is Protobuf's text format, not JSON/],
      ['name "m"', /line 1, column 6: name: .* came; expected ":" before the value/],
      ["name:", /line 1, column 6: name: the file ends; expected its value/],
      ["input { name: 'x'", /line 1, column 18: the file ends where "}" is expected/],
      ["input { name: 'x' >", /">" came; expected a field's name or "}"/],
      ["input { dims: [ 1, 2, ] }", /a comma stands before "]": take it out/],
      ["input { dims: [ 1 2 ] }", /"2" came; expected "," or "]"/],
      ["input: 3", /input\[0\]: "3" came; expected { } with name, data_type/],
      ["max_batch_size: [ 1 ]", /max_batch_size: "\[" came; expected one value/],
      ["max_batch_size: { }", /max_batch_size: "{" came; expected one value/],
      ["[a.b]: 1", /extensions are not known/],
      ["name: 'm' @", /line 1, column 11: "@" came, which means nothing here/],
      ["}", /"}" came; expected a field's name/],
      ["input {".repeat(200), /.+/],
    ] as const)
      expect(refused(text)).toMatch(message);
  });

  it("long lines, many lines and deep brackets are read in a time that grows with their length", () => {
    const size = 200_000;
    for (const between of [" ", "\n", "# a\n", "\t"])
      expect(read(`${between.repeat(size)}name: "m"`).name).toBe("m");
    expect(read(`name: "${"é".repeat(size)}"`).name).toHaveLength(size);
    expect(read(`name: ${"'a' ".repeat(size)}`).name).toHaveLength(size);
    expect(refused("foo {".repeat(size))).toMatch(/the file ends where "}" is expected/);
    expect(refused("a".repeat(size)).length).toBeLessThan(1_000);
  });

  it("tells where each field stands", () => {
    const { placeOf } = readTextFormat(
      ModelConfigSchema,
      'name: "m"\ninput [\n  { dims: 1 },\n  { dims: 2 }\n]\nparameters { key: "a"\n value { string_value: "" } }',
      "config.pbtxt",
    );
    expect(placeOf("name")).toMatchObject({ line: 1, column: 1 });
    expect(placeOf("input[1].dims")).toMatchObject({ line: 4, column: 5 });
    expect(placeOf('parameters["a"].string_value')).toMatchObject({ line: 7, column: 10 });
    expect(placeOf("platform")).toBeUndefined();
  });
});
