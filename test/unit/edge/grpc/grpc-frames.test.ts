import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { GrpcDeframer } from "../../../../src/edge/grpc/grpc-frames.ts";
import { createMessageMemory } from "../../../../src/edge/grpc/message-memory.ts";
import type { AssayError } from "../../../../src/errors.ts";
import { framed } from "../../../../src/wire/grpc-frame.ts";

interface Message {
  readonly flags: number;
  readonly bytes: Uint8Array;
}

function collect(maxMessageBytes: number) {
  const messages: Message[] = [];
  const deframer = new GrpcDeframer(maxMessageBytes, createMessageMemory(), (flags, { bytes }) =>
    messages.push({ flags, bytes }),
  );
  return { messages, deframer };
}

const message = fc.record({ flags: fc.nat(255), bytes: fc.uint8Array({ maxLength: 400 }) });

describe("GrpcDeframer", () => {
  test("gives back what was framed, wherever the bytes are cut, in memory of its own", () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        (sent, cuts) => {
          const body = Buffer.concat(sent.map(({ flags, bytes }) => framed(flags, bytes)));
          const { messages, deframer } = collect(1000);
          // Each piece lies in the same memory, as an engine's views do.
          const view = new Uint8Array(60);
          for (let at = 0, i = 0; at < body.length; i++) {
            const piece = body.subarray(at, at + cuts[i % cuts.length]!);
            view.set(piece);
            deframer.take(view.subarray(0, piece.length));
            at += piece.length;
          }
          view.fill(255);
          expect(messages.map(({ flags, bytes }) => ({ flags, bytes: new Uint8Array(bytes) }))).toEqual(sent);
          expect(deframer.pendingBytes).toBe(0);
        },
      ),
    );
  });

  test("counts what has come of a message that is not whole", () => {
    const { deframer } = collect(1000);
    const body = framed(0, new Uint8Array(20));
    const seen = Array.from(body, (_, i) => {
      deframer.take(body.subarray(i, i + 1));
      return deframer.pendingBytes;
    });
    expect(seen).toEqual([...Array.from({ length: 24 }, (_, i) => i + 1), 0]);
  });

  test("refuses a message by its prefix, after those before it", () => {
    const { messages, deframer } = collect(10);
    const body = Buffer.concat([framed(0, new Uint8Array(10)), framed(0, new Uint8Array(11)).subarray(0, 5)]);
    let error: AssayError | undefined;
    try {
      deframer.take(body);
    } catch (thrown) {
      error = thrown as AssayError;
    }
    expect(error?.reason).toBe(Reason.MESSAGE_TOO_LARGE);
    expect(error?.message).toContain("11 bytes");
    expect(messages).toHaveLength(1);
  });

  test("reads lengths up to 2^32", () => {
    const { deframer } = collect(1000);
    expect(() => deframer.take(Uint8Array.of(0, 255, 255, 255, 255))).toThrow("4294967295 bytes");
  });
});
