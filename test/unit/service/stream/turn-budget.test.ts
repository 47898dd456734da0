import { beforeEach, expect, test } from "vitest";
import { TurnBudget } from "../../../../src/service/stream/turn-budget.ts";
import { turn } from "../../../support/servers/scoring-core.ts";

let now = 0;
let budget: TurnBudget;
beforeEach(() => {
  now = 0;
  budget = new TurnBudget(() => now);
});

/** Pieces of work that take `pieceMs` each, until the budget says that the turn is over. */
function work(pieceMs: number, most = Number.POSITIVE_INFINITY): number {
  let pieces = 0;
  while (pieces < most && budget.spend()) {
    pieces++;
    now += pieceMs;
  }
  return pieces;
}

test("a turn has time for some milliseconds of work, and the next has as much again", async () => {
  expect(work(0.1)).toBeGreaterThan(70);
  expect(work(0.1)).toBe(0);
  await turn();
  expect(work(0.1)).toBeGreaterThan(70);
  expect(now).toBeLessThan(20);
});

test("a large piece is followed by a look at the clock", () => {
  expect(budget.spend()).toBe(true);
  budget.weigh(2 ** 20);
  now += 50;
  expect(budget.spend()).toBe(false);
});

test("what waits is done in order, each once, and nobody takes the turn of those behind", async () => {
  const done: string[] = [];
  const streams = ["a", "b", "c"].map((name) => {
    let left = 300;
    const go = (): void => {
      done.push(name);
      left -= work(0.1, left);
      if (left > 0) budget.later(go);
    };
    return go;
  });
  for (const go of streams) budget.later(go);
  while (done.length < 12) await turn();
  expect(done.slice(0, 9)).toEqual(["a", "b", "c", "a", "b", "c", "a", "b", "c"]);
});

test("waiting for a turn ends in the next one", async () => {
  let isOver = false;
  void budget.nextTurn().then(() => {
    isOver = true;
  });
  expect(isOver).toBe(false);
  await turn();
  await turn();
  expect(isOver).toBe(true);
});
