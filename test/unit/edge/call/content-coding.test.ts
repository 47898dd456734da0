import { describe, expect, test } from "vitest";
import { messageCompressions } from "../../../../src/edge/call/compression.ts";
import { codingName, UnknownCoding } from "../../../../src/edge/call/content-coding.ts";

describe("content-coding", () => {
  test.each([
    [undefined, "identity"],
    ["", "identity"],
    ["identity", "identity"],
    ["Identity", "identity"],
    ["gzip", "gzip"],
    ["GZIP", "gzip"],
    ["x-gzip", "gzip"],
    ["X-GZip", "gzip"],
    [" br ", "br"],
    ["identity, gzip", "gzip"],
    ["gzip, gzip", "gzip, gzip"],
    ["zstd", "zstd"],
  ])("%j means %j", (field, name) => {
    expect(codingName(field)).toBe(name);
  });

  test("one that is not taken is refused with what came, cut, and with what is taken", () => {
    const error = new UnknownCoding("z".repeat(1000), messageCompressions(1024));
    expect(error.message).toBe(
      `content-encoding "${"z".repeat(100)}" came; the server takes one of gzip, br, or none: send the body in one of these`,
    );
    expect(error.taken).toBe("gzip, br");
  });
});
