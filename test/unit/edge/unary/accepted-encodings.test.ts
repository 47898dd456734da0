import { expect, test } from "vitest";
import { messageCompressions } from "../../../../src/edge/call/compression.ts";
import { AcceptedEncodings } from "../../../../src/edge/unary/accepted-encodings.ts";

test("the first encoding that a caller takes and the server knows is chosen, whatever else callers say", () => {
  const encodings = new AcceptedEncodings(messageCompressions(1000));
  for (let i = 0; i < 200; i++) {
    expect(encodings.of(undefined)).toBeUndefined();
    expect(encodings.of("")).toBeUndefined();
    expect(encodings.of(`identity, x${i}`)).toBeUndefined();
    expect(encodings.of("identity,deflate, gzip")?.name).toBe("gzip");
    expect(encodings.of("br, gzip")?.name).toBe("br");
  }
});
