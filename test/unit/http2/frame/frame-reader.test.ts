import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CLIENT_PREFACE,
  DATA,
  FLAG_END_STREAM,
  FLAG_PADDED,
  HEADERS,
  PING,
} from "../../../../src/http2/frame/frame.ts";
import { createFrameReader, type FrameSink } from "../../../../src/http2/frame/frame-reader.ts";
import { frame } from "../../../support/clients/raw-http2-client.ts";

/** What a reader gives for `chunks`, with the pieces of each DATA frame joined. */
function read(chunks: readonly Buffer[]): unknown[] {
  const seen: unknown[] = [];
  let open: { id: number; frameBytes: number; bodyBytes: number; body: Buffer; end: boolean } | undefined;
  const sink: FrameSink = {
    readingEnded: false,
    frame: (type, flags, streamId, bytes, start, end) => {
      seen.push({ type, flags, streamId, payload: bytes.toString("hex", start, end) });
    },
    dataBegin: (id, _flags, frameBytes, bodyBytes) => {
      open = { id, frameBytes, bodyBytes, body: Buffer.alloc(0), end: false };
      seen.push(open);
    },
    dataPiece: (bytes, start, end, endStream) => {
      open!.body = Buffer.concat([open!.body, bytes.subarray(start, end)]);
      open!.end ||= endStream;
    },
  };
  const reader = createFrameReader(sink);
  for (const chunk of chunks) reader(chunk);
  return seen;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const edges = [0, ...places.map((p) => p % bytes.length).sort((a, b) => a - b), bytes.length];
  return edges
    .slice(1)
    .map((edge, i) => bytes.subarray(edges[i], edge))
    .filter((chunk) => chunk.length > 0);
}

const padded = (body: Buffer, padding: number) =>
  Buffer.concat([Buffer.of(padding), body, Buffer.alloc(padding)]);
const anyFrame = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((body) => frame(DATA, FLAG_END_STREAM, 1, Buffer.from(body))),
  fc
    .tuple(fc.uint8Array({ maxLength: 60 }), fc.nat(20))
    .map(([body, padding]) => frame(DATA, FLAG_PADDED, 3, padded(Buffer.from(body), padding))),
  fc.uint8Array({ maxLength: 60 }).map((block) => frame(HEADERS, 4, 5, Buffer.from(block))),
  fc.constant(frame(PING, 0, 0, Buffer.alloc(8))),
);

test("frames are the same however the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      (frames, places) => {
        const bytes = Buffer.concat([CLIENT_PREFACE, ...frames]);
        expect(read(cut(bytes, places))).toEqual(read([bytes]));
        expect(read([bytes])).toHaveLength(frames.length);
      },
    ),
  );
});

test("body and padding are told apart, and all of the frame counts", () => {
  const bytes = frame(DATA, FLAG_PADDED | FLAG_END_STREAM, 7, padded(Buffer.from("abc"), 4));
  expect(read([CLIENT_PREFACE, bytes])).toEqual([
    { id: 7, frameBytes: 8, bodyBytes: 3, body: Buffer.from("abc"), end: true },
  ]);
});

test.each([
  ["another preface", [Buffer.from("GET / HTTP/1.1\r\n")], 1],
  [
    "a preface that goes wrong in its second chunk",
    [Buffer.from("PRI * HTTP/2.0\r\n\r\n"), Buffer.from("XX")],
    1,
  ],
  ["a frame above 16,384 octets", [CLIENT_PREFACE, frame(HEADERS, 4, 1, Buffer.alloc(0), 16_385)], 6],
  ["padding as long as its frame", [CLIENT_PREFACE, frame(DATA, FLAG_PADDED, 1, Buffer.of(1))], 1],
  ["a padded frame without a pad length", [CLIENT_PREFACE, frame(DATA, FLAG_PADDED, 1)], 6],
])("%s is refused", (_, chunks, code) => {
  expect(() => read(chunks)).toThrow(expect.objectContaining({ name: "ConnectionError", code }));
});
