import { expect, test } from "vitest";
import { framed, PREFIX_BYTES, writePrefix } from "../../../src/wire/grpc-frame.ts";

test("a message stands behind its flags and its length", () => {
  expect([...framed(1, Uint8Array.of(7, 8))]).toEqual([1, 0, 0, 0, 2, 7, 8]);
});

test("a length takes all of its four octets", () => {
  const prefix = new Uint8Array(PREFIX_BYTES);
  writePrefix(prefix, 0, 2 ** 32 - 2);
  expect([...prefix]).toEqual([0, 255, 255, 255, 254]);
});
