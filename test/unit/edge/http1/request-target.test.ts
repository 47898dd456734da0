import { expect, test } from "vitest";
import { requestTarget } from "../../../../src/edge/http1/node-stream.ts";

test.each([
  ["/a?b=1", "/a?b=1", "host"],
  ["http://x/a?b=1", "/a?b=1", "x"],
  ["HTTPS://x:1/a", "/a", "x:1"],
  ["http://x", "/", "x"],
  ["http://x?b=1", "/?b=1", "x"],
  ["http://[::1]:80/a", "/a", "[::1]:80"],
  ["http://x/a#b", "/a", "x"],
  ["*", "*", "host"],
  ["ftp://x/a", "ftp://x/a", "host"],
])("%s is %s of %s", (target, path, authority) => {
  expect(requestTarget(target, "host")).toEqual({ path, authority });
});
