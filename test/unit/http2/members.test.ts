import { describe, expect, test } from "vitest";
import { type Member, Members } from "../../../src/http2/members.ts";

interface Numbered extends Member {
  readonly id: number;
}

function numbered(id: number): Numbered {
  return { id, place: -1 };
}

function idsOf(members: Members<Numbered>): number[] {
  return [...members].map(({ id }) => id).sort((a, b) => a - b);
}

describe("members", () => {
  test("stand where they were added until they are deleted, whichever goes first", () => {
    const members = new Members<Numbered>();
    const all = Array.from({ length: 9 }, (_, id) => numbered(id));
    for (const member of all) members.add(member);
    for (const id of [8, 0, 4, 4, 7]) members.delete(all[id]!);
    expect(idsOf(members)).toEqual([1, 2, 3, 5, 6]);
    members.add(all[4]!);
    expect([members.size, idsOf(members)]).toEqual([6, [1, 2, 3, 4, 5, 6]]);
    for (const member of all) members.delete(member);
    expect(members.size).toBe(0);
  });

  test("of another list are left where they are", () => {
    const members = new Members<Numbered>();
    const others = new Members<Numbered>();
    const other = numbered(1);
    members.add(numbered(2));
    others.add(other);
    members.delete(other);
    expect([idsOf(members), idsOf(others)]).toEqual([[2], [1]]);
  });

  test("may go while they are gone through: all that stood there at first are seen", () => {
    const members = new Members<Numbered>();
    for (let id = 0; id < 5; id++) members.add(numbered(id));
    const seen: number[] = [];
    for (const member of members) {
      seen.push(member.id);
      members.delete(member);
    }
    expect([seen, members.size]).toEqual([[0, 1, 2, 3, 4], 0]);
  });
});
