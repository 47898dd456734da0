import fc from "fast-check";
import { expect, test } from "vitest";
import { createMessageMemory } from "../../../../src/edge/grpc/message-memory.ts";
import { ArrivedBody } from "../../../../src/edge/unary/arrived-body.ts";

test("a body is its pieces one after the other, whatever bodies come and go beside it", () => {
  const memory = createMessageMemory();
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
      fc.nat(30),
      (pieces, start) => {
        const body = new ArrivedBody(memory, 1000);
        const other = new ArrivedBody(memory, 1000);
        for (const piece of pieces) {
          const view = Uint8Array.from(piece);
          body.add(view);
          other.add(view);
          view.fill(255);
        }
        other.release();
        new ArrivedBody(memory, 1000).add(new Uint8Array(500).fill(7));
        const whole = Buffer.concat(pieces);
        expect(body.length).toBe(whole.length);
        expect(Buffer.compare(body.from(start), whole.subarray(start))).toBe(0);
        body.release();
        expect(body.length).toBe(0);
      },
    ),
  );
});

test("room for an announced body is made once a part of it has come, and for no other", () => {
  const sizes: number[] = [];
  const memory = createMessageMemory();
  const noted = {
    idleBytes: 0,
    lease(byteCount: number) {
      sizes.push(byteCount);
      return memory.lease(byteCount);
    },
  };
  const body = new ArrivedBody(noted, 10_000_000);
  body.announcedBytes = 3_200_000;
  for (let i = 0; i < 32; i++) body.add(new Uint8Array(100_000));
  expect(sizes).toEqual([100_000, 3_200_000]);
  sizes.length = 0;
  const small = new ArrivedBody(noted, 10_000_000);
  small.announcedBytes = 10_000_000;
  for (let i = 0; i < 3; i++) small.add(new Uint8Array(100));
  expect(sizes).toEqual([100, 400]);
});
