import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { createMessageMemory, LeasedFrames } from "../../../src/edge/grpc/message-memory.ts";
import { messageTooLarge } from "../../../src/edge/memory/message-limit.ts";
import { answerDeframer } from "../../../src/wire/answer-frames.ts";
import { Deframer, NOTHING_KEPT } from "../../../src/wire/deframer.ts";
import { framed } from "../../../src/wire/grpc-frame.ts";

const leased = (maxMessageBytes: number) =>
  new Deframer(new LeasedFrames(createMessageMemory()), maxMessageBytes, messageTooLarge);

/** What comes out of pieces of the lengths `cuts`, each in the same memory as an engine's views are; or in its own. */
function deframed<Message>(
  deframer: Deframer<Message>,
  body: Uint8Array,
  cuts: readonly number[],
  isReused: boolean,
): { flags: number; message: Message }[] {
  const messages: { flags: number; message: Message }[] = [];
  const view = new Uint8Array(60);
  for (let at = 0, i = 0; at < body.length; i++) {
    const piece = body.subarray(at, at + cuts[i % cuts.length]!);
    view.set(piece);
    deframer.push(isReused ? view.subarray(0, piece.length) : piece);
    for (let message = deframer.next(); message !== undefined; message = deframer.next()) {
      messages.push({ flags: deframer.flags, message });
    }
    view.fill(255);
    at += piece.length;
  }
  return messages;
}

const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
const sentMessage = fc.record({ flags: fc.nat(255), bytes: fc.uint8Array({ maxLength: 400 }) });
const bodyOf = (sent: readonly { flags: number; bytes: Uint8Array }[]) =>
  Buffer.concat(sent.map(({ flags, bytes }) => framed(flags, bytes)));

test("messages come out whole and in order, wherever the bytes are cut, in memory of their own", () => {
  fc.assert(
    fc.property(fc.array(sentMessage, { maxLength: 8 }), cuts, (sent, lengths) => {
      const deframer = leased(1000);
      const came = deframed(deframer, bodyOf(sent), lengths, true);
      expect(came.map(({ flags, message }) => ({ flags, bytes: new Uint8Array(message.bytes) }))).toEqual(
        sent,
      );
      expect(deframer.pendingBytes).toBe(0);
    }),
  );
});

test("where nothing is kept each message is told with its flags all the same", () => {
  fc.assert(
    fc.property(fc.array(sentMessage, { maxLength: 8 }), cuts, (sent, lengths) => {
      const came = deframed(new Deframer(NOTHING_KEPT, 1000, messageTooLarge), bodyOf(sent), lengths, true);
      expect(came.map(({ flags }) => flags)).toEqual(sent.map(({ flags }) => flags));
    }),
  );
});

test("what has come of a message that is not whole is counted", () => {
  const deframer = leased(1000);
  const body = framed(0, new Uint8Array(20));
  const seen = Array.from(body, (_, i) => {
    deframer.push(body.subarray(i, i + 1));
    deframer.next();
    return deframer.pendingBytes;
  });
  expect(seen).toEqual([...Array.from({ length: 24 }, (_, i) => i + 1), 0]);
});

test("the place behind each message is told, and its length", () => {
  const deframer = leased(1000);
  deframer.push(Buffer.concat([framed(0, new Uint8Array(3)), framed(0, new Uint8Array(0)), Buffer.of(0)]));
  expect([deframer.next()?.bytes.length, deframer.at, deframer.length]).toEqual([3, 8, 3]);
  expect([deframer.next()?.bytes.length, deframer.at, deframer.length]).toEqual([0, 13, 0]);
  expect([deframer.next(), deframer.pendingBytes]).toEqual([undefined, 1]);
});

describe("a message that is too long", () => {
  test("is refused by its prefix, after those before it and before memory is leased", () => {
    const begun: number[] = [];
    const store = { ...NOTHING_KEPT, begin: (byteCount: number) => begun.push(byteCount) };
    const deframer = new Deframer(store, 10, messageTooLarge);
    deframer.push(
      Buffer.concat([framed(0, new Uint8Array(10)), framed(0, new Uint8Array(11)).subarray(0, 5)]),
    );
    expect(deframer.next()).toBe(true);
    expect(() => deframer.next()).toThrow(
      expect.objectContaining({
        reason: Reason.MESSAGE_TOO_LARGE,
        message: expect.stringContaining("11 bytes"),
      }),
    );
    expect(begun).toEqual([10]);
  });

  test("may announce 2^32 bytes", () => {
    const deframer = leased(1000);
    deframer.push(Uint8Array.of(0, 255, 255, 255, 255));
    expect(() => deframer.next()).toThrow("4294967295 bytes");
  });
});

describe("answers", () => {
  test("come out whole and in order, however the bytes are cut", () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 12 });
    fc.assert(
      fc.property(messages, cuts, (sent, lengths) => {
        const body = bodyOf(sent.map((bytes) => ({ flags: 0, bytes })));
        const came = deframed(answerDeframer(1000), body, lengths, false);
        expect(came.map(({ message }) => [...message])).toEqual(sent.map((message) => [...message]));
      }),
    );
  });

  test("are views of the piece that they lie in", () => {
    const piece = framed(0, Buffer.from("whole"));
    const deframer = answerDeframer();
    deframer.push(piece);
    expect(deframer.next()!.buffer).toBe(piece.buffer);
  });

  test("that are compressed, or above the limit, are refused", () => {
    const read = (bytes: Uint8Array) => {
      const deframer = answerDeframer(10);
      deframer.push(bytes);
      return deframer.next();
    };
    expect(() => read(Buffer.of(1, 0, 0, 0, 1, 7))).toThrow(
      expect.objectContaining({ reason: Reason.INTERNAL }),
    );
    expect(() => read(framed(0, new Uint8Array(11)))).toThrow(
      expect.objectContaining({
        reason: Reason.OUTPUT_TOO_LARGE,
        message: expect.stringContaining("11 bytes"),
      }),
    );
    expect(read(framed(0, new Uint8Array(10)))).toHaveLength(10);
  });
});
