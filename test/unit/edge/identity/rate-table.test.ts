import { expect, onTestFinished, test, vi } from "vitest";
import { RateTable, rateMemory } from "../../../../src/edge/identity/rate-table.ts";

/** A clock that stands until it is moved. */
function clock(): (ms: number) => void {
  let now = 1_000_000_000_000n;
  const spy = vi.spyOn(process.hrtime, "bigint").mockImplementation(() => now);
  onTestFinished(() => spy.mockRestore());
  return (ms) => {
    now += BigInt(ms * 1e6);
  };
}

const rates = (requestsPerSecond?: number, rowsPerSecond?: number) => ({ requestsPerSecond, rowsPerSecond });
const take = (rate: { takeRequest(): number }, times: number) =>
  Array.from({ length: times }, () => rate.takeRequest());

test("a second's requests may come at once, and then one as soon as it is due", () => {
  const move = clock();
  const rate = new RateTable(rateMemory()).of("a", rates(4))!;
  expect(take(rate, 5)).toEqual([0, 0, 0, 0, 250]);
  move(100);
  expect(rate.takeRequest()).toBe(150);
  move(150);
  expect(take(rate, 2)).toEqual([0, 250]);
  move(60_000);
  expect(take(rate, 5)).toEqual([0, 0, 0, 0, 250]);
});

test("less than one a second lets one come, and the next when its time has passed", () => {
  const move = clock();
  const rate = new RateTable(rateMemory()).of("a", rates(0.5))!;
  expect(take(rate, 2)).toEqual([0, 2000]);
  move(2000);
  expect(take(rate, 2)).toEqual([0, 2000]);
});

test("rows that are more than what is left are taken, and waited for", () => {
  const move = clock();
  const rate = new RateTable(rateMemory()).of("a", rates(undefined, 100))!;
  expect(rate.takeRequest()).toBe(0);
  rate.countRows(500);
  expect(rate.takeRequest()).toBe(4001 - 1);
  move(4001);
  expect(rate.takeRequest()).toBe(0);
});

test("one id has one rate in all tables over a memory, and other ids have their own", () => {
  clock();
  const memory = rateMemory();
  const [one, other] = [new RateTable(memory), new RateTable(memory)];
  expect(take(one.of("a", rates(2))!, 2)).toEqual([0, 0]);
  expect(other.of("a", rates(2))!.takeRequest()).toBe(500);
  expect(other.of("b", rates(2))!.takeRequest()).toBe(0);
});

test("a table that is full counts what is left over for itself", () => {
  clock();
  const table = new RateTable(rateMemory());
  const all = Array.from({ length: 17_000 }, (_, i) => table.of(`caller ${i}`, rates(1))!);
  expect(all.every((rate) => rate.takeRequest() === 0)).toBe(true);
  expect(all.every((rate) => rate.takeRequest() === 1000)).toBe(true);
});

test("who has no rate is not counted", () => {
  expect(new RateTable(rateMemory()).of("a", rates())).toBeUndefined();
});
