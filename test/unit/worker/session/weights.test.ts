import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { readWeights } from "../../../../src/worker/session/weights.ts";
import { fileFolder } from "../../../support/folders.ts";

const folder = fileFolder();
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);

function source(name: string, content: Uint8Array | undefined) {
  const path = join(folder, name);
  if (content !== undefined) writeFileSync(path, content);
  return { location: name, path, byteLength: bytes.length, sha256: sha256(bytes) };
}

test("weights are read into memory of their own", () => {
  const weights = readWeights([source("same.bin", bytes)]);
  writeFileSync(join(folder, "same.bin"), new Uint8Array(bytes.length));
  expect(weights).toEqual([{ location: "same.bin", data: bytes }]);
});

test.each([
  ["other.bin", bytes.map((value) => value + 1), /"other.bin" has changed .*holds other bytes/],
  ["short.bin", bytes.subarray(0, 1000), /"short.bin" has changed .*has 1000 bytes, 300000 were there/],
  ["gone.bin", undefined, /"gone.bin" has changed .*cannot be read any more \(ENOENT\)/],
])("%s is refused by name, with what to do", (name, content, message) => {
  expect(() => readWeights([source(name, content)])).toThrow(
    expect.objectContaining({ reason: Reason.MODEL_INVALID, message: expect.stringMatching(message) }),
  );
});
