import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { createRequestBody } from "../../../../src/edge/call/request-body.ts";
import { AssayError } from "../../../../src/errors.ts";
import type { ServerStream } from "../../../../src/http2/stream.ts";

function fakeStream() {
  const stream = { onData: () => {}, consumed: 0 } as unknown as ServerStream & { consumed: number };
  stream.consume = (byteCount) => {
    stream.consumed += byteCount;
  };
  return stream;
}
const noCheck = () => undefined;
const tooLarge = new AssayError(Reason.MESSAGE_TOO_LARGE, "too large");

test("the peer gets its window back only for what was pulled", async () => {
  const stream = fakeStream();
  const iterator = createRequestBody(stream, noCheck, (error) => error)[Symbol.asyncIterator]();
  stream.onData(Buffer.from("abc"), false);
  stream.onData(Buffer.alloc(5000), false);
  expect(stream.consumed).toBe(0);
  expect((await iterator.next()).value).toEqual(new Uint8Array(Buffer.from("abc")));
  expect(stream.consumed).toBe(3);
});

test("pieces of one octet are pulled together, in order, and give back what they took", async () => {
  const stream = fakeStream();
  const iterator = createRequestBody(stream, noCheck, (error) => error)[Symbol.asyncIterator]();
  const sent = Buffer.from(Array.from({ length: 150_000 }, (_, i) => i % 251));
  for (const octet of sent) stream.onData(Buffer.of(octet), false);
  const pulled: Uint8Array[] = [];
  for (let length = 0; length < sent.length; length += pulled.at(-1)!.length)
    pulled.push((await iterator.next()).value as Uint8Array);
  expect(pulled.length).toBe(3);
  expect(Buffer.concat(pulled).equals(sent)).toBe(true);
  expect(stream.consumed).toBe(sent.length);
});

test("a view is copied: the engine may reuse its bytes", async () => {
  const stream = fakeStream();
  const body = createRequestBody(stream, noCheck, (error) => error);
  const view = Buffer.from("abc");
  stream.onData(view, true);
  view.fill(0);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe("abc");
});

test("bytes that the check refuses are not handed on, and the error comes after those before", async () => {
  const stream = fakeStream();
  const body = createRequestBody(
    stream,
    (bytes) => (bytes.length > 3 ? { error: tooLarge, goodBytes: 2 } : undefined),
    (error) => error,
  );
  stream.onData(Buffer.from("abc"), false);
  stream.onData(Buffer.from("defg"), false);
  const iterator = body[Symbol.asyncIterator]();
  expect(String((await iterator.next()).value)).toBe("97,98,99,100,101");
  await expect(iterator.next()).rejects.toBe(tooLarge);
  expect((await iterator.next()).done).toBe(true);
  expect(stream.consumed).toBe(7);
});

test("a reader that waits hears of a failure, and the end is told once", async () => {
  const stream = fakeStream();
  const body = createRequestBody(stream, noCheck, (error) => error);
  let ends = 0;
  body.onEnd = () => {
    ends++;
  };
  const next = body[Symbol.asyncIterator]().next();
  body.fail(tooLarge);
  body.fail(new Error("again"));
  stream.onData(Buffer.alloc(0), true);
  await expect(next).rejects.toBe(tooLarge);
  expect(ends).toBe(1);
});

test("a reader that stops early is handed nothing more", async () => {
  const stream = fakeStream();
  const iterator = createRequestBody(stream, noCheck, (error) => error)[Symbol.asyncIterator]();
  stream.onData(Buffer.from("abc"), false);
  await iterator.return!();
  stream.onData(Buffer.from("def"), false);
  expect((await iterator.next()).done).toBe(true);
  expect(stream.consumed).toBe(0);
});
