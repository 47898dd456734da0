import fc from "fast-check";
import { expect, test } from "vitest";
import { createTicket, type Ticket } from "../../../src/batcher/ticket.ts";
import { DeadlineWheel } from "../../../src/timing/deadline-wheel.ts";
import { affineEntry } from "../../support/servers/scoring-core.ts";

const START = 1234.5;
const MINUTE = 65_536;

function ticket(deadlineAt: number): Ticket {
  return createTicket(affineEntry({ deadlineAt }), START);
}

test("whatever comes and goes, those that are late are found, no others, and the next time is never too late", () => {
  const deadline = fc.oneof(
    fc.constant(Number.POSITIVE_INFINITY),
    fc.double({ min: -100, max: 300, noNaN: true }),
    fc.double({ min: 0, max: 4 * MINUTE, noNaN: true }),
  );
  const step = fc.record({
    adds: fc.array(deadline, { maxLength: 4 }),
    removes: fc.nat(30),
    waits: fc.nat(3000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (steps, most) => {
      const wheel = new DeadlineWheel<Ticket>(START);
      const open = new Set<Ticket>();
      let now = START;
      for (const { adds, removes, waits } of steps) {
        for (const after of adds) {
          const one = ticket(now + after);
          wheel.add(one);
          open.add(one);
        }
        const removed = [...open][removes];
        if (removed !== undefined) {
          wheel.remove(removed);
          open.delete(removed);
        }
        // Some waits are far longer than once around.
        now += waits % 7 === 0 ? waits * 50 : waits / 10;
        const expected = [...open].filter(({ entry }) => entry.deadlineAt <= now);
        const found: Ticket[] = [];
        for (;;) {
          const late = wheel.late(now, most);
          expect(late.length).toBeLessThanOrEqual(most);
          for (const one of late) {
            wheel.remove(one);
            open.delete(one);
          }
          found.push(...late);
          if (late.length < most) break;
        }
        expect(new Set(found)).toEqual(new Set(expected));
        expect(wheel.size).toBe(open.size);
        const earliest = Math.min(...[...open].map(({ entry }) => entry.deadlineAt));
        expect(wheel.nextAt).toBeLessThanOrEqual(earliest);
        expect(wheel.nextAt).toBeGreaterThan(now);
      }
      expect(new Set(wheel.some(1000))).toEqual(open);
    }),
    { numRuns: 300 },
  );
});

test("hundreds of thousands that are not late are not looked at for the one that is", () => {
  const wheel = new DeadlineWheel<Ticket>(START);
  const many = Array.from({ length: 200_000 }, (_, i) => ticket(START + 1000 + i / 10));
  for (const one of many) wheel.add(one);
  const late = ticket(START + 1);
  wheel.add(late);
  const startedAt = performance.now();
  // As many scans of all would take minutes.
  for (let i = 0; i < 20_000; i++) expect(wheel.late(START + 2, 100)).toEqual([late]);
  expect(performance.now() - startedAt).toBeLessThan(5000);
});
