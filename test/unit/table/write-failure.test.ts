import { expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../../src/errors.ts";
import { writeFailure } from "../../../src/table/write-failure.ts";

test.each([
  [
    Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }),
    "no space is left on the device",
  ],
  [
    new Error('IO Error: Could not write file "x.tmp": No space left on device'),
    "no space is left on the device",
  ],
  [Object.assign(new Error("EACCES: permission denied, mkdir"), { code: "EACCES" }), "permission is denied"],
  [new Error('IO Error: Cannot open file "x": Read-only file system'), "the file system is read-only"],
  [new Error("Out of Memory Error: failed\nmore"), "Out of Memory Error: failed"],
])("%s is told in a sentence that names the path", (cause, why) => {
  const error = writeFailure("out/scores.csv", cause, "; try again");
  expect(error).toMatchObject({
    reason: Reason.TABLE_INVALID,
    message: `cannot write out/scores.csv: ${why}; try again`,
    cause,
  });
});

test("an error that is already told stays as it is, and so does a bug", () => {
  for (const error of [new AssayError(Reason.CONFIG_INVALID, "told"), new TypeError("x is not a function")]) {
    expect(writeFailure("x", error)).toBe(error);
  }
});
