import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LoadTurns } from "../../../../src/registry/updates/load-turns.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Takes turns by name; what has begun stands in `begun`, in order. */
function takers(turns: LoadTurns) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const take = (name: string): void => {
    void turns.take().then((end) => {
      begun.push(name);
      ends.set(name, end);
    });
  };
  return { begun, take, end: (name: string) => ends.get(name)!() };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

test("turns come one after another, in the order in which they were asked for", async () => {
  const { begun, take, end } = takers(new LoadTurns({ headStartMs: 1000, most: 4 }));
  for (const name of ["a", "b", "c"]) take(name);
  await settle();
  expect(begun).toEqual(["a"]);
  end("a");
  await settle();
  expect(begun).toEqual(["a", "b"]);
  end("b");
  end("b");
  await settle();
  expect(begun).toEqual(["a", "b", "c"]);
});

test("one that is slow keeps the next waiting for its head start only, and never more than some run side by side", async () => {
  const { begun, take, end } = takers(new LoadTurns({ headStartMs: 1000, most: 2 }));
  for (const name of ["a", "b", "c"]) take(name);
  await vi.advanceTimersByTimeAsync(999);
  expect(begun).toEqual(["a"]);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toEqual(["a", "b"]);
  await vi.advanceTimersByTimeAsync(5000);
  expect(begun).toEqual(["a", "b"]);
  end("a");
  await settle();
  expect(begun).toEqual(["a", "b", "c"]);
});

test("the end of an older one does not cut the head start of the latest short", async () => {
  const { begun, take, end } = takers(new LoadTurns({ headStartMs: 1000, most: 4 }));
  for (const name of ["a", "b", "c"]) take(name);
  await vi.advanceTimersByTimeAsync(1000);
  end("a");
  await settle();
  expect(begun).toEqual(["a", "b"]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(begun).toEqual(["a", "b", "c"]);
});
