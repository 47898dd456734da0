import { afterEach, expect, test } from "vitest";
import { FineClock } from "../../../../src/load/loop/fine-clock.ts";

const clocks: FineClock[] = [];

function start(): FineClock {
  const clock = new FineClock();
  clocks.push(clock);
  return clock;
}

afterEach(() => {
  for (const clock of clocks.splice(0)) clock.stop();
});

test("a callback comes once, and not before its time", async () => {
  const clock = start();
  for (const delayMs of [0, 0.3, 2, 11]) {
    const beganMs = clock.now();
    await new Promise<void>((resolve) => clock.after(delayMs, resolve));
    expect(clock.now() - beganMs).toBeGreaterThanOrEqual(delayMs);
  }
});

test("another callback takes the place of the one that waits, and one that is called off never comes", async () => {
  const clock = start();
  const came: string[] = [];
  clock.after(1, () => came.push("replaced"));
  const callOff = clock.after(2, () => came.push("called off"));
  callOff();
  await new Promise<void>((resolve) => {
    clock.after(5, () => {
      came.push("last");
      resolve();
    });
  });
  await new Promise<void>((resolve) => clock.after(5, resolve));
  expect(came).toEqual(["last"]);
});

test("a callback may ask for the next one", async () => {
  const clock = start();
  let count = 0;
  await new Promise<void>((resolve) => {
    const again = () => {
      if (++count === 50) resolve();
      else clock.after(0.2, again);
    };
    clock.after(0.2, again);
  });
  expect(count).toBe(50);
});
