import { expect, test } from "vitest";
import { STATIC_COUNT, STATIC_TABLE } from "../../../../src/http2/hpack/hpack-static-table.ts";

test("the table has the 61 entries of RFC 7541 appendix A, at their places", () => {
  expect(STATIC_COUNT).toBe(61);
  expect(STATIC_TABLE[0]).toEqual([":authority", ""]);
  expect(STATIC_TABLE[7]).toEqual([":status", "200"]);
  expect(STATIC_TABLE[15]).toEqual(["accept-encoding", "gzip, deflate"]);
  expect(STATIC_TABLE[60]).toEqual(["www-authenticate", ""]);
});
