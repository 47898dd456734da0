import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, FieldDescriptorProto_Type as Type } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import type { PreparedModel } from "../../../src/model/prepared-model.ts";
import type { TensorSpec } from "../../../src/model/signature.ts";
import { typedSchema } from "../../../src/model/typed-schema.ts";
import { fileFolder } from "../../support/folders.ts";

const folder = fileFolder();
let count = 0;

function input(name: string, datatype: TensorSpec["datatype"], more: Partial<TensorSpec> = {}): TensorSpec {
  const spec = { name, datatype, shape: [-1, 1], optional: false, featureNames: [], labels: [], aliases: [] };
  return { ...spec, rejectNan: false, ...more };
}

function model(
  modelName: string,
  inputs: readonly TensorSpec[],
  labels: readonly string[] = [],
): PreparedModel {
  const signature = { inputs, outputs: [], score: undefined, labelOutput: undefined, labels };
  return {
    modelName,
    modelVersion: "1",
    sha256: "00",
    signature: { ...signature, batching: "across-requests", ignoreUnknownColumns: false },
  } as unknown as PreparedModel;
}

/** The fields of the request, by what protobuf's own compiler makes of the text. */
function compiled(text: string): (readonly [name: string, number: number, type: string])[] {
  const home = join(folder, String(++count));
  mkdirSync(home);
  writeFileSync(join(home, "model.proto"), text);
  execFileSync("node_modules/.bin/buf", [
    "build",
    home,
    "--as-file-descriptor-set",
    "-o",
    join(home, "set.binpb"),
  ]);
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(join(home, "set.binpb")));
  const { field } = set.file[0]!.messageType[0]!;
  return field.map(({ name, number, type }) => [name, number, Type[type]!.toLowerCase()]);
}

test("each column is a field of its type, numbered by its place, under a comment", () => {
  const text = typedSchema(
    model("census", [
      input("age", "INT64", { aliases: ["Age of\nthe person"] }),
      input("sex", "BYTES"),
      input("is_new", "BOOL"),
      input("rate", "FP32", { rejectNan: true, optional: true }),
      input("exact", "FP64"),
      input("small", "UINT8"),
      input("image", "FP32", { shape: [-1, 8, 8] }),
      input("tokens", "INT64", { shape: [-1, -1] }),
    ]),
  );
  expect(compiled(text)).toEqual([
    ["age", 1, "int64"],
    ["sex", 2, "string"],
    ["is_new", 3, "bool"],
    ["rate", 4, "float"],
    ["exact", 5, "double"],
    ["small", 6, "uint32"],
    ["image", 7, "float"],
    ["tokens", 8, "int64"],
  ]);
  expect(text).toContain('  // Also called "Age of\\nthe person".\n  optional int64 age = 1;');
  expect(text).toContain("  // FP32; may be left out; NaN is refused.\n  optional float rate = 4;");
  expect(text).toContain("of shape [8, 8].\n  repeated float image = 7;");
});

test("names that protobuf does not take, or takes for the same, are made over and told", () => {
  const names = [
    "a-b",
    "aB",
    "a b",
    "3d",
    "größe",
    "日本",
    "é",
    "message",
    "optional",
    "A",
    "",
    "x*/ //\nmessage Y {}",
  ];
  const text = typedSchema(
    model("3 models/of mine", [input("x", "FP32", { shape: [-1, names.length], featureNames: names })]),
  );
  expect(compiled(text).map(([name]) => name)).toEqual([
    "a_b",
    "a_b_2",
    "a_b_3",
    "column_3d",
    "gro_e",
    "column",
    "e",
    "message",
    "optional",
    "a",
    "column_2",
    "x_message_y",
  ]);
  expect(text).toContain('// The column "a b".');
});

test("the numbers that protobuf keeps for itself are passed over", () => {
  const featureNames = Array.from({ length: 19_002 }, (_, at) => `f${at}`);
  const fields = compiled(
    typedSchema(model("wide", [input("x", "FP32", { shape: [-1, 19_002], featureNames })])),
  );
  expect(fields.slice(-4).map(([, number]) => number)).toEqual([18_999, 20_000, 20_001, 20_002]);
}, 60_000);
