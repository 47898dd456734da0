import { expect, test } from "vitest";
import type { Output } from "../../../../src/http2/frame/output.ts";
import { type Sender, SendScheduler } from "../../../../src/http2/streams/send-scheduler.ts";

function sender(name: string, frames: number, sent: string[], scheduler: () => SendScheduler): Sender {
  let left = frames;
  return {
    inLine: false,
    sendNext() {
      sent.push(name);
      scheduler().window -= 10;
      return --left > 0;
    },
  };
}

function setUp(window: number) {
  const room = { open: true };
  const scheduler: SendScheduler = new SendScheduler(
    { hasRoom: () => room.open } as unknown as Output,
    window,
  );
  const sent: string[] = [];
  for (const [name, frames] of [
    ["a", 3],
    ["b", 1],
    ["c", 2],
  ] as const) {
    scheduler.enqueue(sender(name, frames, sent, () => scheduler));
  }
  return { scheduler, sent, room };
}

test("streams take turns frame by frame", () => {
  const { scheduler, sent } = setUp(1_000);
  scheduler.pump();
  expect(sent.join("")).toBe("abcaca");
  expect(scheduler.idle).toBe(true);
});

test("a closed window stops the line, and it goes on where it stood", () => {
  const { scheduler, sent } = setUp(20);
  scheduler.pump();
  expect(sent.join("")).toBe("ab");
  scheduler.window += 20;
  scheduler.pump();
  expect(sent.join("")).toBe("abca");
  scheduler.window += 1_000;
  scheduler.pump();
  expect(sent.join("")).toBe("abcaca");
});

test("nothing is sent while the socket has no room", () => {
  const { scheduler, sent, room } = setUp(1_000);
  room.open = false;
  scheduler.pump();
  expect(sent).toEqual([]);
  room.open = true;
  scheduler.pump();
  expect(sent).toHaveLength(6);
});

test("a stream stands in line once", () => {
  const { scheduler, sent } = setUp(1_000);
  const twice = sender("d", 1, sent, () => scheduler);
  scheduler.enqueue(twice);
  scheduler.enqueue(twice);
  scheduler.pump();
  expect(sent.filter((name) => name === "d")).toHaveLength(1);
});
