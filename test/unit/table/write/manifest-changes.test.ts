import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import type { Manifest, ManifestFingerprint } from "../../../../src/table/write/manifest.ts";
import { manifestChanges } from "../../../../src/table/write/manifest-changes.ts";

const A = { name: "data/a.parquet", sizeBytes: 1024, modifiedAtMs: Date.UTC(2024, 1, 29) };
const B = { name: "data/b.parquet", sizeBytes: 1, modifiedAtMs: Date.UTC(2024, 2, 1) };
const FINGERPRINT: ManifestFingerprint = {
  inputs: [A, B],
  model: { name: "census", version: "3", sha256: "aaaaaaaaaaaaaaaa" },
  settings: { "--keep": "id", "--on-error": "keep" },
};
const OUTPUT: Manifest["output"] = { format: "parquet", columns: [{ name: "id", type: "BIGINT" }] };

function changes(fingerprint: Partial<ManifestFingerprint>, output: Partial<Manifest["output"]> = {}) {
  return manifestChanges(
    { fingerprint: FINGERPRINT, output: OUTPUT },
    { fingerprint: { ...FINGERPRINT, ...fingerprint }, output: { ...OUTPUT, ...output } },
  ).map(({ reason, text }) => `${reason === Reason.TABLE_INVALID ? "TABLE" : "CONFIG"} ${text}`);
}

test("the same run has no changes", () => {
  expect(changes({})).toEqual([]);
});

test.each<[string, Partial<ManifestFingerprint>, string[]]>([
  [
    "a size",
    { inputs: [{ ...A, sizeBytes: 2048 }, B] },
    ["TABLE data/a.parquet was 1,024 bytes and is 2,048 bytes"],
  ],
  [
    "a time",
    { inputs: [A, { ...B, modifiedAtMs: B.modifiedAtMs + 1000 }] },
    ["TABLE data/b.parquet was written 2024-03-01T00:00:00.000Z and is now of 2024-03-01T00:00:01.000Z"],
  ],
  ["a file that is gone", { inputs: [A] }, ["TABLE data/b.parquet was read and is not there now"]],
  ["a new file", { inputs: [A, B, { ...B, name: "c" }] }, ["TABLE c is new"]],
  [
    "the order",
    { inputs: [B, A] },
    [
      "TABLE the files were read in the order data/a.parquet, data/b.parquet and are now in the order data/b.parquet, data/a.parquet",
    ],
  ],
  [
    "the version",
    { model: { name: "census", version: "4", sha256: "bbbbbbbbbbbbbbbb" } },
    ["CONFIG model census was version 3 (sha256 aaaaaaaaaaaa) and is version 4 (sha256 bbbbbbbbbbbb)"],
  ],
  [
    "the file of the same version",
    { model: { name: "census", version: "3", sha256: "bbbbbbbbbbbbbbbb" } },
    ["CONFIG model census was version 3 (sha256 aaaaaaaaaaaa) and is version 3 (sha256 bbbbbbbbbbbb)"],
  ],
  [
    "the model",
    { model: { name: "iris", version: "3", sha256: "" } },
    ["CONFIG the model was census and is iris"],
  ],
  [
    "settings",
    { settings: { "--keep": "id,name", "--decimal-comma": "true" } },
    [
      'CONFIG --keep was "id" and is "id,name"',
      'CONFIG --on-error was "keep" and is not given',
      'CONFIG --decimal-comma was not given and is "true"',
    ],
  ],
])("%s is told by name", (_, fingerprint, expected) => {
  expect(changes(fingerprint)).toEqual(expected);
});

test("the form of the output is told by name", () => {
  expect(changes({}, { format: "csv", columns: [{ name: "id", type: "VARCHAR" }] })).toEqual([
    "CONFIG the output's format was parquet and is csv",
    "CONFIG the output's columns were id BIGINT and are id VARCHAR",
  ]);
});
