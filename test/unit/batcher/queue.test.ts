import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Entry } from "../../../src/batcher/batcher.ts";
import { createQueue, createRoomLine, type EntryQueue } from "../../../src/batcher/queue.ts";
import { createTicket, type Part, type Ticket } from "../../../src/batcher/ticket.ts";
import { affineEntry } from "../../support/servers/scoring-core.ts";

function added(queue: EntryQueue, entry: Entry): Ticket {
  const ticket = createTicket(entry, 0);
  queue.add(ticket, true);
  return ticket;
}

test("rows leave in the order in which they came, lane by lane, shape by shape", () => {
  const queue = createQueue();
  const tickets = [1, 2, 1].map((columns) => added(queue, affineEntry({ rowCount: 3, columns })));
  const parts: Part[] = [];
  queue.take(tickets[0]!.group!, "interactive", 4, parts);
  expect(parts).toEqual([
    { ticket: tickets[0], fromRow: 0, rowCount: 3 },
    { ticket: tickets[2], fromRow: 0, rowCount: 1 },
  ]);
  expect(queue.first("interactive")).toBe(tickets[1]);
  expect(queue.rows).toBe(5);
});

test("an entry without rows leaves with the next batch", () => {
  const queue = createQueue();
  const empty = added(queue, affineEntry({ rowCount: 0 }));
  added(queue, affineEntry({ rowCount: 2 }));
  const parts: Part[] = [];
  queue.take(empty.group!, "interactive", 1, parts);
  expect(parts.map((part) => part.rowCount)).toEqual([0, 1]);
});

test("counts are those of what is there, whatever happened before", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("add" as const),
      rowCount: fc.nat({ max: 9 }),
      columns: fc.integer({ min: 1, max: 3 }),
      isBulk: fc.boolean(),
    }),
    fc.record({ kind: fc.constant("remove" as const), index: fc.nat() }),
    fc.record({
      kind: fc.constant("take" as const),
      rowCount: fc.integer({ min: 1, max: 12 }),
      isBulk: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queue = createQueue();
      const tickets: Ticket[] = [];
      for (const one of steps) {
        const lane = "isBulk" in one && one.isBulk ? "bulk" : "interactive";
        if (one.kind === "add") tickets.push(added(queue, affineEntry({ ...one, lane })));
        else if (one.kind === "remove" && tickets.length > 0)
          queue.remove(tickets[one.index % tickets.length]!);
        else if (one.kind === "take") {
          const head = queue.first(lane);
          if (head !== undefined) queue.take(head.group!, lane, one.rowCount, []);
        }
        const waiting = tickets.filter((ticket) => ticket.isWaiting);
        const rowsLeft = waiting.map((ticket) => ticket.entry.rowCount - ticket.nextRow);
        expect(queue.rows).toBe(rowsLeft.reduce((sum, rows) => sum + rows, 0));
        expect(queue.bytes).toBe(waiting.reduce((sum, ticket) => sum + ticket.entry.byteCount, 0));
        expect(queue.first("bulk")).toBe(waiting.find((ticket) => ticket.entry.lane === "bulk"));
        expect(queue.first("interactive")).toBe(
          waiting.find((ticket) => ticket.entry.lane === "interactive"),
        );
      }
    }),
  );
});

describe("the line of those that wait for room", () => {
  const ticket = (options: Parameters<typeof affineEntry>[0] = {}): Ticket =>
    createTicket(affineEntry(options), 0);

  function entered(line: ReturnType<typeof createRoomLine>, room: number): Ticket[] {
    const tickets: Ticket[] = [];
    let left = room;
    line.admit(
      ({ entry }) => entry.rowCount <= left,
      (one) => {
        left -= one.entry.rowCount;
        tickets.push(one);
      },
    );
    return tickets;
  }

  test("lets entries in as they came, interactive ones first", () => {
    const line = createRoomLine();
    const bulk = [ticket({ lane: "bulk" }), ticket({ lane: "bulk" })];
    const interactive = ticket({ lane: "interactive" });
    for (const one of [...bulk, interactive]) line.add(one);
    expect(entered(line, 2)).toEqual([interactive, bulk[0]]);
    expect(entered(line, 2)).toEqual([bulk[1]]);
    expect([line.isEmptyIn("interactive"), line.isEmptyIn("bulk")]).toEqual([true, true]);
  });

  test("a large entry is not overtaken by small ones of its lane, but does not hold the other lane", () => {
    const line = createRoomLine();
    const large = ticket({ rowCount: 10 });
    const small = ticket();
    const bulk = ticket({ lane: "bulk" });
    for (const one of [large, small, bulk]) line.add(one);
    expect(entered(line, 9)).toEqual([bulk]);
    expect(entered(line, 11)).toEqual([large, small]);
  });

  test("an entry is taken out wherever it stands, and the others keep their order", () => {
    for (const gone of [0, 1, 2]) {
      const line = createRoomLine();
      const tickets = [ticket(), ticket(), ticket()];
      for (const one of tickets) line.add(one);
      line.remove(tickets[gone]!);
      line.remove(tickets[gone]!);
      expect(tickets.map((one) => one.waitsForRoom)).toEqual([0, 1, 2].map((index) => index !== gone));
      expect(entered(line, 3)).toEqual(tickets.filter((_, index) => index !== gone));
      expect(line.isEmptyIn("interactive")).toBe(true);
    }
  });
});
