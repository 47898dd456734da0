import fc from "fast-check";
import { expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { createMessageReader } from "../../../src/wire/message-reader.ts";

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

test("messages come out whole and in order, however the bytes are cut", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
  const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
  fc.assert(
    fc.property(messages, cuts, (sent, lengths) => {
      const came: number[][] = [];
      const read = createMessageReader(1000, (message) => came.push([...message]));
      const bytes = Buffer.concat(sent.map(framed));
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const length = lengths[turn % lengths.length]!;
        read(bytes.subarray(at, at + length));
        at += length;
      }
      expect(came).toEqual(sent.map((message) => [...message]));
    }),
  );
});

test("a compressed message and one above the limit are refused", () => {
  const read = () => createMessageReader(10, () => {});
  expect(() => read()(Buffer.of(1, 0, 0, 0, 1, 7))).toThrow(
    expect.objectContaining({ reason: Reason.INTERNAL }),
  );
  expect(() => read()(framed(new Uint8Array(11)))).toThrow(
    expect.objectContaining({
      reason: Reason.OUTPUT_TOO_LARGE,
      message: expect.stringContaining("11 bytes"),
    }),
  );
  expect(() => read()(framed(new Uint8Array(10)))).not.toThrow();
});
