import { expect, test } from "vitest";
import {
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FLAG_PADDED,
  FLAG_PRIORITY,
} from "../../../../src/http2/frame/frame.ts";
import { HeaderAssembly } from "../../../../src/http2/frame/header-assembly.ts";

const LIMITS = { maxHeaderBlockBytes: 100, maxContinuationFrames: 3 };
const block = (assembly: HeaderAssembly) => assembly.bytes.toString("latin1", assembly.start, assembly.end);

test("a block in one frame stays where it is", () => {
  const assembly = new HeaderAssembly(LIMITS);
  const bytes = Buffer.from("xxfieldsyy");
  expect(assembly.headers(FLAG_END_HEADERS | FLAG_END_STREAM, 5, bytes, 2, 8)).toBe(true);
  expect([block(assembly), assembly.bytes, assembly.endStream, assembly.streamId]).toEqual([
    "fields",
    bytes,
    true,
    5,
  ]);
});

test("padding and priority are taken off", () => {
  const assembly = new HeaderAssembly(LIMITS);
  const bytes = Buffer.concat([Buffer.of(2, 0, 0, 0, 3, 16), Buffer.from("fields"), Buffer.alloc(2)]);
  expect(assembly.headers(FLAG_END_HEADERS | FLAG_PADDED | FLAG_PRIORITY, 5, bytes, 0, bytes.length)).toBe(
    true,
  );
  expect([block(assembly), assembly.dependsOnItself]).toEqual(["fields", false]);
  assembly.headers(FLAG_END_HEADERS | FLAG_PADDED | FLAG_PRIORITY, 3, bytes, 0, bytes.length);
  expect(assembly.dependsOnItself).toBe(true);
});

test("fragments are joined", () => {
  const assembly = new HeaderAssembly(LIMITS);
  const bytes = Buffer.from("abcdef");
  expect(assembly.headers(0, 5, bytes, 0, 2)).toBe(false);
  expect(assembly.open).toBe(true);
  expect(assembly.continuation(0, 5, bytes, 2, 5)).toBe(false);
  expect(assembly.continuation(FLAG_END_HEADERS, 5, bytes, 5, 6)).toBe(true);
  expect([block(assembly), assembly.open]).toEqual(["abcdef", false]);
});

const start = () => {
  const assembly = new HeaderAssembly(LIMITS);
  assembly.headers(0, 5, Buffer.alloc(0), 0, 0);
  return assembly;
};

test.each<[string, number, () => unknown]>([
  [
    "CONTINUATION without HEADERS",
    1,
    () => new HeaderAssembly(LIMITS).continuation(0, 5, Buffer.alloc(0), 0, 0),
  ],
  ["CONTINUATION of another stream", 1, () => start().continuation(0, 7, Buffer.alloc(0), 0, 0)],
  ["too many octets", 11, () => start().continuation(0, 5, Buffer.alloc(101), 0, 101)],
  [
    "too many frames, even empty ones",
    11,
    () => {
      const assembly = start();
      for (let i = 0; i < 4; i++) assembly.continuation(0, 5, Buffer.alloc(0), 0, 0);
    },
  ],
  [
    "padding beyond the frame",
    1,
    () => new HeaderAssembly(LIMITS).headers(FLAG_PADDED, 5, Buffer.of(2, 0), 0, 2),
  ],
  ["no pad length", 6, () => new HeaderAssembly(LIMITS).headers(FLAG_PADDED, 5, Buffer.alloc(0), 0, 0)],
  [
    "a priority that is cut off",
    6,
    () => new HeaderAssembly(LIMITS).headers(FLAG_PRIORITY, 5, Buffer.alloc(4), 0, 4),
  ],
])("%s is refused", (_, code, act) => {
  expect(act).toThrow(expect.objectContaining({ name: "ConnectionError", code }));
});
