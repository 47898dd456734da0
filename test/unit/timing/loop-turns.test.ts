import { expect, test } from "vitest";
import { LoopTurns } from "../../../src/timing/loop-turns.ts";

/** The number of the present turn of the event loop, by its timers. */
function countTurns(): { turn: number; stop(): void } {
  const counted = { turn: 0, stop: () => clearTimeout(timer) };
  const next = (): NodeJS.Timeout => setTimeout(() => tick(), 0);
  function tick(): void {
    counted.turn++;
    timer = next();
  }
  let timer = next();
  return counted;
}

/** Timers have whole milliseconds: work that lasts longer leaves one due. */
function work(): void {
  const until = performance.now() + 3;
  while (performance.now() < until);
}

test("one piece is done in a turn, in the order in which they came", async () => {
  const turns = new LoopTurns();
  const counted = countTurns();
  const done: [number, number][] = [];
  const piece = (index: number) => {
    work();
    done.push([index, counted.turn]);
  };
  for (let i = 0; i < 5; i++) turns.later(() => piece(i));
  const { promise, resolve } = Promise.withResolvers<void>();
  turns.later(resolve);
  await promise;
  counted.stop();
  expect(done.map(([index]) => index)).toEqual([0, 1, 2, 3, 4]);
  expect(new Set(done.map(([, turn]) => turn)).size).toBe(5);
});

test("a turn is taken once, and free again after the timers of the next", async () => {
  const turns = new LoopTurns();
  expect(turns.take()).toBe(true);
  expect(turns.take()).toBe(false);
  const counted = countTurns();
  while (!turns.take()) {
    work();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(counted.turn).toBeGreaterThan(0);
  counted.stop();
});

test("who waits has the next turn before who comes to take it", async () => {
  const turns = new LoopTurns();
  const order: string[] = [];
  turns.take();
  const waited = turns.next().then(() => {
    order.push("waited");
    expect(turns.take()).toBe(false);
  });
  await waited;
  while (!turns.take()) await new Promise((resolve) => setImmediate(resolve));
  order.push("took");
  expect(order).toEqual(["waited", "took"]);
});

test("thousands that wait all have their turn", async () => {
  const turns = new LoopTurns();
  const done: number[] = [];
  const all = Array.from({ length: 3000 }, (_, i) => turns.next().then(() => done.push(i)));
  await Promise.all(all);
  expect(done).toEqual(Array.from({ length: 3000 }, (_, i) => i));
});
