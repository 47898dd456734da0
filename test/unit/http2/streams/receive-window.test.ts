import fc from "fast-check";
import { expect, test } from "vitest";
import { ReceiveWindow } from "../../../../src/http2/streams/receive-window.ts";

test("what the peer may send never exceeds the size, and nothing is lost or given twice", () => {
  const step = fc.record({ receive: fc.nat(2_000), consume: fc.nat(2_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const window = new ReceiveWindow(1_000, 8_000);
      let granted = 1_000;
      let sent = 0;
      for (const { receive, consume } of steps) {
        const allowed = granted - sent;
        expect(window.available).toBe(allowed);
        expect(window.receive(receive)).toBe(receive <= allowed);
        if (receive <= allowed) sent += receive;
        granted += window.consume(consume);
        expect(window.available + window.held).toBeLessThanOrEqual(window.size);
        expect(window.size).toBeLessThanOrEqual(8_000);
      }
    }),
  );
});

test("a reader that keeps pace gets twice the window at each update, up to the maximum", () => {
  const window = new ReceiveWindow(1_000, 3_000);
  const sizes: number[] = [];
  for (let i = 0; i < 6; i++) {
    window.receive(window.available);
    window.consume(window.held);
    sizes.push(window.size);
  }
  expect(sizes).toEqual([2_000, 3_000, 3_000, 3_000, 3_000, 3_000]);
});

test("a reader that lags keeps the window it has", () => {
  const window = new ReceiveWindow(1_000, 8_000);
  window.receive(1_000);
  expect(window.consume(499)).toBe(0);
  expect(window.consume(1)).toBe(500);
  expect(window.size).toBe(1_000);
});

test("no more is given back than was held", () => {
  const window = new ReceiveWindow(1_000, 1_000);
  window.receive(600);
  expect(window.consume(5_000)).toBe(600);
  expect(window.available).toBe(1_000);
});
