import { expect, test } from "vitest";
import { ReplayedStream } from "../../../../src/edge/unary/replayed-stream.ts";
import type { ServerStream } from "../../../../src/http2/stream.ts";

test("what came is played again, then what comes; the window is given back once", async () => {
  let consumed = 0;
  const inner = {
    path: "/a",
    consume(byteCount: number) {
      consumed += byteCount;
    },
  } as unknown as ServerStream;
  const stream = new ReplayedStream(inner, Buffer.from("abc"), false);
  stream.take(Buffer.from("d"), false);
  const seen: string[] = [];
  const onData: ServerStream["onData"] = (bytes, end) => {
    seen.push(`${Buffer.from(bytes)}${end ? "." : ""}`);
    stream.consume(bytes.length);
  };
  stream.onData = onData;
  expect(seen).toEqual([]);
  await Promise.resolve();
  stream.take(Buffer.from("ef"), true);
  expect(seen).toEqual(["abcd", "ef."]);
  expect(consumed).toBe("def".length);
  expect(stream.path).toBe("/a");
});
