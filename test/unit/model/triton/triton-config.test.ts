import { readFileSync } from "node:fs";
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { describe, expect, it, test } from "vitest";
import { InstanceGroup_Kind } from "../../../../gen/assay/config/v1/model_config_pb.ts";
import { ModelConfigSchema } from "../../../../gen/inference/model_config_pb.ts";
import { FIELD_EFFECTS } from "../../../../src/model/triton/field-effects.ts";
import { modelFileName, readTritonConfig } from "../../../../src/model/triton/triton-config.ts";
import { readVersionChoice } from "../../../../src/model/versions/version-choice.ts";
import { chooseVersions } from "../../../../src/model/versions/version-policy.ts";

function refused(text: string): string {
  try {
    readTritonConfig(text);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the text was not refused");
}

describe("config.pbtxt", () => {
  it("a model of another backend is refused by its name, whatever else stands there", () => {
    for (const [text, message] of [
      [
        'name: "m"\nbackend: "python"',
        /^config\.pbtxt: line 2: backend: "python" came; Assay runs ONNX models, platform "onnxruntime_onnx" or backend "onnxruntime": export the model to ONNX, or leave it with Triton$/,
      ],
      ['platform: "tensorflow_savedmodel"', /line 1: platform: "tensorflow_savedmodel" came.*tf2onnx/],
      [
        'platform: "pytorch_libtorch" sequence_batching { }',
        /^config.pbtxt: line 1: platform: "pytorch_libtorch" came[^;]*;[^;]*$/,
      ],
      ['platform: "tensorrt_plan"', /the ONNX file that it was made of/],
      ['backend: "fil"', /onnxmltools/],
      [
        'platform: "ensemble" ensemble_scheduling { step [ ] }',
        /platform: "ensemble" came.*one after another/,
      ],
    ] as const)
      expect(refused(text)).toMatch(message);
    for (const text of [
      "",
      'platform: "onnxruntime_onnx"',
      'backend: "onnxruntime"',
      'backend: "onnxruntime" platform: "onnxruntime_onnx"',
    ])
      expect(readTritonConfig(text).unused).toEqual([]);
  });

  it("fields that would change answers are refused, all at once, with their lines and what to do", () => {
    const text = [
      "sequence_batching { }",
      "cc_model_filenames { key: '7.5' value: 'a.onnx' }",
      "batch_input [ { kind: BATCH_ELEMENT_COUNT } ]",
      "model_transaction_policy { decoupled: true }",
      "model_operations { op_library_filename: 'x.so' }",
      "model_repository_agents { agents [ { name: 'checksum' } ] }",
      "input [ { name: 'a' }, { name: 'b' allow_ragged_batch: true is_shape_tensor: true } ]",
      "output { name: 'c' is_non_linear_format_io: true }",
      "max_batch_size: -1",
      "default_model_filename: '../other.onnx'",
      "version_policy { specific { } }",
      "instance_group [ { count: 65 }, { kind: KIND_CPU gpus: [ 0 ] } ]",
    ].join("\n");
    const lines = refused(text).replace("config.pbtxt: ", "").split("; line ");
    expect(
      lines.map((line) =>
        line
          .replace(/^line /, "")
          .split(":")
          .slice(0, 2)
          .join(":"),
      ),
    ).toEqual([
      "7: input[1].is_shape_tensor",
      "7: input[1].allow_ragged_batch",
      "8: output[0].is_non_linear_format_io",
      "3: batch_input",
      "1: sequence_batching",
      "2: cc_model_filenames",
      "5: model_operations",
      "4: model_transaction_policy.decoupled",
      "6: model_repository_agents",
      "9: max_batch_size",
      "11: version_policy.specific",
      "10: default_model_filename",
      "12: instance_group[0].count",
      "12: instance_group[1].gpus",
    ]);
    expect(readTritonConfig("model_transaction_policy { decoupled: false }").unused).toEqual([]);
  });

  it("fields without effect are named with their lines and what they set", () => {
    const { unused } = readTritonConfig(
      [
        "optimization { graph { level: 1 } execution_accelerators { gpu_execution_accelerator [ { name: 'tensorrt' } ] } }",
        "parameters { key: 'intra_op_thread_count' value { string_value: '4' } }",
        "dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 100 preserve_ordering: true",
        "  default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 5 max_queue_size: 10 } }",
        "instance_group { count: 2 kind: KIND_CPU rate_limiter { priority: 1 } }",
        "input { name: 'x' format: FORMAT_NCHW }",
        "response_cache { enable: true }",
      ].join("\n"),
    );
    expect(unused).toEqual([
      "input[0].format in line 6",
      "optimization (graph, execution_accelerators) in line 1",
      "dynamic_batching.preferred_batch_size in line 3",
      "dynamic_batching.preserve_ordering in line 3",
      "dynamic_batching.default_queue_policy.timeout_action in line 4",
      "dynamic_batching.default_queue_policy.default_timeout_microseconds in line 4",
      "instance_group[0].rate_limiter (priority) in line 5",
      'parameters ("intra_op_thread_count") in line 2',
      "response_cache (enable) in line 7",
    ]);
  });

  it("batches, queue and instances become the settings that Assay has", () => {
    const { scheduling } = readTritonConfig(
      "max_batch_size: 8 dynamic_batching { max_queue_delay_microseconds: 100 default_queue_policy { max_queue_size: 10 } } " +
        "instance_group [ { count: 2 kind: KIND_CPU }, { kind: KIND_GPU gpus: [ 0, 1 ] }, { gpus: 1 }, { kind: KIND_MODEL } ]",
    );
    expect(scheduling).toMatchObject({
      maxBatchSize: 8,
      dynamicBatching: { maxQueueDelayMicroseconds: 100 },
      maxQueueRows: 80,
      instanceGroup: [
        { kind: InstanceGroup_Kind.CPU, count: 2, gpus: [] },
        { kind: InstanceGroup_Kind.GPU, gpus: [0, 1] },
        { kind: InstanceGroup_Kind.AUTO, gpus: [1] },
        { kind: InstanceGroup_Kind.AUTO, gpus: [] },
      ],
    });
    const none = readTritonConfig("max_batch_size: 0 dynamic_batching { }").scheduling;
    expect(none.maxBatchSize).toBeUndefined();
    expect(none.dynamicBatching).toBeUndefined();
    const most = readTritonConfig(
      "max_batch_size: 2000000 dynamic_batching { max_queue_delay_microseconds: 18446744073709551615 default_queue_policy { max_queue_size: 4294967295 } }",
    ).scheduling;
    expect(most).toMatchObject({ maxBatchSize: 65536, maxQueueRows: 2 ** 24 });
    expect(most.dynamicBatching?.maxQueueDelayMicroseconds).toBe(10_000_000);
  });

  it("the model file is the one that default_model_filename names", () => {
    expect(modelFileName(readTritonConfig(""))).toBe("model.onnx");
    expect(modelFileName(readTritonConfig('default_model_filename: "a/b.onnx"'))).toBe("a/b.onnx");
  });

  it("every field of the schema that says so is one, and the rest is read", () => {
    const wrong = Object.keys(FIELD_EFFECTS).filter((path) => {
      let desc: DescMessage | undefined = ModelConfigSchema;
      for (const name of path.split(".")) {
        const field: DescField | undefined = desc?.fields.find((one) => one.name === name);
        if (field === undefined) return true;
        desc = field.message;
      }
      return false;
    });
    expect(wrong).toEqual([]);
    const unlisted = ModelConfigSchema.fields
      .map(({ name }) => name)
      .filter((name) => !(name in FIELD_EFFECTS));
    expect(unlisted).toEqual([]);
  });
});

test("docs/triton-repositories.md says of each field what it does", () => {
  const rows = readFileSync("docs/triton-repositories.md", "utf8").matchAll(
    /^\| `([a-z_.]+)` \| (\S.*?) \|/gm,
  );
  const said = Object.fromEntries([...rows].map((match) => [match[1], match[2]]));
  const effects = Object.entries(FIELD_EFFECTS).map(([path, { kind }]) => [
    path,
    kind === "none" ? "no effect" : kind,
  ]);
  expect(said).toEqual(Object.fromEntries(effects));
});

describe("version_policy", () => {
  const choose = (text: string) => {
    const choice = readVersionChoice(undefined, readTritonConfig(text));
    const { served, missing, left, policy } = chooseVersions(choice, ["9", "10", "2"]);
    return `${policy}: ${served} / ${left} / ${missing.map(({ version }) => version)}`;
  };

  it("chooses by number; the highest alone where nothing is said", () => {
    expect(choose("")).toBe("latest 1: 10 / 2,9 / ");
    expect(choose("version_policy { latest { } }")).toBe("latest 1: 10 / 2,9 / ");
    expect(choose("version_policy: { latest: { num_versions: 2 } }")).toBe("latest 2: 9,10 / 2 / ");
    expect(choose("version_policy { all { } }")).toBe("all: 2,9,10 /  / ");
    expect(choose("version_policy { }")).toBe("all: 2,9,10 /  / ");
    expect(choose("version_policy { specific { versions: [ 9, 3, 9 ] } }")).toBe(
      "specific 9, 3: 9 / 2,10 / 3",
    );
  });
});
