import { expect, test } from "vitest";
import { createRoomLine } from "../../../src/batcher/room-line.ts";
import { createTicket, type Ticket } from "../../../src/batcher/ticket.ts";
import { affineEntry } from "../../support/servers/scoring-core.ts";

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
